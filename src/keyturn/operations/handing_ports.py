"""What is kept of software between sites."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from keyturn.distribution.handed_down import Awaited, Range, ToldReport
from keyturn.model.estate import SiteCode


@dataclass(frozen=True, slots=True)
class FromAbove:
    """How the content stands of what a site above has handed down. `awaited` is that of which something may be missing
    here, `asked` what was asked for last, at `asked_at`."""

    site: SiteCode
    awaited: tuple[Awaited, ...] = ()
    asked: tuple[Range, ...] = ()
    asked_at: float = 0


class HandedDownStore(Protocol):
    def handed_down(self) -> Mapping[SiteCode, str]:
        """The digest of what each site below was handed last. A site that is forgotten is not in it."""

    def note_handed_down(self, site: SiteCode, digest: str) -> None: ...

    def from_above(self) -> tuple[FromAbove, ...]:
        """By site."""

    def keep_from_above(self, record: FromAbove) -> None: ...

    def forget_from_above(self, site: SiteCode) -> None: ...

    def queue_report(self, owner: SiteCode, told: ToldReport) -> None: ...

    def queued_reports(self, most: int) -> tuple[tuple[int, SiteCode, ToldReport], ...]:
        """With their numbers and whom they are for, oldest first."""

    def unqueue_reports(self, numbers: Collection[int]) -> None: ...
