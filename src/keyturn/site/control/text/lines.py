"""The text as lines and blocks. Whatever is not changed comes out byte for byte as it went in.

The form (Systems Management Server SDK, "About the Configuration Manager Site Control File"; Q133113): a first line
that names the file, then blocks between `BEGIN_X` and `END_X`, which may stand in each other. A line in a block has
fields in angle brackets, after a keyword or alone. There is no checksum.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from keyturn.model.errors import Refused


@dataclass(frozen=True, slots=True)
class Encoding:
    """`mark` are the bytes before the text."""

    codec: str
    errors: str
    mark: bytes = b""


ANSI = Encoding("cp1252", "surrogateescape")
"""What SMS writes; bytes that mean nothing in it are kept all the same."""

_MARKED = (
    Encoding("utf-8", "surrogateescape", codecs.BOM_UTF8),
    Encoding("utf-16-le", "surrogatepass", codecs.BOM_UTF16_LE),
    Encoding("utf-16-be", "surrogatepass", codecs.BOM_UTF16_BE),
)


@dataclass(frozen=True, slots=True)
class Field:
    """`start` and `end` are columns, without the brackets."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Line:
    """Of a block's own lines, not of those of blocks inside it. `number` counts from 0 in the text."""

    number: int
    keyword: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """`first` is the number of its BEGIN line, `last` of its END line."""

    keyword: str
    first: int
    last: int
    lines: tuple[Line, ...]

    def bare(self) -> Iterator[tuple[Line, Field]]:
        """The fields that stand behind no keyword, in their order."""
        return ((line, one) for line in self.lines if not line.keyword for one in line.fields)

    def behind(self, keyword: str) -> Iterator[Line]:
        return (line for line in self.lines if line.keyword.casefold() == keyword.casefold())


@dataclass(frozen=True, slots=True)
class ControlText:
    """`lines` with their ends."""

    lines: tuple[str, ...]
    encoding: Encoding = ANSI

    def blocks(self) -> tuple[Block, ...]:
        """The outermost ones. Refused, by line, where BEGIN and END do not fit."""
        found: list[Block] = []
        open_blocks: list[tuple[str, int, list[Line]]] = []
        for number, text in enumerate(self.lines):
            if begun := _BEGIN.fullmatch(text.strip()):
                open_blocks.append((begun[1], number, []))
            elif ended := _END.fullmatch(text.strip()):
                if not open_blocks or open_blocks[-1][0] != ended[1]:
                    raise Refused(f"line {number + 1}: END_{ended[1]} ends no block that is open")
                keyword, first, lines = open_blocks.pop()
                if not open_blocks:
                    found.append(Block(keyword, first, number, tuple(lines)))
            elif open_blocks:
                open_blocks[-1][2].append(_line(number, text))
        if open_blocks:
            raise Refused(f"line {open_blocks[-1][1] + 1}: BEGIN_{open_blocks[-1][0]} has no end")
        return tuple(found)

    def edited(self, edits: "Edits") -> "ControlText":
        lines: list[str] = []
        for number, text in enumerate(self.lines):
            lines += (added + self.line_end for added in edits.before.get(number, ()))
            if number not in edits.without:
                lines.append(_replaced(text, edits.fields.get(number, [])))
        if edits.behind and lines and not lines[-1].endswith(("\r", "\n")):
            lines[-1] += self.line_end
        lines += (added + self.line_end for added in edits.behind)
        return replace(self, lines=tuple(lines))

    @property
    def line_end(self) -> str:
        """That of the first line that has one."""
        return next((end for text in self.lines for end in ("\r\n", "\n", "\r") if text.endswith(end)), "\r\n")

    def indent(self, block: Block) -> str:
        """How far the block's own lines are set in."""
        text = self.lines[block.lines[0].number] if block.lines else "\t"
        return text[: len(text) - len(text.lstrip())]

    def to_bytes(self) -> bytes:
        """Refused where the code page of the text has no place for something that was written into it."""
        text = "".join(self.lines)
        try:
            return self.encoding.mark + text.encode(self.encoding.codec, self.encoding.errors)
        except UnicodeEncodeError as error:
            unfit = text[error.start]
            raise Refused(f"the text is in {self.encoding.codec}, which has no {unfit!r}") from None


@dataclass(frozen=True, slots=True)
class Edits:
    """What is changed of a text, by the numbers that its lines had: fields with their new values, lines added before
    one or behind all, lines taken out."""

    fields: dict[int, list[tuple[Field, str]]] = field(default_factory=dict)
    before: dict[int, list[str]] = field(default_factory=dict)
    behind: list[str] = field(default_factory=list)
    without: set[int] = field(default_factory=set)

    def set(self, line: Line, place: Field, value: str) -> None:
        if place.text != value:
            self.fields.setdefault(line.number, []).append((place, value))


def read_text(content: bytes) -> ControlText:
    """UTF-16 and UTF-8 by their mark, all else as ANSI: two letters of it may look like one of UTF-8.

    Refused for half a character of UTF-16.
    """
    encoding = _encoding_of(content)
    try:
        text = content[len(encoding.mark) :].decode(encoding.codec, encoding.errors)
    except UnicodeDecodeError:
        raise Refused("the file breaks off within a character") from None
    return ControlText(tuple(_LINE.findall(text)), encoding)


def _encoding_of(content: bytes) -> Encoding:
    return next((marked for marked in _MARKED if content.startswith(marked.mark)), ANSI)


def _replaced(text: str, fields: list[tuple[Field, str]]) -> str:
    for old, value in sorted(fields, key=lambda one: one[0].start, reverse=True):
        text = text[: old.start] + value + text[old.end :]
    return text


def _line(number: int, text: str) -> Line:
    fields = tuple(Field(found[1], *found.span(1)) for found in _FIELD.finditer(text))
    keyword = text.partition("<")[0].strip()
    return Line(number, keyword, fields)


_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_BEGIN = re.compile(r"BEGIN_(\w+)(?:\s.*)?")
_END = re.compile(r"END_(\w+)(?:\s.*)?")
_FIELD = re.compile(r"<([^<>\r\n]*)>")
