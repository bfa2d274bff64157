"""Contacts one after the other, spread in time, each with the folder to itself."""

import contextlib
import threading
from collections.abc import Callable

import msgspec

from keyturn.agent.client import Client
from keyturn.agent.contact import reinstall
from keyturn.agent.home import Home
from keyturn.agent.letters import write_letters
from keyturn.agent.ports import AgentParts
from keyturn.agent.report import Report
from keyturn.agent.status import Status, read_status, status_after

SHORTEST_S = 0.2
SPREAD = 0.2
"""Intervals vary by this part of themselves, evenly around their length."""


def run(
    turn: Callable[[], tuple[Report, Status]],
    parts: AgentParts,
    *,
    interval_s: float | None,
    contact_s: float,
    stop: threading.Event,
    tell: Callable[[Report, Status], None],
) -> None:
    """Until `stop` is set. `interval_s` is the operator's, before the site's own `contact_s`."""
    while not stop.is_set():
        report, status = turn()
        tell(report, status)
        contact_s = report.contact_s or contact_s
        parts.wait(stop, pause_s(interval_s or contact_s, report.retry_s, parts.random()))


def pause_s(interval_s: float, retry_s: float | None, random: float) -> float:
    """Until the next contact: about an interval, or less where the site asked to be asked again sooner."""
    spread = interval_s * (1 - SPREAD / 2 + SPREAD * random)
    return max(SHORTEST_S, spread if retry_s is None else min(spread, retry_s))


Besides = Callable[[Client, Report], None]
"""What else is done in a contact, once its logons are over. It raises nothing."""


def nothing(_: Client, __: Report) -> None:
    pass


def take_turn(
    home: Home,
    client: Client,
    act: Callable[[Client], Report],
    parts: AgentParts,
    *,
    gated: bool | None = None,
    besides: Besides = nothing,
) -> tuple[Report, Status]:
    """One contact, alone in the folder, and its status for others to read. A full disk is a failed contact.
    `gated` None: as it was last time."""
    with home.lock():
        client.credentials.refresh()
        try:
            report = act(client)
            write_letters(client, report, parts.now())
            besides(client, report)
        except OSError as error:
            report = Report(failure=f"cannot keep what is known: {error.strerror}")
        before = read_status(home.status())
        if gated is None:
            gated = before is None or before.gated
        status = status_after(report, client, before, gated=gated, at=parts.now())
        with contextlib.suppress(OSError):
            home.show_status(msgspec.json.encode(status))
    return report, status


def found_no_way_in(home: Home, client: Client) -> bool:
    """Whether the last contact that got an answer failed for want of a valid credential."""
    with home.lock():
        client.credentials.refresh()
    return client.credentials.orphaned


def put_right(home: Home, client: Client, parts: AgentParts) -> tuple[Report, Status]:
    """Reinstall, also where the state file is damaged."""
    with home.lock():
        client.credentials.start_over()
    return take_turn(home, client, reinstall, parts)
