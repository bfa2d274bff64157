"""Which session with a controller is used again, and which never."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

import pytest

pytest.importorskip("ldap", reason="the extra `directory` is not installed")

from keyturn.adapters.authorities.active_directory.session import Session
from keyturn.adapters.authorities.active_directory.sessions import AT_ONCE, LONGEST_S, Opened, Sessions
from keyturn.adapters.authorities.reaching import Login
from keyturn.model.secret import Secret

HOST, OTHER = "dc1", "dc2"


@dataclass
class Controllers:
    """Counts what is opened; a session is its number, from 1 on."""

    now: float = 0.0
    login: Login = Login("svc-keyturn", Secret("Turn-the-key-0001"))
    opened: int = 0
    closed: list[int] = field(default_factory=list)
    spoken: set[int] = field(default_factory=set)
    """Those on which something has come unasked."""

    def open_one(self, host: str) -> Opened:
        self.opened += 1
        number = self.opened
        return Opened(
            session=cast("Session", number),
            login=self.login,
            since=self.now,
            silent=lambda: number not in self.spoken,
            close=lambda: self.closed.append(number),
        )


@pytest.fixture
def controllers() -> Controllers:
    return Controllers()


@pytest.fixture
def sessions(controllers: Controllers) -> Sessions:
    return Sessions(lambda: controllers.login, controllers.open_one, lambda: controllers.now)


def used(sessions: Sessions, host: str = HOST) -> int:
    with sessions.one(host) as session:
        return cast("int", session)


def test_one_verb_after_another_uses_the_same_session(controllers: Controllers, sessions: Sessions) -> None:
    assert [used(sessions), used(sessions)] == [1, 1]
    assert controllers.closed == []


def test_each_controller_has_its_own(sessions: Sessions) -> None:
    assert [used(sessions, HOST), used(sessions, OTHER), used(sessions, HOST)] == [1, 2, 1]


def test_one_in_use_is_nobody_elses(sessions: Sessions) -> None:
    with sessions.one(HOST) as first, sessions.one(HOST) as second:
        assert first != second


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_one_that_has_failed_in_any_way_is_closed_and_never_used_again(
    controllers: Controllers, sessions: Sessions, error: type[BaseException]
) -> None:
    with pytest.raises(error), sessions.one(HOST):
        raise error
    assert controllers.closed == [1]
    assert used(sessions) == 2


def test_none_outlives_a_change_of_keyturns_own_login(controllers: Controllers, sessions: Sessions) -> None:
    used(sessions)
    controllers.login = Login("svc-keyturn", Secret("Turn-the-key-0002"))
    assert used(sessions) == 2
    assert controllers.closed == [1]


def test_none_is_used_longer_than_its_time(controllers: Controllers, sessions: Sessions) -> None:
    used(sessions)
    controllers.now = LONGEST_S - 1
    assert used(sessions) == 1
    controllers.now = LONGEST_S
    assert used(sessions) == 2
    assert controllers.closed == [1]


def test_one_on_which_something_came_unasked_is_closed(controllers: Controllers, sessions: Sessions) -> None:
    used(sessions)
    controllers.spoken.add(1)
    assert used(sessions) == 2
    assert controllers.closed == [1]


def test_more_than_are_needed_at_once_are_not_kept(controllers: Controllers, sessions: Sessions) -> None:
    def nested(depth: int) -> Iterator[int]:
        with sessions.one(HOST) as session:
            yield cast("int", session)
            if depth > 1:
                yield from nested(depth - 1)

    assert len(set(nested(AT_ONCE + 1))) == AT_ONCE + 1
    assert len(controllers.closed) == 1
