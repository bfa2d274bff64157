"""What a person at the machine sees of its software, from what is kept: nobody is asked and nothing is run."""

from dataclasses import dataclass

from keyturn.agent.client import Client
from keyturn.agent.home import Home
from keyturn.agent.software.afterwards import needs_restart
from keyturn.agent.software.opening import SAM_LDB
from keyturn.agent.software.place import Place
from keyturn.agent.software.policy import Policies
from keyturn.agent.software.records import Remembered, Run
from keyturn.agent.software.requests import Requests
from keyturn.distribution.causes import EXPLANATIONS, Cause
from keyturn.distribution.due import CannotRun, Due, Has, Past, Runs, Waits, due
from keyturn.distribution.run_context import ClientState
from keyturn.model.errors import NotFound, Refused
from keyturn.model.software import Policy


@dataclass(frozen=True, slots=True)
class Row:
    """`state` is waiting, due, cannot-run, or that of the last run. `until` where it waits for a moment."""

    advertisement: str
    package: str
    program: str
    user: str
    state: str
    reason: str = ""
    until: float | None = None
    started_at: float | None = None
    finished_at: float | None = None
    exit_code: int | None = None
    executed_as: str = ""
    login: str = ""
    cause: str = ""
    needs_restart: bool = False
    """It succeeded, and the machine has not started anew since."""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    policy: Policy | None
    rows: tuple[Row, ...]
    untold: int
    """Reports that nobody has taken yet."""


def look(home: Home, client: Client, now: float) -> Look:
    """Who is logged on is as the agent saw it last."""
    place = Place(home)
    remembered = place.remembered() or Remembered(number=0)
    policy = Policies(place, client).current()
    offered = _offered(policy, remembered, now) if policy else ()
    keys = {(row.advertisement, row.package, row.program, row.user) for row in offered}
    gone = tuple(_ran(run) for run in remembered.runs if run.key not in keys)
    return Look(policy, (*offered, *gone), len(remembered.outbox))


def ask_for(home: Home, client: Client, advertisement: str, now: float, *, again: bool) -> None:
    """Have an advertisement run at the next turn. NotFound where it is not offered; Refused where its last run was
    interrupted and nobody says that it may be repeated."""
    found = [row for row in look(home, client, now).rows if row.advertisement == advertisement]
    offered = _ids(Policies(Place(home), client).current())
    if advertisement not in offered:
        raise NotFound(f"{advertisement[:64]} is not offered to {client.name}", hint="keyturn agent software status")
    for row in found:
        if row.state == "interrupted" and not again:
            raise Refused(
                f"{row.program} of {row.package} was interrupted; nobody knows how far it came",
                hint="look at the machine, then keyturn agent software run --again",
            )
    Requests(Place(home).path).put(advertisement, now)


def _ids(policy: Policy | None) -> set[str]:
    return {str(offer.advertisement.advertisement_id) for offer in policy.offers} if policy else set()


def _offered(policy: Policy, remembered: Remembered, now: float) -> tuple[Row, ...]:
    users = tuple(user for user, _ in remembered.present)
    client = ClientState(policy.kind, policy.accounts, users, SAM_LDB.exists(), remembered.token_missing)
    runs = {run.key: run for run in remembered.runs}
    return tuple(_row(one, runs) for one in due(policy, remembered.known, client, now))


def _row(one: Due, runs: dict[tuple[str, str, str, str], Run]) -> Row:
    program = one.offer.program
    key = (str(one.offer.advertisement.advertisement_id), str(program.package), program.name, one.user)
    match one.standing:
        case Has() | Waits(past=Past()) if key in runs:
            return _ran(runs[key])
        case Has(past):
            return Row(*key, past.state, started_at=past.started_at)
        case Waits(reason, until):
            return Row(*key, "waiting", reason, until)
        case CannotRun(unfit):
            return Row(*key, "cannot-run", unfit.reason, remedy=unfit.hint)
        case Runs(context):
            return Row(*key, "due", f"as {context.execute_as}")


def _ran(run: Run) -> Row:
    return Row(
        *run.key,
        run.state,
        run.reason,
        run.again_at,
        run.started_at,
        run.finished_at,
        run.exit_code,
        run.executed_as,
        run.login,
        run.cause,
        needs_restart(run),
        _remedy(run.cause),
    )


def _remedy(cause: str) -> str:
    return EXPLANATIONS[Cause(cause)].remedy if cause in list(Cause) else ""
