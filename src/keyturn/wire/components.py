"""The shapes of the API for people about components and their status messages. Moments are seconds since the epoch."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class StatusMessageShape:
    """`machine` is empty for the site server."""

    number: int
    at: float
    site: str
    machine: str
    component: str
    id: int
    severity: str
    text: str


@dataclass(frozen=True, slots=True)
class ComponentShape:
    """`failures` are counted in a row. `wanted` is `run`, `stop` or `pause`. Several processes: as in the best one."""

    name: str
    work: str
    state: str
    wanted: str
    since: float
    failures: int
    next_start_at: float | None
    note: str
    process: str
    last_message: StatusMessageShape | None


@dataclass(frozen=True, slots=True)
class SiteStatusShape:
    """`verdict` is `ok`, `warning` (something is stopped or paused) or `critical` (something fails). `left_out` are
    access points that a site reset went on without."""

    site: str
    verdict: str
    components: list[ComponentShape]
    left_out: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class OrderedShape:
    names: list[str]
