"""What is kept of a site control file: every delta with what became of it, and every document that came of one."""

from dataclasses import dataclass
from typing import Protocol

from keyturn.model.estate import SiteCode
from keyturn.site.control.deltas import Delta, DeltaStatus
from keyturn.site.control.document import SiteControl


@dataclass(frozen=True, slots=True)
class DeltaRecord:
    """`serial` is that of the document it made; None: it was refused, and `said` says why. `at` in seconds."""

    number: int
    at: float
    delta: Delta
    status: DeltaStatus
    serial: int | None
    said: str = ""
    hint: str = ""


class SiteControls(Protocol):
    """Numbered from 1 in the order in which they came. Nothing is ever deleted."""

    def control(self, serial: int | None = None) -> SiteControl | None:
        """The newest document unless said; None where there is none."""

    def control_history(self) -> tuple[DeltaRecord, ...]: ...

    def keep_delta(
        self, delta: Delta, status: DeltaStatus, document: SiteControl | None, said: str = "", hint: str = ""
    ) -> DeltaRecord:
        """With the document that came of it, which has the next serial; None where it was refused."""

    def control_copy(self, site: SiteCode) -> SiteControl | None:
        """The newest document that came from a site below; of this site's own, the one that was sent up last."""

    def keep_control_copy(self, document: SiteControl) -> None:
        """In the place of the one before."""

    def control_text(self) -> tuple[int, bytes] | None:
        """The text form as imported last, with whatever Keyturn does not know of it, and the serial that it says."""

    def keep_control_text(self, text: bytes, serial: int, by: str) -> None: ...
