"""The site component manager with real threads: what one component does to itself, it does to no other.

Rounds are made by the test, on a clock that it turns; only the threads' own steps are waited for.
"""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from keyturn.model.errors import Refused, Unavailable
from keyturn.operations import components
from keyturn.operations.components import Verb
from keyturn.operations.status_messages import Asked
from keyturn.server.supervision import BEAT_S, Component, Supervisor
from keyturn.site.components import SILENT_S, ComponentName, State, Verdict
from keyturn.site.status_messages import MessageId
from tests.inner_site import InnerSite, site_in

SENDER, DESPOOLER, MANAGER = ComponentName.SENDER, ComponentName.DESPOOLER, ComponentName.SITE_COMPONENT_MANAGER
WITHIN_S = 90.0


@dataclass
class Puppet:
    """A component whose next turn does what the test says."""

    name: ComponentName
    act: Callable[[], None] = lambda: None
    turns: int = 0
    begun: int = 0
    ended: int = 0

    def component(self, allowed_s: float = 60) -> Component:
        return Component(self.name, self._turn, self._begin, self._end, allowed_s)

    def _turn(self) -> float:
        self.act()
        self.turns += 1
        return 0.001

    def _begin(self) -> None:
        self.begun += 1

    def _end(self) -> None:
        self.ended += 1


@dataclass
class Stopwatch:
    now: float = 0

    def __call__(self) -> float:
        return self.now


@dataclass
class Watched:
    """Two components under a supervisor. `look` is a round of it."""

    site: InnerSite
    sender: Puppet = field(default_factory=lambda: Puppet(SENDER))
    despooler: Puppet = field(default_factory=lambda: Puppet(DESPOOLER))
    stopwatch: Stopwatch = field(default_factory=Stopwatch)
    process: str = "one"
    supervisor: Supervisor = field(init=False)

    def __post_init__(self) -> None:
        both = [self.sender.component(), self.despooler.component()]
        self.supervisor = Supervisor(self.process, lambda _: both, chance=lambda: 1.0, clock=self.stopwatch)
        self.supervisor.take_up(self.site.parts)

    def look(self) -> None:
        self.supervisor.look(self.site.parts)

    def state(self, name: ComponentName = SENDER) -> State:
        return components.standing_now(self.site.parts)[name].state

    def until(self, state: State, name: ComponentName = SENDER) -> None:
        """Rounds, in which no time passes for the site, until it is seen so."""
        deadline = time.monotonic() + WITHIN_S
        self.look()
        while self.state(name) is not state:
            assert time.monotonic() < deadline, f"{name} is {self.state(name)}"
            time.sleep(0.002)
            self.look()

    def turns_pass(self, count: int = 30) -> None:
        """Of the component that nothing is done to."""
        wanted, deadline = self.despooler.turns + count, time.monotonic() + WITHIN_S
        while self.despooler.turns < wanted:
            assert time.monotonic() < deadline
            time.sleep(0.002)

    def order(self, verb: Verb, *names: ComponentName) -> None:
        components.order(self.site.parts, names, verb, by="olga")

    def told(self, name: ComponentName = SENDER) -> list[int]:
        return [one.message_id for one in self.site.store.messages(Asked(component=name), 100)]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[InnerSite]:
    site = site_in(tmp_path, "")
    yield site
    site.close()


@pytest.fixture
def watched(site: InnerSite) -> Iterator[Watched]:
    watched = Watched(site)
    watched.until(State.RUNNING)
    watched.until(State.RUNNING, DESPOOLER)
    yield watched
    watched.sender.act = watched.despooler.act = lambda: None
    watched.supervisor.leave(site.parts)


def failing(error: BaseException) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


@pytest.mark.parametrize(
    "error", [ValueError("x"), MemoryError(), SystemExit(3), KeyboardInterrupt(), RecursionError(), Unavailable("gone")]
)
def test_whatever_ends_one_component_no_other_notices(watched: Watched, error: BaseException) -> None:
    watched.sender.act = failing(error)
    watched.until(State.FAILING)
    watched.turns_pass()
    assert watched.state(DESPOOLER) is State.RUNNING
    assert components.status(watched.site.parts).verdict is Verdict.CRITICAL


def test_of_a_foreign_error_only_its_kind_is_told_for_its_text_may_be_a_secret(watched: Watched) -> None:
    watched.sender.act = failing(ValueError("Turn-the-key-0001"))
    watched.until(State.FAILING)
    [last] = [one for one in watched.site.store.messages(Asked(), 100) if one.message_id == MessageId.RAISED]
    assert last.text == "failed: ValueError; it starts again in 1.0 s (failure 1 in a row)"


def test_a_component_that_failed_is_begun_again_after_its_pause_and_not_before(watched: Watched) -> None:
    watched.sender.act = failing(MemoryError())
    watched.until(State.FAILING)
    watched.sender.act = lambda: None
    for _ in range(5):
        watched.look()
    assert (watched.state(), watched.sender.begun, watched.sender.ended) == (State.FAILING, 1, 1)
    watched.site.clock.turn(1)
    watched.until(State.RUNNING)
    assert watched.sender.begun == 2
    assert watched.told() == [MessageId.STARTED, MessageId.RAISED, MessageId.STARTED]


def test_who_starts_a_failing_component_does_not_wait_for_its_pause(watched: Watched) -> None:
    watched.sender.act = failing(MemoryError())
    watched.until(State.FAILING)
    watched.sender.act = lambda: None
    watched.order(Verb.START, SENDER)
    watched.until(State.RUNNING)


def test_a_component_that_cannot_even_begin_fails_like_any_other(site: InnerSite) -> None:
    broken = Component(SENDER, lambda: 1.0, begin=failing(MemoryError()))
    supervisor = Supervisor("one", lambda _: [broken], chance=lambda: 1.0)
    supervisor.take_up(site.parts)
    deadline = time.monotonic() + WITHIN_S
    while not any(one.state is State.FAILING for one in site.store.standings()):
        assert time.monotonic() < deadline
        supervisor.look(site.parts)
    supervisor.leave(site.parts)


def test_a_component_that_hangs_is_shown_and_goes_on_when_it_comes_back(watched: Watched) -> None:
    hangs, comes_back = threading.Event(), threading.Event()

    def act() -> None:
        hangs.set()
        assert comes_back.wait(WITHIN_S)

    watched.sender.act = act
    assert hangs.wait(WITHIN_S)
    watched.stopwatch.now += 61
    watched.look()
    assert (watched.state(), watched.state(DESPOOLER)) == (State.FAILING, State.RUNNING)
    watched.sender.act = lambda: None
    comes_back.set()
    watched.until(State.RUNNING)
    assert watched.sender.begun == 1
    assert watched.told() == [MessageId.STARTED, MessageId.HANGS, MessageId.CAME_BACK]


def test_what_was_stopped_stays_stopped_when_the_process_is_started_again(watched: Watched) -> None:
    watched.order(Verb.STOP, SENDER)
    watched.until(State.STOPPED)
    assert (watched.sender.begun, watched.sender.ended) == (1, 1)
    again = Watched(watched.site)
    again.until(State.RUNNING, DESPOOLER)
    assert (again.state(), again.sender.begun) == (State.STOPPED, 0)
    again.order(Verb.START, SENDER)
    again.until(State.RUNNING)
    again.supervisor.leave(watched.site.parts)


def test_a_paused_component_takes_no_turn_and_keeps_what_it_has_open(watched: Watched) -> None:
    watched.order(Verb.PAUSE, SENDER)
    watched.until(State.PAUSED)
    turns = watched.sender.turns
    watched.turns_pass()
    assert watched.sender.turns <= turns + 1  # one may have been under way
    assert watched.sender.ended == 0
    watched.order(Verb.START, SENDER)
    watched.until(State.RUNNING)
    assert watched.sender.begun == 1


def test_a_restart_ends_it_and_begins_it_anew_once(watched: Watched) -> None:
    watched.order(Verb.RESTART, SENDER)
    deadline = time.monotonic() + WITHIN_S
    while watched.sender.begun < 2:
        assert time.monotonic() < deadline
        watched.look()
    watched.until(State.RUNNING)
    assert (watched.sender.begun, watched.sender.ended, watched.despooler.begun) == (2, 1, 1)


def test_all_are_all_but_the_one_that_starts_the_others(watched: Watched) -> None:
    ordered = components.order(watched.site.parts, None, Verb.STOP, by="olga")
    assert set(ordered) == {SENDER, DESPOOLER, ComponentName.ACCOUNT_MANAGER}
    watched.until(State.STOPPED, DESPOOLER)
    watched.until(State.STOPPED)
    assert components.status(watched.site.parts).verdict is Verdict.WARNING


def test_the_one_that_starts_the_others_is_not_stopped(watched: Watched) -> None:
    with pytest.raises(Refused, match="starts the other components"):
        watched.order(Verb.STOP, SENDER, MANAGER)
    assert watched.site.store.orders() == {}


def test_a_component_that_nobody_runs_is_not_ordered(watched: Watched) -> None:
    with pytest.raises(Refused, match="runs no SMS_INBOX_MANAGER"):
        watched.order(Verb.STOP, ComponentName.INBOX_MANAGER)


def test_who_ordered_what_stands_in_the_messages_and_in_the_audit_log(watched: Watched) -> None:
    watched.order(Verb.STOP, SENDER)
    watched.until(State.STOPPED)
    assert watched.told() == [MessageId.STARTED, MessageId.ORDERED, MessageId.STOPPED]
    assert watched.site.store.told("component-stop", SENDER)


def test_a_process_that_ends_says_so(watched: Watched) -> None:
    watched.supervisor.leave(watched.site.parts)
    standing = components.standing_now(watched.site.parts)[SENDER]
    assert (standing.state, standing.note) == (State.STOPPED, "its process one has ended")
    assert watched.sender.ended == 1


def test_a_process_that_was_killed_is_missed(watched: Watched) -> None:
    watched.site.clock.turn(SILENT_S)
    assert watched.state() is State.FAILING
    watched.look()
    assert watched.state() is State.RUNNING


def test_a_component_that_runs_in_another_process_too_is_not_missed(watched: Watched) -> None:
    other = Watched(watched.site, process="two")
    other.until(State.RUNNING)
    watched.site.clock.turn(SILENT_S)
    other.look()
    assert watched.state() is State.RUNNING
    other.supervisor.leave(watched.site.parts)


def test_nothing_is_written_while_nothing_changes(watched: Watched) -> None:
    def heard() -> float:
        return max(one.heard_at for one in watched.site.store.standings())

    before = heard()
    watched.site.clock.turn(BEAT_S - 1)
    watched.look()
    assert heard() == before
    watched.site.clock.turn(1)
    watched.look()
    assert heard() == before + BEAT_S


def test_the_manager_looks_by_itself_and_ends_with_its_process(site: InnerSite) -> None:
    sender = Puppet(SENDER)
    supervisor = Supervisor("one", lambda _: [sender.component()])
    supervisor.start(site.parts)
    deadline = time.monotonic() + WITHIN_S
    while sender.turns < 3:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    supervisor.stop()
    assert sender.ended == 1
    assert {one.state for one in site.store.standings()} == {State.STOPPED}
