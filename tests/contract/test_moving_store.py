"""A store carried to another database: between two files, and both ways between a file and a real PostgreSQL server."""

from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from keyturn.adapters.store.errors import Moved
from keyturn.adapters.store.seal_key import SealKey
from keyturn.adapters.store.store import Copied, Place, SqlStore, move_store, open_store
from keyturn.lifecycle.journal import Mark
from keyturn.model.accounts import Credential
from keyturn.model.errors import KeyturnError, Refused
from keyturn.model.secret import Secret
from keyturn.operations.audit_log import AuditLog, verify
from keyturn.operations.ports import Lease, PlanState
from tests import postgresql
from tests.contract.store.setting import KEY, paper
from tests.contract.store.world import CONN, SVC, THE_ESTATE, Clock, in_place, make_live, running
from tests.postgresql import Server


class Crash(BaseException):
    pass


@dataclass
class Moving:
    """From an address to an empty one."""

    old: str
    new: str

    def store(self, url: str) -> SqlStore:
        numbers = count(1)
        return open_store(url, seal_key=KEY, envelope=paper, now=Clock(), new_id=lambda: f"id-{next(numbers)}")

    def go(self, to: str | None = None, key: SealKey = KEY) -> Copied:
        return move_store(Place(self.old), Place(to or self.new), seal_key=key, now=Clock(), by="ann")

    def opens(self, url: str) -> bool:
        try:
            self.store(url).close()
        except Moved:
            return False
        return True


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgresql.running() as server:
        yield server


@pytest.fixture(params=["file to file", "file to server", "server to file"])
def moving(request: pytest.FixtureRequest, tmp_path: Path) -> Moving:
    def address(kind: str, name: str) -> str:
        if kind == "file":
            return f"sqlite:///{tmp_path / name}"
        server: Server = request.getfixturevalue("server")
        return server.url(server.database())

    old, _, new = request.param.partition(" to ")
    moving = Moving(address(old, "old.db"), address(new, "new.db"))
    with closing(moving.store(moving.old)) as store:
        _fill(store)
    return moving


def _fill(store: SqlStore) -> Lease:
    """Something in every table that a change of a password writes, and a plan that is half done."""
    store.replace("the file", THE_ESTATE, by="ann")
    store.identify(SVC)
    store.identify(CONN)
    lease = running(store, in_place(SVC), given=Secret("Given-1"))
    make_live(lease, SVC, 1, "Turn-1")
    lease.write("plan-1", 0, Mark.DONE)
    lease.publish(Credential(SVC, 1), {"PC-1", "PC-2"}, 5)
    number = store.begin(SVC, "DC1", 1.0, None)
    assert number
    store.tell("ann", "kind", "é␀")
    return lease


def test_everything_is_in_the_new_store_as_it_was(moving: Moving) -> None:
    copied = moving.go()
    assert copied.rows["generations"] == 1
    with closing(moving.store(moving.new)) as store:
        assert store.secret(Credential(SVC, 1)) == Secret("Turn-1")
        assert store.envelope(SVC, 1) == (1, paper(SVC, 1, Secret("Turn-1")))
        assert store.plan("plan-1").state is PlanState.RUNNING
        assert store.text() == "the file"
        assert verify(AuditLog("PHX", store)).fault is None
        assert [line.kind for line in store.since()][-2:] == ["store-copied", "store-taken-over"]


def test_the_new_store_goes_on_where_the_old_one_was(moving: Moving) -> None:
    with closing(moving.store(moving.old)) as store:
        before = store.begin(CONN, "DC1", 2.0, None)
    moving.go()
    with closing(moving.store(moving.new)) as store:
        lease = store.lease("plan-1", "worker-1", 60)
        assert lease is not None
        make_live(lease, SVC, 2, "Turn-2")
        assert store.secret(Credential(SVC, 2)) == Secret("Turn-2")
        assert store.begin(CONN, "DC1", 3.0, None) > before


def test_the_old_store_opens_no_more_and_says_where_it_went(moving: Moving) -> None:
    moving.go()
    with pytest.raises(Moved, match="was moved to") as refused:
        moving.store(moving.old)
    assert moving.new in refused.value.message


def test_given_again_after_its_end_it_changes_nothing(moving: Moving) -> None:
    moving.go()
    with closing(moving.store(moving.new)) as store:
        store.tell("ann", "kind", "since then")
    moving.go()
    with closing(moving.store(moving.new)) as store:
        assert store.since()[-1].subject == "since then"


def test_a_store_that_may_be_in_use_is_not_written_over(moving: Moving) -> None:
    with closing(moving.store(moving.new)) as store:
        store.replace("another file", THE_ESTATE, by="bob")
    with pytest.raises(Refused, match="a store already"):
        moving.go()
    with closing(moving.store(moving.new)) as store:
        assert store.text() == "another file"
    assert moving.opens(moving.old)


def test_a_store_that_was_moved_is_not_moved_elsewhere(moving: Moving, tmp_path: Path) -> None:
    moving.go()
    with pytest.raises(Refused, match="was moved to"):
        moving.go(to=f"sqlite:///{tmp_path / 'third.db'}")


def test_it_can_be_moved_on_and_on(moving: Moving, tmp_path: Path) -> None:
    moving.go()
    third = Moving(moving.new, f"sqlite:///{tmp_path / 'third.db'}")
    third.go()
    assert (third.opens(third.old), third.opens(third.new)) == (False, True)


def test_another_key_moves_nothing(moving: Moving) -> None:
    with pytest.raises(KeyturnError, match="not the key"):
        moving.go(key=SealKey(bytes(32)))
    assert moving.opens(moving.old)


def test_cut_off_before_any_commit_it_is_ended_by_the_same_command(moving: Moving, each_commit: "Commits") -> None:
    """And at no moment do both stores open."""
    for cut in range(1, 20):
        each_commit.fail_at(cut)
        try:
            moving.go()
        except Crash:
            each_commit.fail_at(None)
            assert [moving.opens(moving.old), moving.opens(moving.new)] != [True, True] or _is_empty(moving)
            continue
        break
    else:
        pytest.fail("it never came to its end")
    each_commit.fail_at(None)
    assert cut > 4, "each of its commits was cut off"
    with closing(moving.store(moving.new)) as store:
        assert store.secret(Credential(SVC, 1)) == Secret("Turn-1")
        assert verify(AuditLog("PHX", store)).fault is None


def _is_empty(moving: Moving) -> bool:
    with closing(moving.store(moving.new)) as store:
        return store.text() == "" and store.since() == ()


@pytest.mark.parametrize("cut", range(1, 8))
def test_cut_off_once_and_given_again_nothing_is_missing(moving: Moving, each_commit: "Commits", cut: int) -> None:
    each_commit.fail_at(cut)
    with suppress(Crash):
        moving.go()
    each_commit.fail_at(None)
    moving.go()
    assert (moving.opens(moving.old), moving.opens(moving.new)) == (False, True)
    with closing(moving.store(moving.new)) as store:
        assert store.secret(Credential(SVC, 1)) == Secret("Turn-1")
        assert store.plan("plan-1").marks
        assert verify(AuditLog("PHX", store)).fault is None


def test_a_server_whose_store_is_in_use_is_left_alone(server: Server, tmp_path: Path) -> None:
    moving = Moving(server.url(server.database()), f"sqlite:///{tmp_path / 'new.db'}")
    with closing(moving.store(moving.old)) as store:
        store.tell("ann", "kind", "subject")
        with pytest.raises(Refused, match="other connections"):
            moving.go()
        store.tell("ann", "kind", "and on")
    moving.go()


class Commits:
    """Counts the commits that write, and dies instead of the n-th."""

    def __init__(self) -> None:
        self._left: int | None = None

    def fail_at(self, number: int | None) -> None:
        self._left = number

    def __call__(self, connection: object) -> None:
        if self._left is not None:
            self._left -= 1
            if self._left == 0:
                raise Crash


@pytest.fixture
def each_commit() -> Iterator[Commits]:
    commits = Commits()
    event.listen(Engine, "commit", commits)
    yield commits
    event.remove(Engine, "commit", commits)
