"""The store is put back from a backup older than the realm: Keyturn knows less than is true and harms nobody."""

from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest

from keyturn.lifecycle.plan import AwaitQuiet
from keyturn.model.accounts import Account
from keyturn.model.errors import Refused
from keyturn.model.logon import Answer
from keyturn.operations import plans
from keyturn.operations.doubts import CHANGED, DISABLED, look_into_doubts
from keyturn.operations.gate import Wait
from keyturn.operations.ports import PlanState
from keyturn.operations.verification import verify
from tests.builtin import Clock
from tests.crash.examined import Examined, Killed, opened
from tests.estates import ADDITIONAL, INSTALLATION, MACHINES
from tests.inner_site import check_in, site_in


@pytest.fixture
def installing(tmp_path: Path) -> Iterator[Examined]:
    it = furnished(tmp_path, INSTALLATION, "KtInstall")
    yield it
    it.close()


@pytest.fixture
def connecting(tmp_path: Path) -> Iterator[Examined]:
    it = furnished(tmp_path, ADDITIONAL, "KtClient")
    yield it
    it.close()


def furnished(folder: Path, estate: str, name: str) -> Examined:
    site_in(folder, estate).close()
    it = Examined(folder, Clock())
    it.site.enrol(*MACHINES)
    it.kept = {machine: {} for machine in MACHINES}
    it.site.create(name)
    come(it, rounds=4)
    return it


def come(it: Examined, *, rounds: int) -> None:
    for _ in range(rounds):
        for machine in MACHINES:
            it.contact(machine)


def carry_out(it: Examined, plan_id: str, *, until: type | None = None) -> PlanState:
    """To its end, or until that kind of step is under way."""
    for _ in range(60):
        plans.advance_plan(it.site.parts, plan_id, "worker")
        record = it.site.store.plan(plan_id)
        doing = next((p.step for n, p in enumerate(record.plan.steps) if _unfinished(record.marks.get(n))), None)
        if record.state not in (PlanState.RUNNING, PlanState.WAITING) or (until and isinstance(doing, until)):
            return record.state
        come(it, rounds=1)
        it.clock.turn(20)
    raise AssertionError(f"{record.state}: {record.note}")


def _unfinished(marked: object) -> bool:
    return marked is None or getattr(marked, "mark", "") != "done"


def rotated_after_a_backup(it: Examined, name: str) -> None:
    backup = it.backup()
    assert carry_out(it, it.site.rotate(name).plan_id) is PlanState.DONE
    come(it, rounds=2)
    it.restore(backup)


def test_a_machine_with_a_newer_password_is_handed_none_by_an_older_store(installing: Examined) -> None:
    rotated_after_a_backup(installing, "KtInstall")
    for machine in MACHINES:
        (direction,) = check_in(installing.site.parts, machine, {"CORP\\KtInstall": 2})
        assert isinstance(direction, Wait)
        assert "was the store restored?" in direction.reason
    come(installing, rounds=3)
    assert installing.site.realm().failed_logons(0) == 0


def test_an_older_store_says_that_the_password_is_another(installing: Examined) -> None:
    rotated_after_a_backup(installing, "KtInstall")
    (found,) = verify(installing.site.parts)
    assert any("the realm's password is another than the sealed one" in fault for fault in found.faults)


def test_an_envelope_that_left_before_opens_the_live_password_that_an_older_store_has_lost(
    installing: Examined,
) -> None:
    backup = installing.backup()
    assert carry_out(installing, installing.site.rotate("KtInstall").plan_id) is PlanState.DONE
    account = known(installing, "KtInstall")
    _, envelope = installing.site.store.envelope(account)
    installing.restore(backup)
    assert not installing.is_current(account)
    assert opened(envelope) == installing.live["KtInstall"]


def test_a_rotation_makes_an_older_store_true_again_without_a_failed_logon(installing: Examined) -> None:
    rotated_after_a_backup(installing, "KtInstall")
    assert carry_out(installing, installing.site.rotate("KtInstall").plan_id) is PlanState.DONE
    account = known(installing, "KtInstall")
    assert installing.is_current(account)
    assert installing.site.realm().describe(account).pinned.version == 3
    assert all(kept["CORP\\KtInstall"][1] == installing.live["KtInstall"] for kept in installing.kept.values())
    assert installing.site.realm().failed_logons(0) == 0


def test_a_plan_of_an_older_store_asks_instead_of_retiring(connecting: Examined) -> None:
    plan_id = connecting.site.rotate("KtClient").plan_id
    carry_out(connecting, plan_id, until=AwaitQuiet)
    backup = connecting.backup()
    successor = known(connecting, "KtClient_2")
    connecting.set_by_somebody_else(successor)
    connecting.restore(backup)
    assert carry_out(connecting, plan_id) is PlanState.STOPPED
    first = connecting.site.realm().find("KtClient")
    assert first
    assert connecting.site.realm().describe(first).enabled


def test_a_candidate_of_an_older_store_is_resolved_before_another_is_made(installing: Examined) -> None:
    plan_id = installing.site.rotate("KtInstall").plan_id
    backup = backup_with_a_candidate(installing, plan_id)
    assert carry_out(installing, plan_id) is PlanState.DONE
    assert carry_out(installing, installing.site.rotate("KtInstall").plan_id) is PlanState.DONE
    installing.restore(backup)
    with pytest.raises(Refused):
        installing.site.rotate("KtInstall")
    assert carry_out(installing, plan_id) is PlanState.STOPPED
    refused = [e for e in installing.site.realm().logons(0) if e.answer is Answer.WRONG_PASSWORD]
    assert len(refused) == 1, "one bad attempt of ours, and nobody else's"
    assert len(installing.ours) == 3


def test_an_account_that_was_retired_after_the_backup_is_not_trusted_again(connecting: Examined) -> None:
    backup = connecting.backup()
    assert carry_out(connecting, connecting.site.rotate("KtClient").plan_id) is PlanState.DONE
    connecting.restore(backup)
    come(connecting, rounds=1)
    look_into_doubts(connecting.site.parts)
    told = [(event.kind, event.detail) for event in connecting.site.store.since() if event.subject == "CORP\\KtClient"]
    assert (CHANGED, DISABLED) in told
    tried = [each for machine in MACHINES for each in connecting.contact(machine)]
    assert tried == [], "the gate is closed"


def backup_with_a_candidate(it: Examined, plan_id: str) -> bytes:
    """Made between sealing and setting: the process is killed there, a moment later each time that was too early."""
    for moments in count(1):
        it.calls_left = moments
        with suppress(Killed):
            plans.advance_plan(it.site.parts, plan_id, "worker")
        if _has_candidate(it):
            break
    assert len(it.ours) == 1, "it was set already"
    it.calls_left = None
    return it.backup()


def _has_candidate(it: Examined) -> bool:
    return any(not kept.live for kept in it.site.store.envelopes(known(it, "KtInstall")))


def known(it: Examined, name: str) -> Account:
    found = it.site.realm().find(name)
    assert found
    return found
