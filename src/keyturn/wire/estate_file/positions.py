"""Where things stand in a TOML text: `tomllib` gives the values without their lines."""

import re
import tomllib
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

Path: TypeAlias = tuple[str | int, ...]
"""Keys and array indices from the top: `("realm", 0, "policy", "history")`."""

_TOKEN = re.compile(
    r'''
    (?P<comment> \#[^\n]*)
  | (?P<string>  """(?:[^\\]|\\.)*?"{3,5} | \'\'\'.*?'{3,5} | "(?:[^"\\]|\\.)*" | '[^']*')
  | (?P<newline> \n)
  | (?P<mark>    [\[\]{}=,])
  | (?P<bare>    [^\s\[\]{}=,\#"']+)
    ''',
    re.VERBOSE | re.DOTALL,
)


_DEEPEST = 20
"""Below this the lines of single elements are not kept, so that no nesting exhausts the stack."""


class _Token(NamedTuple):
    kind: str
    text: str
    line: int


def lines_of(text: str) -> dict[Path, int]:
    """The line, from 1, on which every table, key and array element of `text` begins.

    `text` is one that tomllib accepts. A table stands at its header; one that is only implied, as `a` in `[a.b]`
    or `a.b = 1`, where it is first implied; an array of tables at the first of its headers.
    """
    return _Walk(text).lines


class _Walk:
    """One pass over the tokens: no value is understood, only where it begins and ends."""

    def __init__(self, text: str) -> None:
        self.lines: dict[Path, int] = {}
        self._tables: dict[Path, int] = {}
        """How many headers each array of tables has had."""
        self._tokens = _tokens(text)
        self._next: _Token | None = next(self._tokens, None)
        self._statements()

    def _statements(self) -> None:
        table: Path = ()
        while token := self._skip_newlines():
            if token.text == "[" and token.kind == "mark":
                table = self._header()
            else:
                self._pair(table)

    def _header(self) -> Path:
        line = self._take().line
        many = self._at("[")
        if many:
            self._take()
        *outer, last = self._key("]")
        while self._at("]"):
            self._take()
        path = (*self._locate((), outer, line), last)
        if many:
            self.lines.setdefault(path, line)
            self._tables[path] = self._tables.get(path, 0) + 1
            path = (*path, self._tables[path] - 1)
        self.lines[path] = line
        return path

    def _locate(self, path: Path, keys: list[str], line: int) -> Path:
        """`path` extended by `keys`, in the newest table wherever a key names an array of tables."""
        for key in keys:
            path = (*path, key)
            self.lines.setdefault(path, line)
            if path in self._tables:
                path = (*path, self._tables[path] - 1)
        return path

    def _pair(self, table: Path) -> None:
        line = self._peek().line
        keys = self._key("=")
        self._take()
        self._value(self._locate(table, keys, line))

    def _key(self, end: str) -> list[str]:
        raw = ""
        while not self._at(end):
            raw += self._take().text
        return _parts(raw)

    def _value(self, path: Path) -> None:
        if self._at("[") and len(path) < _DEEPEST:
            self._array(path)
        elif self._at("{") and len(path) < _DEEPEST:
            self._inline_table(path)
        else:
            self._skip()

    def _skip(self) -> None:
        """Go past one value, whatever is in it. A date and its time may be two words."""
        depth = 0
        while self._next is not None:
            text = self._next.text
            if depth == 0 and text in ("\n", ",", "]", "}"):
                return
            if self._next.kind == "mark":
                depth += (text in "[{") - (text in "]}")
            self._take()

    def _array(self, path: Path) -> None:
        self._take()
        index = 0
        while not self._ended("]"):
            element = (*path, index)
            self.lines[element] = self._peek().line
            self._value(element)
            index += 1
        self._take()

    def _inline_table(self, path: Path) -> None:
        self._take()
        while not self._ended("}"):
            self._pair(path)
        self._take()

    def _ended(self, mark: str) -> bool:
        """Whether `mark` comes next, once line ends and a comma are out of the way."""
        self._skip_newlines()
        if self._at(","):
            self._take()
            self._skip_newlines()
        return self._at(mark)

    def _skip_newlines(self) -> _Token | None:
        while self._next is not None and self._next.kind == "newline":
            self._take()
        return self._next

    def _at(self, mark: str) -> bool:
        return self._next is not None and self._next.kind == "mark" and self._next.text == mark

    def _peek(self) -> _Token:
        if self._next is None:
            raise AssertionError("tomllib has accepted a text that ends too early")
        return self._next

    def _take(self) -> _Token:
        token = self._peek()
        self._next = next(self._tokens, None)
        return token


def _tokens(text: str) -> Iterator[_Token]:
    line = 1
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or ""
        if kind != "comment":
            yield _Token(kind, match.group(), line)
        if kind in ("newline", "string"):
            line += match.group().count("\n")


def _parts(raw: str) -> list[str]:
    """The parts of a dotted key. A quoted part may hold dots and escapes: tomllib itself knows best."""
    if '"' not in raw and "'" not in raw:
        return raw.split(".")
    parts = []
    table: object = tomllib.loads(f"{raw} = 0")
    while isinstance(table, dict):
        ((key, table),) = table.items()
        parts.append(key)
    return parts
