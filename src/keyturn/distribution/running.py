"""One run of a program: what is asked of the machine, and how it ended. The agent asks, a runner carries out."""

from dataclasses import dataclass, field
from enum import StrEnum

from keyturn.distribution.accesses import Access
from keyturn.distribution.presenting import SharePath
from keyturn.distribution.run_context import ExecuteAs
from keyturn.model.software import Overrun


@dataclass(frozen=True, slots=True)
class RunOrder:
    r"""`command_line` and `folder` (the path of its working directory) are as on this machine; a `\\host\share\path` in
    the command line is put in the runner's own words. `environment` is added to the fresh one made for the identity."""

    run_id: str
    command_line: str
    folder: str
    execute_as: ExecuteAs
    shares: tuple[SharePath, ...] = ()
    max_run_s: float = 3600
    overrun: Overrun = Overrun.END
    environment: tuple[tuple[str, str], ...] = ()


class HowEnded(StrEnum):
    EXITED = "exited"
    ENDED = "ended-at-its-limit"
    STILL_RUNS = "still-runs-unwatched"
    NOT_STARTED = "not-started"
    STOPPED = "stopped-with-the-client"


@dataclass(frozen=True, slots=True)
class Ended:
    """`exit_code` where it exited. `executed_as` is what the system itself says of the process: the name of its user,
    and of the user whose logon it belongs to. `reason`: why it did not start, in words."""

    how: HowEnded
    exit_code: int | None = None
    executed_as: str = ""
    login: str = ""
    home: str = ""
    """The profile it ran in."""
    accesses: tuple[Access, ...] = ()
    reason: str = ""
    output: bytes = field(default=b"", repr=False)
    """The end of what it wrote."""
    mifs: tuple[bytes, ...] = field(default=(), repr=False)
    """The `*.mif` files it left in its temporary folder, the newest first; 64 kB each and 16 of them at most."""
