"""The shapes of a site control file as the API for people gives them."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PropertyShape:
    """`owner`: whoever alone changes it, `estate` or `control file`."""

    name: str
    value: str
    owner: str


@dataclass(frozen=True, slots=True)
class ItemShape:
    section: str
    name: str
    properties: list[PropertyShape]


@dataclass(frozen=True, slots=True)
class SiteControlShape:
    site: str
    serial: int
    items: list[ItemShape]


@dataclass(frozen=True, slots=True)
class ChangeShape:
    path: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class DifferenceShape:
    added: list[ItemShape]
    removed: list[ItemShape]
    changed: list[ChangeShape]


@dataclass(frozen=True, slots=True)
class DeltaShape:
    """`serial` is that of the document it made; null where it was refused, for what `said` says."""

    number: int
    at: float
    author: str
    base: int
    status: str
    serial: int | None
    said: str
    hint: str
    operations: list[str]


@dataclass(frozen=True, slots=True)
class TextShape:
    """The text form in Base64: its code page is its own."""

    content: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class TextTakenShape:
    """`delta` is null where the text says what the document says. `left` are places that were left to the estate."""

    delta: DeltaShape | None
    left: list[str]


@dataclass(frozen=True, slots=True)
class SentShape:
    """`base` is the serial that the delta was made for."""

    site: str
    base: int
