"""What becomes of a component: the table of supervision, and how several processes are shown as one."""

from dataclasses import replace

import pytest

from keyturn.model.errors import NotFound
from keyturn.site.components import (
    SILENT_S,
    WORK,
    ComponentName,
    Order,
    Standing,
    State,
    Verdict,
    Wanted,
    component_named,
    together,
    verdict,
)
from keyturn.site.supervision import (
    FIRST_PAUSE_S,
    LONGEST_PAUSE_S,
    SETTLED_S,
    Seen,
    next_standing,
    restart_pause_s,
)

SENDER = ComponentName.SENDER
NOW = 1000.0
RUN, STOP, PAUSE = Order(), Order(Wanted.STOP, by="olga"), Order(Wanted.PAUSE, by="olga")
ALIVE = Seen(alive=True, turned=True)
CRASHED = Seen(alive=False, fault="MemoryError")
FAILED = Standing(SENDER, State.FAILING, 900, failures=3, next_start_at=NOW + 5, note="MemoryError")


def standing(state: State, since: float = 900, failures: int = 0) -> Standing:
    return Standing(SENDER, state, since, failures)


@pytest.mark.parametrize(
    ("before", "seen", "order", "after"),
    [
        (standing(State.STARTING), None, RUN, State.STARTING),
        (standing(State.STARTING), None, STOP, State.STOPPED),
        (standing(State.STARTING), Seen(alive=True), RUN, State.STARTING),
        (standing(State.STARTING), ALIVE, RUN, State.RUNNING),
        (standing(State.RUNNING), ALIVE, PAUSE, State.PAUSED),
        (standing(State.PAUSED), ALIVE, RUN, State.RUNNING),
        (standing(State.RUNNING), ALIVE, STOP, State.RUNNING),
        (standing(State.RUNNING), Seen(alive=False), STOP, State.STOPPED),
        (standing(State.RUNNING), Seen(alive=False), RUN, State.STARTING),
        (standing(State.STOPPED), None, RUN, State.STARTING),
        (standing(State.STOPPED), None, STOP, State.STOPPED),
        (standing(State.RUNNING), CRASHED, RUN, State.FAILING),
        (standing(State.RUNNING), CRASHED, STOP, State.STOPPED),
        (FAILED, None, RUN, State.FAILING),
        (FAILED, None, STOP, State.STOPPED),
        (replace(FAILED, next_start_at=NOW), None, RUN, State.STARTING),
        (standing(State.RUNNING), Seen(alive=True, turn_s=61), RUN, State.FAILING),
        (standing(State.RUNNING), Seen(alive=True, turn_s=60), STOP, State.RUNNING),
        (standing(State.FAILING), ALIVE, RUN, State.RUNNING),
    ],
)
def test_the_state_follows_from_what_is_seen_and_what_is_wanted(
    before: Standing, seen: Seen | None, order: Order, after: State
) -> None:
    found = next_standing(before, seen, order, NOW, 0.5)
    assert found.state is after
    assert found.since == (before.since if after is before.state else NOW)


def test_each_failure_in_a_row_makes_the_pause_longer_up_to_a_bound() -> None:
    pauses = [restart_pause_s(failures, 1.0) for failures in range(1, 100)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[1], pauses[-1]) == (FIRST_PAUSE_S, 2 * FIRST_PAUSE_S, LONGEST_PAUSE_S)


def test_chance_takes_away_at_most_half_of_the_pause() -> None:
    assert restart_pause_s(4, 0.0) == restart_pause_s(4, 1.0) / 2


def test_a_component_that_failed_is_begun_again_when_its_pause_is_over() -> None:
    failed = next_standing(standing(State.RUNNING, failures=1), CRASHED, RUN, NOW, 1.0)
    assert (failed.failures, failed.next_start_at, failed.note) == (2, NOW + 2 * FIRST_PAUSE_S, "MemoryError")
    again = next_standing(failed, None, RUN, NOW + 2 * FIRST_PAUSE_S, 1.0)
    assert (again.state, again.failures, again.next_start_at) == (State.STARTING, 2, None)


def test_failures_are_forgotten_when_it_has_run_well_for_long_enough() -> None:
    shaken = standing(State.RUNNING, since=NOW - SETTLED_S + 1, failures=4)
    assert next_standing(shaken, ALIVE, RUN, NOW, 0).failures == 4
    assert next_standing(shaken, ALIVE, RUN, NOW + 1, 0).failures == 0


def test_a_turn_that_does_not_come_back_counts_as_one_failure() -> None:
    hanging = Seen(alive=True, turn_s=300)
    first = next_standing(standing(State.RUNNING), hanging, RUN, NOW, 0)
    later = next_standing(first, hanging, RUN, NOW + 500, 0)
    assert first == later
    assert (first.failures, first.note) == (1, "has not come back from its work within 60 s")


def test_who_stopped_it_stands_in_the_note() -> None:
    assert next_standing(standing(State.STARTING), None, STOP, NOW, 0).note == "as olga asked"


def test_of_several_processes_the_one_where_it_runs_counts() -> None:
    there = replace(standing(State.RUNNING), process="two", heard_at=NOW)
    assert together((replace(FAILED, process="one", heard_at=NOW), there), NOW) == there


def test_a_process_that_is_silent_is_taken_for_dead() -> None:
    silent = replace(standing(State.RUNNING), process="work host:1", heard_at=NOW)
    assert together((silent,), NOW + SILENT_S - 1).state is State.RUNNING
    dead = together((silent,), NOW + SILENT_S)
    assert (dead.state, dead.note) == (State.FAILING, "its process work host:1 has not been heard of")


def test_what_was_stopped_before_its_process_went_silent_is_still_stopped() -> None:
    stopped = replace(standing(State.STOPPED), heard_at=NOW)
    assert together((stopped,), NOW + 10 * SILENT_S) == stopped


@pytest.mark.parametrize(
    ("states", "said"),
    [
        ((State.RUNNING, State.STARTING), Verdict.OK),
        ((State.RUNNING, State.STOPPED), Verdict.WARNING),
        ((State.PAUSED, State.RUNNING), Verdict.WARNING),
        ((State.STOPPED, State.FAILING), Verdict.CRITICAL),
    ],
)
def test_one_word_for_the_whole_site(states: tuple[State, ...], said: Verdict) -> None:
    assert verdict(states) is said


@pytest.mark.parametrize("text", ["SMS_LAN_SENDER", "sms_lan_sender", "lan-sender", "sender", " Sender "])
def test_the_last_words_of_a_name_are_enough(text: str) -> None:
    assert component_named(text) is SENDER


@pytest.mark.parametrize("text", ["", "manager", "nobody", "ender"])
def test_a_name_that_means_none_or_many_is_not_guessed(text: str) -> None:
    with pytest.raises(NotFound):
        component_named(text)


def test_it_is_said_of_every_component_what_it_does() -> None:
    assert set(WORK) == set(ComponentName)
