"""Keyturn's own login to database servers: a refused password is tried once, where it counts."""

from dataclasses import dataclass, field

import pytest

from keyturn.adapters.authorities.databases.own_login import REPLICATION_S, OwnLogin
from keyturn.adapters.authorities.reaching import Login
from keyturn.model.errors import AuthorityError
from keyturn.model.secret import Secret
from tests.builtin import Clock

OLD, NEW = Login("keyturn", Secret("old")), Login("keyturn", Secret("new"))


@dataclass
class Server:
    right: Login
    tried: list[Login] = field(default_factory=list)

    def prove(self, login: Login) -> bool:
        self.tried.append(login)
        return login == self.right


def test_a_login_that_works_is_proven_once() -> None:
    server, own = Server(OLD), OwnLogin(lambda: OLD, "db1", Clock())
    assert [own.proven("db1", server.prove) for _ in range(3)] == [OLD] * 3
    assert server.tried == [OLD]


def test_a_refused_password_is_tried_once_until_there_is_another() -> None:
    known, clock = [OLD], Clock()
    server, own = Server(NEW), OwnLogin(lambda: known[-1], "db1", clock)
    for _ in range(3):
        with pytest.raises(AuthorityError, match="not tried again") as raised:
            own.proven("db1", server.prove)
        assert raised.value.permanent
        clock.turn(REPLICATION_S)
    assert server.tried == [OLD]
    known.append(NEW)
    assert own.proven("db1", server.prove) == NEW


def test_a_replica_that_does_not_know_the_newest_password_yet_bars_nobody_else() -> None:
    clock = Clock()
    primary, replica, own = Server(NEW), Server(OLD), OwnLogin(lambda: NEW, "db1", clock)
    for _ in range(3):
        with pytest.raises(AuthorityError, match="db2 does not know the newest password") as raised:
            own.proven("db2", replica.prove)
        assert not raised.value.permanent
        assert own.proven("db1", primary.prove) == NEW
    assert replica.tried == [NEW]
    clock.turn(REPLICATION_S)
    replica.right = NEW
    assert own.proven("db2", replica.prove) == NEW


def test_a_doubted_login_is_proven_again() -> None:
    server, own = Server(OLD), OwnLogin(lambda: OLD, "db1", Clock())
    own.proven("db1", server.prove)
    own.doubt("db1")
    own.proven("db1", server.prove)
    assert server.tried == [OLD, OLD]
