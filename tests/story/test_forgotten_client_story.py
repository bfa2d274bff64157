"""A machine that is gone for good: the site forgets its keys, and what it may still hold is not forgotten. Real agents
ask a real site over its routes."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from keyturn.adapters.store.store import SqlStore
from keyturn.lifecycle.catalogue.products import role_names
from keyturn.lifecycle.ports import AccountState
from keyturn.lockout.budget import Attempt
from keyturn.model.accounts import Account
from keyturn.model.errors import NotFound, Refused
from keyturn.model.logon import Answer
from keyturn.operations import clients, plans
from keyturn.operations.client_push import push_due
from keyturn.operations.estates import import_estate
from keyturn.operations.forgetting import forget, look_up
from keyturn.operations.ports import PlanRecord, PlanState
from keyturn.operations.push_records import PushRequest, PushState, Work
from keyturn.operations.recovery import issue
from keyturn.wire.estate_file.reading import read_estate
from tests.estates import ADDITIONAL
from tests.inner_site import InnerSite, site_in
from tests.share_fleet import Machine, fleet_of

KEPT, GONE = ("PC-0001", "PC-0002"), "PC-0003"
ACCOUNT = "CORP\\KtClient"


def site_with_account(folder: Path) -> InnerSite:
    site = site_in(folder, ADDITIONAL)
    site.create("KtClient")
    return site


def anew(machine: Machine) -> Machine:
    """The agent of the same folder after it was started again."""
    return Machine(machine.site, machine.routes, machine.folder, machine.gated)


def rounds(record: PlanRecord, machines: Sequence[Machine], count: int = 60) -> PlanRecord:
    """The worker and the machines take turns."""
    site = machines[0].site
    for _ in range(count):
        record = site.run(record.plan_id, rounds=1)
        if not record.state.open:
            break
        for machine in machines:
            machine.contact()
    return record


def presented(site: InnerSite) -> tuple[AccountState, tuple[Attempt, ...]]:
    """All that is known of logons: in the realm, and in the ledger of the site's own."""
    account = found(site)
    return site.realm().describe(account), tuple(site.store.recent(account, 0))


def found(site: InnerSite) -> Account:
    account = site.realm().find("KtClient")
    assert account
    return account


@pytest.mark.parametrize("gated", [True, False])
def test_a_forgotten_machine_is_refused_before_any_logon(tmp_path: Path, gated: bool) -> None:
    site = site_with_account(tmp_path)
    (machine,) = fleet_of(site, tmp_path, [GONE], gated=gated)
    site.clock.turn(60)
    before = presented(site)
    forget(site.parts, [GONE.lower()], by="olga")
    assert machine.contact().answer is None
    assert presented(site) == before
    assert site.store.told("client-forgotten", GONE)


def test_a_forgotten_machine_is_told_to_enrol_anew(tmp_path: Path) -> None:
    site = site_with_account(tmp_path)
    (machine,) = fleet_of(site, tmp_path, [GONE], gated=True)
    forget(site.parts, [GONE], by="olga")
    status = machine.contact()
    assert (status.note, status.hint) == (
        "the site does not accept this agent",
        "keyturn agent enrol, with a new token",
    )


def test_what_a_forgotten_machine_may_hold_stays_known(tmp_path: Path) -> None:
    site = site_with_account(tmp_path)
    fleet_of(site, tmp_path, [GONE], gated=True)
    before = site.store.estate().holdings
    assert [(holding.holder, str(holding.account), holding.generation) for holding in before] == [(GONE, ACCOUNT, 1)]
    [known] = forget(site.parts, [GONE], by="olga")
    assert [(str(offer.account), offer.proven) for offer in known.may_hold] == [(ACCOUNT, 1)]
    assert site.store.estate().holdings == before


def test_a_plan_waits_on_for_a_forgotten_machine_until_it_is_released(tmp_path: Path) -> None:
    site = site_with_account(tmp_path)
    *kept, _ = fleet_of(site, tmp_path, [*KEPT, GONE], gated=True)
    record = rounds(site.rotate("KtClient"), kept)
    assert (record.state, record.missing) == (PlanState.WAITING, (GONE,))
    [known] = look_up(site.parts, [GONE])
    assert [plan.plan_id for plan in known.plans] == [record.plan_id]
    assert [plan.plans for plan in look_up(site.parts, KEPT)] == [(), ()], "they have proven it"
    forget(site.parts, [GONE], by="olga")
    record = rounds(record, kept)
    assert (record.state, record.missing) == (PlanState.WAITING, (GONE,))
    assert site.realm().describe(found(site)).enabled
    plans.release(site.parts, record.plan_id, [GONE], by="paul")
    clients.invite(site.parts, GONE, by="olga")
    assert look_up(site.parts, [GONE])[0].plans == ()
    assert rounds(record, kept).state is PlanState.DONE


def test_a_plan_that_is_to_wait_for_a_machine_is_named_before_it_does(tmp_path: Path) -> None:
    site = site_with_account(tmp_path)
    fleet_of(site, tmp_path, [GONE], gated=True)
    record = plans.propose_rotation(site.parts, "KtClient", by="olga")
    [known] = look_up(site.parts, [GONE])
    assert [plan.plan_id for plan in known.plans] == [record.plan_id]
    plans.reject(site.parts, record.plan_id, by="paul")
    [known] = look_up(site.parts, [GONE])
    assert known.plans == ()


def test_a_machine_that_enrols_anew_under_the_same_name_brings_its_plan_to_the_end(tmp_path: Path) -> None:
    site = site_with_account(tmp_path)
    *kept, gone = fleet_of(site, tmp_path, [*KEPT, GONE], gated=True)
    record = rounds(site.rotate("KtClient"), kept)
    forget(site.parts, [GONE], by="olga")
    old_key = gone.client.link.vouch(b"x")
    gone.enrol()
    back = anew(gone)
    assert back.client.link.vouch(b"x") != old_key
    assert rounds(record, [*kept, back]).state is PlanState.DONE
    assert back.contact().answer is Answer.ACCEPTED
    assert site.realm().failed_logons(0) == 0


def test_the_refusal_of_a_forgotten_machine_can_still_be_looked_into(tmp_path: Path) -> None:
    site = site_with_account(tmp_path)
    fleet_of(site, tmp_path, [GONE], gated=True)
    clients.report(site.parts, GONE, ACCOUNT, 1, Answer.WRONG_PASSWORD)
    forget(site.parts, [GONE], by="olga")
    assert site.store.offers(GONE)[0].refused == 1
    clients.readmit(site.parts, GONE, by="olga")
    assert site.store.offers(GONE)[0].refused is None
    with pytest.raises(NotFound, match="PC-0009 was never offered a credential"):
        clients.readmit(site.parts, "PC-0009", by="olga")


def test_an_invitation_that_was_not_used_is_worth_nothing_afterwards(tmp_path: Path) -> None:
    site = site_with_account(tmp_path)
    token = clients.invite(site.parts, GONE, by="olga")
    [known] = forget(site.parts, [GONE], by="olga")
    assert (known.invited, known.client) == (True, None)
    with pytest.raises(Refused, match="the invitation is not valid"):
        clients.enrol(site.parts, token, GONE, b"\x01" * 32, "age1")
    with pytest.raises(NotFound, match="no client PC-0003 is enrolled, invited or asked for"):
        forget(site.parts, [GONE], by="olga")


@pytest.mark.parametrize("work", Work)
def test_what_was_asked_of_it_ends_and_does_not_touch_the_machine_that_comes_after_it(
    tmp_path: Path, work: Work
) -> None:
    site = site_with_account(tmp_path)
    (gone,) = fleet_of(site, tmp_path, [GONE], gated=True)
    asked(site.store, work)
    [known] = forget(site.parts, [GONE], by="olga")
    assert known.request
    assert known.request.work is work
    request = site.store.push_request(GONE)
    assert (request.state, request.note) == (PushState.WITHDRAWN, "withdrawn by olga")
    assert site.store.told(f"client-{work}-withdrawn", GONE)
    gone.enrol()
    parts = replace(site.parts, pusher=NobodyPushes())
    site.clock.turn(3600)
    push_due(parts)
    assert site.store.client(GONE)


class NobodyPushes:
    def __getattr__(self, verb: str) -> object:
        raise AssertionError(f"{verb}: the request has ended")


def asked(store: SqlStore, work: Work) -> None:
    store.request_push(PushRequest(GONE, work, "pc3.example", None, (), "olga", asked_at=0, next_at=0))


def test_nothing_is_forgotten_where_one_of_the_names_is_nobodys(tmp_path: Path) -> None:
    site = site_with_account(tmp_path)
    fleet_of(site, tmp_path, [GONE], gated=True)
    with pytest.raises(NotFound, match="PC-0009"):
        forget(site.parts, [GONE, "PC-0009"], by="olga")
    assert site.store.client(GONE)
    assert not site.store.told("client-forgotten", GONE)


def test_a_logon_key_that_would_bring_it_back_is_named(tmp_path: Path) -> None:
    site = site_with_account(tmp_path)
    fleet_of(site, tmp_path, [GONE], gated=True)
    issue(site.parts, "branch", lasts_s=60, by="olga")
    [known] = look_up(site.parts, [GONE])
    assert known.logon_keys == ("branch",)
    site.clock.turn(60)
    [known] = look_up(site.parts, [GONE])
    assert known.logon_keys == ()


def test_a_machine_that_the_estate_has_no_longer_can_be_forgotten_and_is_brought_back_by_no_key(tmp_path: Path) -> None:
    site = site_with_account(tmp_path)
    fleet_of(site, tmp_path, [GONE], gated=True)
    issue(site.parts, "branch", lasts_s=60, by="olga")
    without = ADDITIONAL.replace("count = 3", "count = 2")
    import_estate(site.parts, without, read_estate(without, roles=role_names()), by="olga")
    [known] = forget(site.parts, [GONE.lower()], by="olga")
    assert (known.name, known.in_estate, known.logon_keys) == (GONE, False, ())
    with pytest.raises(NotFound):
        site.store.client(GONE)
