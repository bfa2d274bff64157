"""Worker and machines that come again when the store cannot be read or written, as the real ones do."""

from collections.abc import Callable

from keyturn.model.errors import Unavailable
from keyturn.operations import plans
from keyturn.operations.ports import PlanRecord, PlanState
from tests.crash.disk import ROUND_S
from tests.estates import MACHINES
from tests.inner_site import InnerSite

ROUNDS = 2000
THE_STORE = "the store failed: "
Failed = Callable[[str], None]
"""Called after each failure, with what was said."""


def run(site: InnerSite, plan_id: str, failed: Failed) -> PlanRecord:
    """Until the plan has ended or asks a person."""
    for _ in range(ROUNDS):
        record = _read(site, plan_id, failed)
        if record.state not in (PlanState.RUNNING, PlanState.WAITING):
            return record
        if _insist(lambda: plans.advance_plan(site.parts, plan_id, "worker"), failed):
            note = _read(site, plan_id, failed).note
            if note.startswith(THE_STORE):
                failed(note)
        for name in MACHINES:
            _insist(lambda name=name: site.contact(name), failed)  # type: ignore[misc]
        site.clock.turn(ROUND_S)
    raise AssertionError(f"still {record.state}: {record.note}")


def _read(site: InnerSite, plan_id: str, failed: Failed) -> PlanRecord:
    while True:
        try:
            return site.store.plan(plan_id)
        except Unavailable as error:
            failed(error.message)


def _insist(act: Callable[[], object], failed: Failed) -> bool:
    """False if it failed."""
    error = _error_of(act)
    if error is None:
        return True
    assert error.message.startswith(THE_STORE)
    assert error.hint, "no way out is said"
    failed(error.message)
    return False


def _error_of(act: Callable[[], object]) -> Unavailable | None:
    try:
        act()
    except Unavailable as error:
        return error
    return None
