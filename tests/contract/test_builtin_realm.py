"""The built-in realm keeps the contract of every authority, with one replica and with several."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from keyturn.contracts.authority import AuthorityContract
from keyturn.lifecycle.ports import Authority
from keyturn.model.accounts import RealmName
from tests.builtin import REALM, Clock, realm_in


class TestOneReplica(AuthorityContract):
    replicas: tuple[str, ...] = ("dc1",)

    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    @pytest.fixture
    def authority(self, tmp_path: Path, clock: Clock) -> Iterator[Authority]:
        realm = realm_in(tmp_path, clock, self.replicas, replication_s=8)
        yield realm
        realm.close()

    @pytest.fixture
    def realm_name(self) -> RealmName:
        return REALM

    @pytest.fixture
    def converge(self, clock: Clock) -> Callable[[], None]:
        return lambda: clock.turn(8)

    @pytest.fixture
    def unreachable(self, tmp_path: Path, clock: Clock) -> Iterator[Authority]:
        """Another process holds the file and this one does not wait."""
        realm = realm_in(tmp_path, clock, self.replicas, patience_s=0)
        other = sqlite3.connect(tmp_path / "realm.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        yield realm
        other.close()
        realm.close()


class TestThreeReplicas(TestOneReplica):
    replicas = ("dc1", "dc2", "dc3")
