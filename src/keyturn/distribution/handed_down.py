"""What a site hands down to those below it: all that it has authored, whole, and the content in pieces.

The whole and no changes: whoever has the newest has everything, whenever it joined.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from keyturn.distribution.reports import AdvertisementReport
from keyturn.model.accounts import same_name
from keyturn.model.estate import SiteCode
from keyturn.model.software import (
    Advertisement,
    AdvertisementId,
    Collection,
    Package,
    PackageId,
    Program,
    owner_of,
)

PIECE = 8 * 1024 * 1024
"""Bytes of content in one bundle at most."""

AT_ONCE = 4 * PIECE
"""Bytes that a site asks for before they have arrived: so much waits in the queue of the one that has them."""

MOST_RANGES = 4000
"""In one asking, however small they are."""


@dataclass(frozen=True, slots=True)
class Awaited:
    """The content of a package. `digest` and `length` are those of its manifest's canonical form, which is asked for as
    any file."""

    package: PackageId
    version: int
    digest: str
    length: int


@dataclass(frozen=True, slots=True)
class HandedAdvertisement:
    """`agreed` is the digest of what its site has agreed to; empty for one that is cancelled."""

    advertisement: Advertisement
    advertised_by: str
    advertised_at: float
    cancelled_by: str = ""
    cancelled_at: float | None = None
    agreed: str = ""


@dataclass(frozen=True, slots=True)
class HandedDown:
    """`packages` as they stand at their site. `withheld` are advertisements that nobody has agreed to as they are now:
    one that was handed down before stays known, and is not offered."""

    packages: tuple[Package, ...] = ()
    contents: tuple[Awaited, ...] = ()
    programs: tuple[Program, ...] = ()
    collections: tuple[Collection, ...] = ()
    advertisements: tuple[HandedAdvertisement, ...] = ()
    withheld: tuple[AdvertisementId, ...] = ()


@dataclass(frozen=True, slots=True)
class Range:
    """Of a file, in bytes."""

    sha256: str
    offset: int
    length: int

    @property
    def end(self) -> int:
        return self.offset + self.length


@dataclass(frozen=True, slots=True)
class Wanted:
    ranges: tuple[Range, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    sha256: str
    offset: int
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Pieces:
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class ToldReport:
    """`enrolled_at` is when the client's site enrolled it."""

    report: AdvertisementReport
    enrolled_at: float


@dataclass(frozen=True, slots=True)
class Reports:
    reports: tuple[ToldReport, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """A file of which the first `there` bytes have arrived."""

    sha256: str
    size: int
    there: int


def strangers(handed: HandedDown, owner: SiteCode) -> tuple[str, ...]:
    """What does not belong to the site that hands it down, by identifier."""
    named = (
        *(package.package_id for package in handed.packages),
        *(awaited.package for awaited in handed.contents),
        *(program.package for program in handed.programs),
        *(collection.collection_id for collection in handed.collections),
        *(each.advertisement.advertisement_id for each in handed.advertisements),
    )
    return tuple(name for name in named if not same_name(owner_of(name), owner))


def next_ranges(missing: Iterable[Missing]) -> tuple[Range, ...]:
    """What to ask for now, in the order of what is missing."""
    found: list[Range] = []
    left = AT_ONCE
    for file in missing:
        at = file.there
        while at < file.size and left and len(found) < MOST_RANGES:
            length = min(PIECE, file.size - at, left)
            found.append(Range(file.sha256, at, length))
            at, left = at + length, left - length
        if not left or len(found) >= MOST_RANGES:
            break
    return tuple(found)
