"""The access point that stories are told on promises what a real one does."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from keyturn.model.accounts import AccountToBe
from keyturn.model.secret import Secret
from tests.builtin import REALM, Clock, realm_in
from tests.contract.access_point_contract import AccessPointContract, Person, Setting
from tests.memory_access_point import MemoryAccessPoint

SECRET = Secret("Turn-the-key-0001")


class TestMemory(AccessPointContract):
    @pytest.fixture
    def setting(self, tmp_path: Path) -> Iterator[Setting]:
        realm = realm_in(tmp_path, Clock())
        people = [realm.create(AccountToBe(REALM, name), SECRET) for name in ("admin", "SMSServer_PHX")]
        point = MemoryAccessPoint(realm, administrators={"admin"})

        @contextmanager
        def hold(path: str) -> Iterator[None]:
            point.open_elsewhere.add(path)
            yield
            point.open_elsewhere.clear()

        administrator, connection = (Person(str(one), SECRET, one.sid) for one in people)
        setting = Setting(point, replace(point, up=False), administrator, connection, hold)
        setting.set_up()
        yield setting
        realm.close()
