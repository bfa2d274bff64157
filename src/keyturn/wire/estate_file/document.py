"""From TOML text to values that know their lines."""

import re
import tomllib
from collections.abc import Mapping
from functools import cached_property

from keyturn.wire.estate_file.positions import Path, lines_of
from keyturn.wire.estate_file.problems import EstateErrors, Problem

LARGEST_FILE = 8_000_000
"""Bytes. A fleet of any size fits by its client groups."""

_KEY_PART = r"""(?:(?<![\w-])[\w-]++|"[^"\n]*+"|'[^'\n]*+')"""
_ABSURD = (
    # tomllib's time grows with the square of a key's parts: one endless key would keep it busy for days.
    (re.compile(rf"{_KEY_PART}(?:[ \t]*+\.[ \t]*+{_KEY_PART}){{40}}", re.ASCII), "a key has too many parts"),
    # Python refuses to convert numbers of 4300 digits, and does not say where.
    (re.compile(r"(?<![0-9])[0-9](?:_?[0-9]){400}"), "a number has too many digits"),
)
_WHERE = re.compile(r" \(at (?:line (?P<line>[0-9]+), column [0-9]+|end of document)\)$")


class Document:
    """The values of a file, and the line of each."""

    def __init__(self, text: str, values: Mapping[str, object]) -> None:
        self.values = values
        self._text = text

    def line(self, path: Path) -> int:
        """The line of what `path` leads to, or else of the nearest table around it; from 1."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)

    @cached_property
    def _lines(self) -> Mapping[Path, int]:
        # Only a file with a mistake is ever asked for a line.
        return lines_of(self._text)


def parse(text: str) -> Document:
    """Raises EstateErrors, with one problem, for what is no TOML or is larger than any estate."""
    # Editors on Windows write a byte order mark.
    text = text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")
    _refuse_absurd(text)
    try:
        return Document(text, tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise EstateErrors((_syntax(str(error), text),)) from None
    except RecursionError:
        raise EstateErrors((Problem(1, "arrays or tables are nested too deeply"),)) from None


def _refuse_absurd(text: str) -> None:
    size = len(text.encode("utf-8", "surrogatepass")) if len(text) <= LARGEST_FILE else len(text)
    if size > LARGEST_FILE:
        hint = "describe clients that are alike as a [[client_group]]"
        raise EstateErrors((Problem(1, f"the file is larger than {LARGEST_FILE // 1_000_000} MB", hint),))
    for pattern, message in _ABSURD:
        if found := pattern.search(text):
            raise EstateErrors((Problem(text.count("\n", 0, found.start()) + 1, message),))


def _syntax(told: str, text: str) -> Problem:
    where = _WHERE.search(told)
    line = where["line"] if where else None
    last = text.rstrip().count("\n") + 1
    return Problem(int(line) if line else last, f"not TOML: {_WHERE.sub('', told)}")
