"""The realm in memory keeps the contract of every authority, so that what is proven over it means something."""

from collections.abc import Callable
from typing import NoReturn

import pytest

from keyturn.contracts.authority import AuthorityContract
from keyturn.lifecycle.ports import Authority
from keyturn.model.accounts import RealmName
from keyturn.model.errors import AuthorityError
from keyturn.model.policy import RealmPolicy
from tests.builtin import REALM, Clock
from tests.crash.memory_realm import MemoryRealm


class Silent(MemoryRealm):
    """Does not answer."""

    def _silent(self, *_: object, **__: object) -> NoReturn:
        raise AuthorityError("no answer", permanent=False)

    find = describe = create = set_password = try_logon = unlock = disable = enable = delete = rights = grant = _silent  # type: ignore[assignment]


class TestMemoryRealm(AuthorityContract):
    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    @pytest.fixture
    def authority(self, clock: Clock) -> Authority:
        return MemoryRealm(REALM, RealmPolicy(), ("dc1", "dc2"), 10, clock)

    @pytest.fixture
    def realm_name(self) -> RealmName:
        return REALM

    @pytest.fixture
    def converge(self, clock: Clock) -> Callable[[], None]:
        return lambda: clock.turn(10)

    @pytest.fixture
    def unreachable(self, clock: Clock) -> Authority:
        return Silent(REALM, RealmPolicy(), ("dc1",), 10, clock)
