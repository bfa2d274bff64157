"""The console method: it works only while every service of the site runs, and stops being possible when one does not.

Seed, "Changing SMS Account Passwords": if services stop before the change is through, only a site reset helps.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from keyturn.lifecycle.catalogue.rules import MethodPart
from keyturn.model.errors import Refused
from keyturn.operations import components, plans
from keyturn.operations.components import Verb
from keyturn.operations.gate import Use
from keyturn.operations.ports import PlanRecord, PlanState
from keyturn.operations.status_messages import Asked
from keyturn.site.components import ComponentName, Standing, State
from keyturn.site.status_messages import MessageId
from tests.estates import HEAD, account
from tests.inner_site import InnerSite, check_in, site_in

SENDER, ACCOUNTS = ComponentName.SENDER, ComponentName.ACCOUNT_MANAGER
SERVICE = HEAD + account("KtSvc", "service") + account("KtClient", "client-connection-additional")
SERVER = "SRV-PHX"
BY_CONSOLE, BY_RESET = ("operating-system", "console"), ("operating-system", "site-reset")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[InnerSite]:
    site = site_in(tmp_path, SERVICE)
    stand(site)
    site.create("KtSvc")
    site.create("KtClient")
    site.enrol(SERVER)
    site.contact(SERVER)
    yield site
    site.close()


def stand(site: InnerSite, **states: State) -> None:
    """As a process of the site would say it: everything runs, but what is said otherwise."""
    said = {SENDER: State.RUNNING, ACCOUNTS: State.RUNNING} | {ComponentName[name]: s for name, s in states.items()}
    now = site.clock.now
    standings = [Standing(name, state, now, process="up", heard_at=now) for name, state in said.items()]
    site.store.stand("up", standings, forget_before=0)


def step(site: InnerSite, plan_id: str) -> PlanRecord:
    plans.advance_plan(site.parts, plan_id, "worker")
    return site.store.plan(plan_id)


def password_version(site: InnerSite) -> int:
    authority = site.parts.authorities("CORP")
    account = authority.find("KtSvc")
    assert account is not None
    return authority.describe(account).pinned.version


@pytest.mark.parametrize("state", [State.STOPPED, State.FAILING, State.PAUSED])
def test_while_a_component_does_not_run_the_plan_goes_by_site_reset_and_says_why(site: InnerSite, state: State) -> None:
    assert plans.propose_rotation(site.parts, "KtSvc", by="olga").plan.via == BY_CONSOLE
    site.store.decide(site.store.plans(only_open=True)[0].plan_id, PlanState.REJECTED, "olga")
    stand(site, SENDER=state)
    plan = plans.propose_rotation(site.parts, "KtSvc", by="olga").plan
    assert plan.via == BY_RESET
    assert any("SMS_LAN_SENDER does not run" in note for note in plan.notes)


def test_the_console_method_is_refused_while_a_component_does_not_run(site: InnerSite) -> None:
    stand(site, SENDER=State.FAILING)
    with pytest.raises(Refused, match="needs every service of site PHX, and SMS_LAN_SENDER does not run") as refused:
        plans.propose_rotation(site.parts, "KtSvc", by="olga", method=MethodPart.CONSOLE)
    assert "site-reset" in refused.value.hint


def test_a_component_that_starts_is_not_missed(site: InnerSite) -> None:
    stand(site, SENDER=State.STARTING)
    assert plans.propose_rotation(site.parts, "KtSvc", by="olga").plan.via == BY_CONSOLE


def test_services_of_another_site_are_not_this_sites(site: InnerSite) -> None:
    stand(site, SENDER=State.STOPPED)
    elsewhere = replace(site.parts, settings=replace(site.parts.settings, site="ATL"))
    assert plans.propose_rotation(elsewhere, "KtSvc", by="olga").plan.via == BY_CONSOLE


def test_a_plan_is_not_approved_when_a_component_stopped_after_it_was_made(site: InnerSite) -> None:
    made = plans.propose_rotation(site.parts, "KtSvc", by="olga")
    stand(site, SENDER=State.STOPPED)
    with pytest.raises(Refused, match="SMS_LAN_SENDER does not run"):
        plans.approve(site.parts, made.plan_id, by="paul")


def test_a_component_that_stops_before_anything_changed_leaves_the_password_alone(site: InnerSite) -> None:
    before = password_version(site)
    plan_id = site.rotate("KtSvc").plan_id
    stand(site, SENDER=State.STOPPED)
    stopped = step(site, plan_id)
    assert stopped.state is PlanState.STOPPED
    assert "SMS_LAN_SENDER does not run" in stopped.note
    assert "site reset" in stopped.hint
    assert password_version(site) == before
    [direction] = check_in(site.parts, SERVER, site.held[SERVER])
    assert isinstance(direction, Use), "and nobody is kept from using it"


def test_a_component_that_stops_before_the_change_is_through_stops_the_plan_with_a_question(site: InnerSite) -> None:
    plan_id = site.rotate("KtSvc").plan_id
    assert step(site, plan_id).state is PlanState.WAITING
    stand(site, SENDER=State.FAILING)
    stopped = step(site, plan_id)
    assert stopped.state is PlanState.STOPPED
    assert stopped.note == (
        "CORP\\KtSvc is changed by the console method, which needs every service of the site until it is through, "
        "and SMS_LAN_SENDER does not run"
    )
    assert stopped.hint.startswith("the site-reset method brings the password in")
    [told] = [m for m in site.store.messages(Asked(), 100) if m.message_id == MessageId.PLAN_STOPPED]
    assert stopped.note in told.text


def test_it_asks_again_until_the_component_runs_and_then_goes_through(site: InnerSite) -> None:
    plan_id = site.rotate("KtSvc").plan_id
    step(site, plan_id)
    stand(site, SENDER=State.STOPPED)
    step(site, plan_id)
    plans.resume(site.parts, plan_id, by="olga")
    assert step(site, plan_id).state is PlanState.STOPPED
    stand(site)
    plans.resume(site.parts, plan_id, by="olga")
    assert site.run(plan_id, machines=[SERVER]).state is PlanState.DONE


def test_a_change_that_is_through_is_not_stopped_any_more(site: InnerSite) -> None:
    plan_id = site.rotate("KtSvc").plan_id
    step(site, plan_id)
    for _ in range(5):
        site.contact(SERVER)
        if site.store.estate().proven(SERVER, site.store.named("CORP\\KtSvc").account) == 2:
            break
        site.clock.turn(1)
    stand(site, SENDER=State.STOPPED)
    assert site.run(plan_id, machines=[SERVER]).state is PlanState.DONE


def test_a_set_that_is_under_way_is_brought_to_an_end_before_the_plan_stops(site: InnerSite) -> None:
    """The password was set, and the process died before it knew."""
    before = password_version(site)
    plan_id = site.rotate("KtSvc").plan_id
    died = replace(site.parts, authorities=lambda realm: Dying(site.parts.authorities(realm), "set_password"))
    with pytest.raises(Died):
        plans.advance_plan(died, plan_id, "worker")
    assert password_version(site) == before + 1
    stand(site, SENDER=State.STOPPED)
    assert step(site, plan_id).state is PlanState.STOPPED
    assert site.store.named("CORP\\KtSvc").generation == 2, "proven and kept, not left undecided"


def test_a_cycle_goes_on_for_the_first_account_goes_on_working(site: InnerSite) -> None:
    plan_id = site.rotate("KtClient").plan_id
    stand(site, SENDER=State.STOPPED)
    assert step(site, plan_id).state is PlanState.WAITING


@pytest.mark.parametrize("verb", [Verb.STOP, Verb.PAUSE])
def test_while_the_account_manager_is_stopped_plans_wait_between_steps_with_the_reason(
    site: InnerSite, verb: Verb
) -> None:
    before = password_version(site)
    plan_id = site.rotate("KtSvc").plan_id
    components.order(site.parts, [ACCOUNTS], verb, by="olga")
    waiting = step(site, plan_id)
    assert waiting.state is PlanState.WAITING
    assert f"olga asked it to {verb}" in waiting.note
    assert password_version(site) == before
    components.order(site.parts, [ACCOUNTS], Verb.START, by="olga")
    assert site.run(plan_id, machines=[SERVER]).state is PlanState.DONE


def test_a_plan_that_nobody_carries_on_shows_why(site: InnerSite) -> None:
    plan_id = site.rotate("KtSvc").plan_id
    stand(site, ACCOUNT_MANAGER=State.FAILING)
    assert "account manager of the site does no step (failing" in plans.shown(site.parts, site.store.plan(plan_id)).note
    stand(site)
    assert plans.shown(site.parts, site.store.plan(plan_id)) == site.store.plan(plan_id)


class Died(Exception):
    pass


class Dying:
    """A realm whose verb does its work, and then the process is gone."""

    def __init__(self, authority: object, verb: str) -> None:
        self._authority = authority
        self._verb = verb

    def __getattr__(self, verb: str) -> object:
        known = getattr(self._authority, verb)
        if verb != self._verb:
            return known

        def last(*given: object, **named: object) -> None:
            known(*given, **named)
            raise Died

        return last
