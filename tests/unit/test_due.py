"""What runs on a client now, what waits, and for what."""

from dataclasses import replace

import pytest

from keyturn.distribution.due import CannotRun, Due, Has, Known, Past, Runs, Standing, Waits, due
from keyturn.distribution.reports import AdvertisementState
from keyturn.distribution.run_context import ClientState, LocalSystem, LoggedOnUser
from keyturn.model.software import At, ClientAccounts, ClientKind, Event, LoggedOn, Offer, Policy, Rerun, Rights
from tests.policies import NOW, offer, policy

NOTHING = Known()
MACHINE = ClientState(ClientKind.ADVANCED)
SUCCEEDED, FAILED, INTERRUPTED, RUNNING = (
    AdvertisementState.SUCCEEDED, AdvertisementState.FAILED, AdvertisementState.INTERRUPTED, AdvertisementState.RUNNING,
)  # fmt: skip
HOUR, DAY = 3600.0, 86400.0


def ran(one: Offer, at: float, state: AdvertisementState = SUCCEEDED, *, user: str = "", again_at: float | None = None):
    return Past(one.advertisement.advertisement_id, one.program.ref, user, at, state, again_at)


def all_of(asked: Policy, known: Known = NOTHING, client: ClientState = MACHINE, now: float = NOW) -> list[Due]:
    return list(due(asked, known, client, now))


def standing(one: Offer, *past: Past, client: ClientState = MACHINE, now: float = NOW, **known: object) -> Standing:
    [found] = all_of(policy(one), Known(past, **known), client, now)  # type: ignore[arg-type]
    return found.standing


def test_what_is_mandatory_as_soon_as_possible_runs_once():
    one = offer()
    assert isinstance(standing(one), Runs)
    assert isinstance(standing(one, ran(one, NOW - HOUR)), Has)


@pytest.mark.parametrize("now", [NOW, NOW + 1, NOW + 30 * DAY])
def test_what_came_round_while_the_machine_was_off_runs_once_when_it_is_on_again(now):
    daily = offer(assignments=(At(NOW - 10 * DAY, DAY),), rerun=Rerun.ALWAYS)
    assert isinstance(standing(daily, now=now), Runs)
    assert isinstance(standing(daily, ran(daily, now), now=now), Has)


@pytest.mark.parametrize(
    ("rerun", "state", "runs"),
    [
        (Rerun.NEVER, SUCCEEDED, False),
        (Rerun.NEVER, FAILED, False),
        (Rerun.NEVER, INTERRUPTED, False),
        (Rerun.ALWAYS, SUCCEEDED, True),
        (Rerun.ALWAYS, FAILED, True),
        (Rerun.ALWAYS, INTERRUPTED, True),
        (Rerun.IF_FAILED, SUCCEEDED, False),
        (Rerun.IF_FAILED, FAILED, True),
        (Rerun.IF_FAILED, INTERRUPTED, False),
        (Rerun.IF_SUCCEEDED, SUCCEEDED, True),
        (Rerun.IF_SUCCEEDED, FAILED, False),
        (Rerun.IF_SUCCEEDED, INTERRUPTED, False),
        (Rerun.ALWAYS, RUNNING, False),
    ],
)
def test_whether_an_assignment_that_comes_round_again_runs_it_again(rerun, state, runs):
    daily = offer(assignments=(At(NOW - 10 * DAY, DAY),), rerun=rerun)
    assert isinstance(standing(daily, ran(daily, NOW - DAY - 1, state)), Runs) is runs
    assert isinstance(standing(daily, ran(daily, NOW, state), now=NOW + DAY - 1), Has), "before its next time"


@pytest.mark.parametrize("rerun", list(Rerun))
def test_what_was_interrupted_is_not_repeated_by_itself(rerun):
    one = offer(rerun=rerun)
    assert isinstance(standing(one, ran(one, NOW, INTERRUPTED), now=NOW + 30 * DAY), Has)


def test_a_person_may_have_anything_run_again():
    one = offer()
    requests = ((one.advertisement.advertisement_id, NOW + 1),)
    for state in (SUCCEEDED, FAILED, INTERRUPTED):
        assert isinstance(standing(one, ran(one, NOW, state), requests=requests, now=NOW + 2), Runs)
        assert isinstance(standing(one, ran(one, NOW + 2, state), requests=requests, now=NOW + 3), Has), "once"


def test_an_optional_program_waits_for_a_person():
    one = offer(assignments=())
    assert standing(one) == Waits("it is optional; nobody has asked for it")
    assert isinstance(standing(one, requests=((one.advertisement.advertisement_id, NOW - 1),)), Runs)


@pytest.mark.parametrize(
    ("one", "waits"),
    [
        (offer(available_at=NOW + 5), Waits("it is not available yet", NOW + 5)),
        (offer(expires_at=NOW), Waits("the advertisement has expired")),
        (offer(assignments=(At(NOW + 9), At(NOW + 7))), Waits("it is not its time yet", NOW + 7)),
        (offer(assignments=(Event.LOGON,)), Waits("it waits for a user to log on")),
        (offer(assignments=(Event.LOGOFF,)), Waits("it waits for a user to log off")),
        (offer(every_user=True, rights=Rights.USER), Waits("it waits for a user to log on")),
        (offer(rights=Rights.USER), Waits("it waits for a user to log on")),
    ],
)
def test_what_a_program_waits_for(one, waits):
    assert standing(one) == waits


def test_nothing_starts_after_the_policy_has_expired():
    [found] = all_of(policy(offer(), expires_at=NOW))
    assert found.standing == Waits("the policy has expired, by this machine's clock; it waits for a new one")


def test_what_ran_is_told_even_where_its_advertisement_has_expired():
    one = offer(expires_at=NOW - 1)
    assert isinstance(standing(one, ran(one, NOW - HOUR, FAILED, again_at=NOW - 2)), Has)


def test_a_logon_counts_once():
    one = offer(assignments=(Event.LOGON,), rerun=Rerun.ALWAYS, rights=Rights.USER)
    mary = ClientState(ClientKind.ADVANCED, users=("mary",))
    logons = (("mary", NOW - 5),)
    assert isinstance(standing(one, client=mary, logons=logons), Runs)
    assert isinstance(standing(one, ran(one, NOW - 4), client=mary, logons=logons), Has)
    assert isinstance(standing(one, ran(one, NOW - 6), client=mary, logons=logons), Runs)


def test_a_logon_before_the_program_was_available_does_not_count():
    one = offer(assignments=(Event.LOGON,), available_at=NOW - 1)
    assert isinstance(standing(one, logons=(("mary", NOW - 2),)), Waits)


def test_a_logoff_runs_it_when_the_user_has_gone():
    one = offer(assignments=(Event.LOGOFF,), logged_on=LoggedOn.NO_USER)
    assert isinstance(standing(one, logoffs=(("mary", NOW - 1),)), Runs)


def test_once_for_every_user_is_once_for_each():
    one = offer(every_user=True, rights=Rights.USER)
    both = ClientState(ClientKind.ADVANCED, users=("mary", "paul"))
    found = all_of(policy(one), Known((ran(one, NOW - 5, user="mary"),)), both)
    assert [(each.user, type(each.standing)) for each in found] == [("mary", Has), ("paul", Runs)]
    assert found[1].standing.context.execute_as == LoggedOnUser("paul")


def test_a_program_that_asked_to_be_tried_again_waits_and_runs():
    one = offer()
    again = ran(one, NOW - 600, FAILED, again_at=NOW)
    assert standing(one, again, now=NOW - 1) == Waits("it is tried again", NOW, again)
    assert isinstance(standing(one, again), Runs)


FIRST = offer(1, name="runtime", package="PHX00009")
MAIN = offer(1, first=(FIRST,))


def chain(*past: Past, **known: object) -> list[tuple[str, type]]:
    found = all_of(policy(MAIN), Known(past, **known))  # type: ignore[arg-type]
    return [(one.offer.program.name, type(one.standing)) for one in found]


def test_a_program_that_is_to_run_before_runs_first():
    assert chain() == [("runtime", Runs), ("install", Waits)]
    assert chain(ran(FIRST, NOW - 5, RUNNING)) == [("runtime", Has), ("install", Waits)]
    assert chain(ran(FIRST, NOW - 5)) == [("install", Runs)]


def test_it_runs_first_only_before_the_first_run():
    assert chain(ran(MAIN, NOW - 9, FAILED, again_at=NOW - 1)) == [("install", Runs)]


def test_it_may_have_succeeded_for_another_advertisement():
    elsewhere = replace(ran(FIRST, NOW - 5), advertisement="PHX20077")
    assert chain(elsewhere) == [("install", Runs)]
    assert chain(replace(elsewhere, state=FAILED)) == [("runtime", Runs), ("install", Waits)]


@pytest.mark.parametrize("state", [FAILED, INTERRUPTED])
def test_nothing_runs_after_a_first_program_that_failed(state):
    assert chain(ran(FIRST, NOW - 5, state)) == [("runtime", Has), ("install", CannotRun)]
    again = (MAIN.advertisement.advertisement_id, NOW - 1)
    assert chain(ran(FIRST, NOW - 5, state), requests=(again,)) == [("runtime", Runs), ("install", Waits)]


def test_a_first_program_is_tried_again_before_the_other_is_given_up():
    assert chain(ran(FIRST, NOW - 5, FAILED, again_at=NOW + 5)) == [("runtime", Waits), ("install", Waits)]
    assert chain(ran(FIRST, NOW - 5, FAILED, again_at=NOW)) == [("runtime", Runs), ("install", Waits)]


def test_a_legacy_client_without_the_software_installation_account_cannot_run_what_asks_for_it():
    one = offer(software_installation_account=True)
    found = standing(one, client=ClientState(ClientKind.LEGACY, ClientAccounts()))
    assert isinstance(found, CannotRun)
    assert found.unfit.reason == "the site has no Software Installation account"


def test_an_administrative_program_runs_as_local_system_once_for_every_user():
    one = offer(every_user=True)
    mary = ClientState(ClientKind.ADVANCED, users=("mary",))
    found = standing(one, client=mary)
    assert isinstance(found, Runs)
    assert found.context.execute_as == LocalSystem()
