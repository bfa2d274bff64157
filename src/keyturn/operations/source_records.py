"""What is kept of the readings of package sources: how far one is, and which files need not be read again.

Moments are seconds since the epoch, sizes are bytes.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from keyturn.model.software import PackageId


@dataclass(frozen=True, slots=True)
class SourceReading:
    """A reading that is under way: `files` of `of_files` are read, `size` of `of_size`; `unchanged` more are as they
    were. All zero while the source is listed. `told_at`: its last sign of life."""

    package: PackageId
    reading_id: str
    by: str
    begun_at: float
    told_at: float
    files: int = 0
    of_files: int = 0
    size: int = 0
    of_size: int = 0
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class KnownFile:
    """What a file held that bore this mark. `mark` names the source, too: another folder's file is another file."""

    mark: str
    sha256: str


class SourceReadings(Protocol):
    def begin_reading(self, reading: SourceReading) -> None:
        """In the place of an earlier one, which learns of it by its next word."""

    def tell_reading(self, reading: SourceReading, learnt: Mapping[str, KnownFile]) -> bool:
        """How far it is, and what it has learnt since its last word, by path. False, and nothing is kept, where it is
        not the one under way any more."""

    def end_reading(self, reading: SourceReading, learnt: Mapping[str, KnownFile], gone: Collection[str]) -> None:
        """As its last word; of the paths in `gone` nothing is known any more."""

    def source_reading(self, package: PackageId) -> SourceReading | None:
        """As last told, by a process that may have ended since."""

    def known_files(self, package: PackageId) -> Mapping[str, KnownFile]:
        """By path."""
