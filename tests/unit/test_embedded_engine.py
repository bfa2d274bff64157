"""The worker in the server's process: many plans at once, each in one hand, and taken back after a kill."""

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from keyturn.adapters.engine.embedded import AT_ONCE, EmbeddedEngine
from keyturn.lifecycle.budgeted import Budgeted
from keyturn.lifecycle.ports import AccountState
from keyturn.model.accounts import Account, RealmName
from tests.estates import HEAD, account
from tests.inner_site import InnerSite, site_in

MEET_S = 20.0
"""Longer than any machine needs for two threads to meet."""
TWO = HEAD[: HEAD.index("[[client_group]]")] + "".join(
    account(name, "software-installation") for name in ("KtOne", "KtTwo")
)


class Seen(Budgeted):
    """A realm; whoever asks for an account is seen first."""

    seen: Callable[[Account], object]

    def describe(self, account: Account) -> AccountState:
        self.seen(account)
        return super().describe(account)


@contextmanager
def rotating(folder: Path) -> Iterator[InnerSite]:
    """Both rotations approved."""
    site = site_in(folder, TWO)
    for managed in site.store.estate().accounts:
        site.create(str(managed.account))
        site.rotate(str(managed.account))
    yield site
    site.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[InnerSite]:
    with rotating(tmp_path) as site:
        yield site


@pytest.fixture
def hands() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(AT_ONCE) as hands:
        yield hands


def watched(site: InnerSite, seen: Callable[[Account], object]) -> InnerSite:
    def authority(realm: RealmName) -> Seen:
        watched = Seen(site.realms(realm), site.store, site.clock)
        watched.seen = seen
        return watched

    site.parts = replace(site.parts, authorities=authority)
    return site


def states(site: InnerSite) -> list[str]:
    return [record.state for record in site.store.plans() if record.plan.kind == "in-place"]


def test_plans_are_carried_forward_at_the_same_time(site: InnerSite, hands: ThreadPoolExecutor) -> None:
    both = threading.Barrier(2, timeout=MEET_S)
    met: set[Account] = set()

    def meet(account: Account) -> None:
        if account not in met:
            met.add(account)
            both.wait()

    list(EmbeddedEngine().look(watched(site, meet).parts, hands))
    assert states(site) == ["done", "done"]


def test_after_a_kill_it_takes_its_plans_back_at_once(site: InnerSite, hands: ThreadPoolExecutor) -> None:
    for record in site.store.plans(only_open=True):
        assert site.store.lease(record.plan_id, EmbeddedEngine.NAME, 60.0)
    list(EmbeddedEngine().look(site.parts, hands))
    assert states(site) == ["done", "done"]


def test_a_plan_of_another_worker_is_left_alone(site: InnerSite, hands: ThreadPoolExecutor) -> None:
    first, _ = site.store.plans(only_open=True)
    assert site.store.lease(first.plan_id, "another", 60.0)
    list(EmbeddedEngine().look(site.parts, hands))
    assert sorted(states(site)) == ["done", "running"]


def test_when_it_is_stopped_the_plan_under_way_is_ended_and_no_other_begun(site: InnerSite) -> None:
    engine = EmbeddedEngine()
    with ThreadPoolExecutor(1) as hands:
        list(engine.look(watched(site, lambda _: engine.stop()).parts, hands))
    assert sorted(states(site)) == ["done", "running"]


def test_stopping_waits_for_the_plans_under_way(site: InnerSite) -> None:
    under_way, go_on = threading.Event(), threading.Event()

    def hold(_: Account) -> None:
        under_way.set()
        assert go_on.wait(MEET_S)

    engine = EmbeddedEngine()
    engine.start(watched(site, hold).parts)
    assert under_way.wait(MEET_S)
    threading.Timer(0.1, go_on.set).start()
    engine.stop()
    assert go_on.is_set()
    assert "done" in states(site)


def test_a_plan_that_fails_in_an_unforeseen_way_does_not_hold_up_the_others(
    site: InnerSite, hands: ThreadPoolExecutor, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(account: Account) -> None:
        if account.name == "KtOne":
            raise ZeroDivisionError

    with caplog.at_level(logging.ERROR):
        list(EmbeddedEngine().look(watched(site, fail).parts, hands))
    assert sorted(states(site)) == ["done", "running"]
    assert "goes on later" in caplog.text
