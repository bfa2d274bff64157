"""OpenLDAP as a realm of the stories."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import ldap

from keyturn.adapters.authorities.openldap.authority import open_authority
from keyturn.adapters.authorities.reaching import Login
from keyturn.lifecycle.ports import Authority, Rights
from keyturn.model.accounts import Account
from keyturn.model.estate import Realm
from keyturn.model.secret import Secret
from tests.openldap import PROXY, Directory
from tests.openldap_configuration import ACCOUNTS, BIND_PASSWORD, GROUPS
from tests.openldap_proxy import proxied, sets
from tests.story.real_realm import Lagging, Losing

GROUP = "Keyturn Contract"


@dataclass(frozen=True)
class OpenLdap:
    directory: Directory
    login = Login("keyturn", Secret(BIND_PASSWORD))

    @property
    def realm(self) -> Realm:
        return self.directory.realm()

    def opened(self) -> Authority:
        return open_authority(self.realm, lambda: self.login)

    def converge(self) -> None:
        self.directory.converge()

    def sets(self, name: str) -> int:
        """Of every account: the audit log says which entry in another line."""
        del name
        return sets(self.directory)

    @contextmanager
    def losing(self) -> Iterator[Losing]:
        with proxied(self.directory) as proxy:
            realm = replace(self.realm, replicas=(PROXY, *self.realm.replicas[1:]))
            authority = open_authority(realm, lambda: self.login)
            yield Losing(authority, lambda: setattr(proxy, "cutting", True), lambda: proxy.cuts)

    @contextmanager
    def lagging(self) -> Iterator[Lagging]:
        """The consumer answers, and asks its provider where nobody is."""
        settings = self.directory.consumer.folder / "slapd.conf"
        usual = settings.read_text()

        def follow(text: str) -> None:
            self.directory.consumer.stop()
            settings.write_text(text)
            self.directory.consumer.start()

        follow(usual.replace(f"provider={self.directory.provider.url}", "provider=ldaps://127.0.0.1:1"))
        try:
            yield Lagging(self.opened(), self.directory.consumer.address, lambda: follow(usual))
        finally:
            follow(usual)
            self.converge()

    def join(self, account: Account) -> None:
        self.opened().grant(account, Rights(groups=frozenset({GROUP})))

    def leave(self, name: str) -> str:
        with self.directory.administering() as root:
            root.modify_s(f"cn={GROUP},{GROUPS}", [(ldap.MOD_DELETE, "member", f"uid={name},{ACCOUNTS}".encode())])
        return GROUP
