"""A domain of two controllers, by either way to them: over LDAPS, or sealed by Kerberos."""

from collections.abc import Callable

import pytest

from keyturn.adapters.authorities.active_directory.authority import open_authority
from keyturn.contracts.authority import AuthorityContract
from keyturn.lifecycle.ports import Authority
from keyturn.model.accounts import RealmName
from keyturn.model.estate import Realm
from tests.samba import OURS, REALM, Samba


class DomainContract(AuthorityContract):
    """A subclass says by which way."""

    @pytest.fixture
    def realm(self, samba: Samba) -> Callable[..., Realm]:
        """As `Samba.realm` is called."""
        raise NotImplementedError

    @pytest.fixture
    def authority(self, realm: Callable[..., Realm]) -> Authority:
        return open_authority(realm(), lambda: OURS)

    @pytest.fixture
    def realm_name(self) -> RealmName:
        return REALM

    @pytest.fixture
    def converge(self, samba: Samba) -> Callable[[], None]:
        return samba.converge

    @pytest.fixture
    def unreachable(self, realm: Callable[..., Realm]) -> Authority:
        return open_authority(realm(("127.0.0.1",), port="1"), lambda: OURS)
