"""The components of a site: what each does, what people want of it, and how it stands."""

import re
from dataclasses import dataclass
from enum import StrEnum

from keyturn.model.errors import NotFound


class ComponentName(StrEnum):
    """As SMS 2003 names them; the last is Keyturn's own."""

    SITE_COMPONENT_MANAGER = "SMS_SITE_COMPONENT_MANAGER"
    SITE_CONTROL_MANAGER = "SMS_SITE_CONTROL_MANAGER"
    HIERARCHY_MANAGER = "SMS_HIERARCHY_MANAGER"
    INBOX_MANAGER = "SMS_INBOX_MANAGER"
    CLIENT_CONFIG_MANAGER = "SMS_CLIENT_CONFIG_MANAGER"
    SENDER = "SMS_LAN_SENDER"
    DESPOOLER = "SMS_DESPOOLER"
    STATUS_MANAGER = "SMS_STATUS_MANAGER"
    DISTRIBUTION_MANAGER = "SMS_DISTRIBUTION_MANAGER"
    ACCOUNT_MANAGER = "KEYTURN_ACCOUNT_MANAGER"


WORK: dict[ComponentName, str] = {
    ComponentName.SITE_COMPONENT_MANAGER: "starts the others, watches them, and starts again what failed",
    ComponentName.SITE_CONTROL_MANAGER: "applies the changes of the site control file, in their order",
    ComponentName.HIERARCHY_MANAGER: "tells parent and child sites what they have to know of this one",
    ComponentName.INBOX_MANAGER: "keeps the access points current, and takes in what clients left there",
    ComponentName.CLIENT_CONFIG_MANAGER: "answers agents and serves the access point, and installs clients",
    ComponentName.SENDER: "carries bundles to the next site",
    ComponentName.DESPOOLER: "takes in the bundles that other sites sent",
    ComponentName.STATUS_MANAGER: "keeps the status messages, and forgets the old ones",
    ComponentName.DISTRIBUTION_MANAGER: "brings the content of packages to the distribution points",
    ComponentName.ACCOUNT_MANAGER: "carries out plans: whatever changes an account",
}
"""What each does here."""


class Wanted(StrEnum):
    """What people want of a component. It outlives the process."""

    RUN = "run"
    STOP = "stop"
    PAUSE = "pause"
    """As stopped, but what it has open stays open."""


class State(StrEnum):
    STARTING = "starting"
    RUNNING = "running"
    FAILING = "failing"
    PAUSED = "paused"
    STOPPED = "stopped"

    @property
    def runs(self) -> bool:
        """Whether the component's work gets done; one that starts is about to do it."""
        return self in (State.STARTING, State.RUNNING)


@dataclass(frozen=True, slots=True)
class Order:
    """The last word of a person. A component whose `restarts` rose is begun anew."""

    wanted: Wanted = Wanted.RUN
    restarts: int = 0
    by: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a component stands in one process. `failures` are counted in a row; `heard_at`: when the process said so."""

    component: ComponentName
    state: State
    since: float
    failures: int = 0
    next_start_at: float | None = None
    note: str = ""
    process: str = ""
    heard_at: float = 0


SILENT_S = 60.0
"""A process that has said nothing for so long is taken for dead."""


def together(standings: tuple[Standing, ...], now: float) -> Standing:
    """How a component stands that several processes run: as in the one where it is best. Not for an empty tuple."""
    heard = [_silent(one) if _is_silent(one, now) else one for one in standings]
    return min(heard, key=lambda one: (list(State).index(one.state) if one.state.runs else len(State), one.since))


def _is_silent(one: Standing, now: float) -> bool:
    return one.state is not State.STOPPED and now - one.heard_at >= SILENT_S


def _silent(one: Standing) -> Standing:
    return Standing(
        one.component,
        State.FAILING,
        one.heard_at,
        one.failures,
        note=f"its process {one.process} has not been heard of",
        process=one.process,
        heard_at=one.heard_at,
    )


class Verdict(StrEnum):
    OK = "ok"
    WARNING = "warning"
    """Nothing fails, but something is stopped or paused."""
    CRITICAL = "critical"


def verdict(states: tuple[State, ...]) -> Verdict:
    if State.FAILING in states:
        return Verdict.CRITICAL
    return Verdict.OK if all(state.runs for state in states) else Verdict.WARNING


def component_named(text: str) -> ComponentName:
    """By its name, or its last words: `sender` is SMS_LAN_SENDER, `status-manager` SMS_STATUS_MANAGER."""
    wanted = re.sub(r"[-\s]", "_", text.strip()).upper()
    found = [name for name in ComponentName if name == wanted or name.endswith(f"_{wanted}")]
    if len(found) == 1:
        return found[0]
    raise NotFound(
        f"{text} may be any of {', '.join(found)}" if found else f"no component {text}", hint="keyturn site status"
    )
