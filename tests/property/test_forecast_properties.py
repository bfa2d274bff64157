"""The forecast against the plainest telling of the same rules, and what must hold for every fleet."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyturn.lockout.attempts import PARTS, Attempts, Presenting
from keyturn.lockout.changes import Change, Contact, Forecast, PasswordSet, Published, Retired
from keyturn.lockout.comings import comings_of
from keyturn.lockout.eras import Reply
from keyturn.lockout.forecast import predict
from keyturn.lockout.rhythm import CROWD, rhythm_of
from keyturn.lockout.roster import roster_of
from keyturn.lockout.turns import Streams
from keyturn.model.estate import Absence, Habit
from keyturn.model.logon import LogonProtocol
from keyturn.model.policy import RealmPolicy
from tests.property.oracle_forecast import foretell

INFINITE = float("inf")

# Few distinct moments, so that many things fall on the same one.
moments = st.integers(0, 60).map(float) | st.integers(0, 600).map(lambda tenths: tenths / 10)
spans = st.sampled_from((0.7, 1.0, 2.0, 3.0, 5.0, 7.5, 20.0, 100.0))
ages = st.sampled_from((0, 0, 0, 0, 1, 2, 3, 7, None))
absences = st.builds(
    lambda start, length: Absence(start, start + length),
    st.integers(-5, 50).map(float),
    st.sampled_from((0.0, 0.5, 3.0, 10.0, 30.0, INFINITE)),
)
habits = st.builds(
    Habit,
    interval_s=spans,
    phase_s=st.none() | moments,
    absences=st.lists(absences, max_size=3).map(tuple),
    logon_script_s=st.none() | spans,
)
changes = st.lists(
    st.builds(PasswordSet, moments)
    | st.builds(Published, moments, st.booleans())
    | st.builds(Published, moments)
    | st.builds(Retired, moments),
    max_size=5,
)
policies = st.builds(
    RealmPolicy,
    lockout_threshold=st.integers(0, 6),
    lockout_window_s=st.sampled_from((0.0, 1.0, 4.0, 30.0)),
    lockout_duration_s=st.sampled_from((0.0, 0.5, 3.0, 20.0)),
    history=st.sampled_from((0, 1, 2, 3, 24)),
    grace_s=st.sampled_from((0.0, 2.0, 15.0, 3600.0)),
)


@st.composite
def circumstances(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "replica_lag_s": draw(st.lists(st.sampled_from((0.0, 1.0, 8.0, INFINITE)), min_size=1, max_size=3)),
        "lock_lag_s": draw(st.sampled_from((0.0, 1.0, 6.0))),
        "changed_ago_s": draw(st.none() | st.sampled_from((0.0, 1.0, 5.0, 3590.0))),
        "horizon_s": draw(st.sampled_from((0.0, 10.0, 60.0))),
    }


def contacts(replicas: int = 1, behind: st.SearchStrategy[int | None] = ages) -> st.SearchStrategy[Contact]:
    return st.builds(
        Contact,
        name=st.just("client"),
        habit=habits,
        protocol=st.sampled_from(LogonProtocol),
        gated=st.booleans(),
        behind=behind,
        replica=st.integers(0, replicas - 1),
    )


def fleets(kind: st.SearchStrategy[Contact], size: int = 8) -> st.SearchStrategy[list[Contact]]:
    return st.lists(kind, max_size=size).map(named)


@st.composite
def crowds(draw: st.DrawFn, replicas: int) -> list[Contact]:
    """A few kinds of clients, many of each and all of one rhythm, so that they are kept as crowds."""
    kinds = draw(st.lists(st.tuples(contacts(replicas), st.integers(1, 4 * CROWD)), min_size=1, max_size=4))
    interval_s = draw(st.sampled_from((1.0, 3.0, 5.0)))
    fleet = [kind for kind, count in kinds for _ in range(count)]
    phases = draw(st.lists(st.none() | moments.map(lambda at: at % interval_s), min_size=1, max_size=9))
    return named(
        [
            replace(contact, habit=replace(contact.habit, interval_s=interval_s, phase_s=phases[number % len(phases)]))
            for number, contact in enumerate(draw(st.permutations(fleet)))
        ]
    )


def named(kinds: list[Contact]) -> list[Contact]:
    return [replace(contact, name=f"client-{number:03}") for number, contact in enumerate(kinds)]


def told(forecast: Forecast) -> Forecast:
    return replace(forecast, moments=())


def lockout(forecast: Forecast) -> float:
    return INFINITE if forecast.first_lockout_s is None else forecast.first_lockout_s


@settings(max_examples=300, deadline=None)
@given(data=st.data(), changes=changes, policy=policies, how=circumstances())
def test_the_forecast_is_what_the_truth_table_says_contact_by_contact(
    data: st.DataObject, changes: list[Change], policy: RealmPolicy, how: dict[str, Any]
) -> None:
    fleet = data.draw(fleets(contacts(len(how["replica_lag_s"]))))
    assert told(predict(fleet, changes, policy, **how)) == foretell(fleet, changes, policy, **how)


@settings(max_examples=100, deadline=None)
@given(data=st.data(), changes=changes, policy=policies, how=circumstances())
def test_crowds_are_told_as_if_one_by_one(
    data: st.DataObject, changes: list[Change], policy: RealmPolicy, how: dict[str, Any]
) -> None:
    fleet = data.draw(crowds(len(how["replica_lag_s"])))
    assert told(predict(fleet, changes, policy, **how)) == foretell(fleet, changes, policy, **how)


@pytest.mark.long
@pytest.mark.timeout(900)
@settings(max_examples=5000, deadline=None)
@given(data=st.data(), changes=changes, policy=policies, how=circumstances())
def test_the_forecast_is_what_the_truth_table_says_in_thousands_of_fleets(
    data: st.DataObject, changes: list[Change], policy: RealmPolicy, how: dict[str, Any]
) -> None:
    replicas = len(how["replica_lag_s"])
    fleet = data.draw(fleets(contacts(replicas)) | crowds(replicas))
    assert told(predict(fleet, changes, policy, **how)) == foretell(fleet, changes, policy, **how)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), changes=changes, policy=policies, how=circumstances())
def test_the_order_of_contacts_and_changes_means_nothing(
    data: st.DataObject, changes: list[Change], policy: RealmPolicy, how: dict[str, Any]
) -> None:
    fleet = data.draw(fleets(contacts(len(how["replica_lag_s"]))))
    shuffled = data.draw(st.permutations(fleet)), data.draw(st.permutations(changes))
    assert predict(*shuffled, policy, **how) == predict(fleet, changes, policy, **how)


@settings(max_examples=100, deadline=None)
@given(
    fleet=fleets(contacts(behind=st.just(0))),
    published=st.tuples(moments, moments).map(sorted),
    retired_after=moments,
    policy=policies,
    how=circumstances(),
)
def test_a_longer_overlap_never_orphans_more_while_every_password_is_right(
    fleet: list[Contact], published: list[float], retired_after: float, policy: RealmPolicy, how: dict[str, Any]
) -> None:
    early, late = published
    retired = Retired(late + retired_after)
    long = predict(fleet, (Published(early, second_account=True), retired), policy, **how)
    short = predict(fleet, (Published(late, second_account=True), retired), policy, **how)
    assert set(long.orphaned) <= set(short.orphaned)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), changes=changes, policy=policies, how=circumstances())
def test_a_fleet_of_gated_holders_never_locks(
    data: st.DataObject, changes: list[Change], policy: RealmPolicy, how: dict[str, Any]
) -> None:
    fleet = data.draw(fleets(contacts(len(how["replica_lag_s"]))))
    gated = [replace(contact, gated=True) for contact in fleet]
    assert predict(gated, changes, policy, **how).first_lockout_s is None


@settings(max_examples=150, deadline=None)
@given(data=st.data(), changes=changes, policy=policies, how=circumstances())
def test_a_gate_before_a_forgotten_password_never_brings_a_lockout_forward(
    data: st.DataObject, changes: list[Change], policy: RealmPolicy, how: dict[str, Any]
) -> None:
    fleet = data.draw(fleets(contacts(len(how["replica_lag_s"]))))
    fleet = [replace(c, habit=replace(c.habit, logon_script_s=None)) if c.behind is None else c for c in fleet]
    gated = [replace(c, gated=c.gated or (c.behind is None and data.draw(st.booleans()))) for c in fleet]
    assert lockout(predict(gated, changes, policy, **how)) >= lockout(predict(fleet, changes, policy, **how))


@settings(max_examples=60, deadline=None)
@given(data=st.data(), changes=changes, policy=policies, how=circumstances())
def test_a_longer_horizon_does_not_change_the_first_lockout(
    data: st.DataObject, changes: list[Change], policy: RealmPolicy, how: dict[str, Any]
) -> None:
    fleet = data.draw(fleets(contacts(len(how["replica_lag_s"]))))
    fleet = [replace(c, habit=replace(c.habit, phase_s=c.habit.phase_s or 0)) for c in fleet]
    near = predict(fleet, changes, policy, **how)
    far = predict(fleet, changes, policy, **(how | {"horizon_s": how["horizon_s"] + 30}))
    assert near.first_lockout_s == (far.first_lockout_s if lockout(far) <= how["horizon_s"] else None)


@settings(max_examples=100, deadline=None)
@given(data=st.data(), batches=st.lists(st.integers(1, 2 * CROWD), min_size=1, max_size=2 * PARTS))
def test_attempts_taken_in_one_after_the_other_are_found_as_if_all_were_listed(
    data: st.DataObject, batches: list[int]
) -> None:
    end = 400
    away = data.draw(st.lists(absences, min_size=1, max_size=4))
    habits_of = [Habit(3, number % 3, absences=(away[number % len(away)],)) for number in range(sum(batches))]
    fleet = roster_of(Contact(f"{n:04}", h, LogonProtocol.NTLM, False) for n, h in enumerate(habits_of))
    comings = comings_of(fleet, end * 1000)
    holders, until = comings.holders, comings.end
    attempts = Attempts(comings, np.zeros(holders, dtype=np.int64), 0, until)
    here, listed, before = 0, np.zeros(0, dtype=np.int64), 0
    for number, size in enumerate(batches):
        at = number * 7000 * holders
        window = np.sort(np.concatenate([listed[:0], *attempts.bad(0, before, at)]))
        assert window.tolist() == listed[(listed >= before) & (listed < at)].tolist()
        attempts.renew(at)
        who = np.arange(here, here + size)
        batch = Presenting(who, np.full(size, at), np.full(size, until), np.full(size, Reply.COUNTED, dtype=np.int8))
        attempts.add(batch, at)
        listed = np.sort(np.concatenate([listed, comings.between(batch.who, batch.since, batch.until).listed()]))
        here, before = here + size, at
    rest = np.sort(np.concatenate([listed[:0], *attempts.bad(0, before, until)]))
    assert rest.tolist() == listed[listed >= before].tolist()


@settings(max_examples=100, deadline=None)
@given(
    streams=st.lists(
        st.tuples(st.integers(0, 12), st.sampled_from((7, 7, 7, 11)), st.sampled_from((1, 30, 99))), max_size=12
    ),
    copies=st.integers(1, CROWD),
    between=st.tuples(st.integers(0, 90), st.integers(0, 90)).map(sorted),
)
def test_any_part_of_a_rhythm_is_found_as_if_all_were_listed(
    streams: list[tuple[int, int, int]], copies: int, between: list[int]
) -> None:
    since, until = between
    rows = np.array([(first, step, first + last) for first, step, last in streams] * copies, dtype=np.int64)
    made = Streams(*rows.reshape(-1, 3).T.copy())
    rhythm = rhythm_of(made, 0, 90)
    listed = sorted(turn for first, step, stop in rows.tolist() for turn in range(first, stop, step))
    found = np.sort(np.concatenate(list(rhythm.within(since, until))))
    assert found.tolist() == [turn for turn in listed if since <= turn < until]
    asked = np.arange(since, until + 1)
    assert rhythm.latest_before(asked, 0).tolist() == [max([-1, *(t for t in listed if t < q)]) for q in asked]
