"""The realm keeps the contract of every authority."""

import time
from pathlib import Path

import pytest

from keyturn.contracts.authority import AuthorityContract
from keyturn.lifecycle.ports import Authority
from keyturn.model.accounts import RealmName
from keyturn.model.estate import Realm
from keyturn_example_plugin.authority import AcmeKeys
from keyturn_example_plugin.key_file import KeyFile

REALM = RealmName("ACME")


class TestAcmeKeys(AuthorityContract):
    folds_names = False
    counts = False

    @pytest.fixture
    def realm_name(self) -> RealmName:
        return REALM

    @pytest.fixture
    def authority(self, tmp_path: Path) -> Authority:
        file = tmp_path / "keys.json"
        file.write_text("[]")
        return AcmeKeys(Realm(REALM, "acme-keys"), KeyFile(file), time.time)

    @pytest.fixture
    def unreachable(self, tmp_path: Path) -> Authority:
        """Its folder is not mounted."""
        return AcmeKeys(Realm(REALM, "acme-keys"), KeyFile(tmp_path / "gone" / "keys.json"), time.time)
