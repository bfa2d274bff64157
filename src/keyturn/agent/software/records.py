"""What this machine remembers of its software, as it stands in its file."""

from typing import Annotated, Literal

import msgspec

from keyturn.distribution.due import Known, Past
from keyturn.distribution.reports import AdvertisementReport, AdvertisementState
from keyturn.model.software import AdvertisementId, Afterwards, PackageId, ProgramName


class Run(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The last run of a program for an advertisement and, where it runs once for every user, for `user`.

    Written before it starts, as RUNNING. `tries` counts runs that asked to be tried again, this one included;
    `again_at` is when the next may be. `pending` is what is still to become of the machine after it; `boot`, the start
    of the machine that it ran in.
    """

    run_id: str
    advertisement: str
    package: str
    program: str
    started_at: float
    state: AdvertisementState
    user: str = ""
    finished_at: float | None = None
    again_at: float | None = None
    tries: int = 1
    exit_code: int | None = None
    executed_as: str = ""
    login: str = ""
    cause: str = ""
    reason: str = ""
    pending: Afterwards = Afterwards.NOTHING
    boot: str = ""

    @property
    def key(self) -> "Key":
        return self.advertisement, self.package, self.program, self.user

    @property
    def past(self) -> Past:
        about = ProgramName(PackageId(self.package), self.program)
        advertisement = AdvertisementId(self.advertisement)
        return Past(advertisement, about, self.user, self.started_at, self.state, self.again_at)


Key = tuple[str, str, str, str]
"""Advertisement, package, program, user."""


class Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the site was last told of a program that is not running, so that it is told once."""

    key: Key
    state: AdvertisementState
    reason: str = ""


class Remembered(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """`number` is that of the last report; `site`, whose advertisements these are. `present` and `gone` say when each
    user was last seen to come and to go; `token_missing`, why the domain's token account cannot be used here; `outbox`,
    the reports that nobody has taken yet, oldest first."""

    number: Annotated[int, msgspec.Meta(ge=0)]
    site: str = ""
    runs: tuple[Run, ...] = ()
    requests: tuple[tuple[str, float], ...] = ()
    present: tuple[tuple[str, float], ...] = ()
    gone: tuple[tuple[str, float], ...] = ()
    token_missing: str = ""
    said: tuple[Said, ...] = ()
    outbox: tuple[AdvertisementReport, ...] = ()
    version: Literal[1] = 1

    @property
    def known(self) -> Known:
        return Known(
            past=tuple(run.past for run in self.runs),
            requests=tuple((AdvertisementId(about), at) for about, at in self.requests),
            logons=self.present,
            logoffs=self.gone,
        )
