"""A domain of two controllers as a realm of the stories."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from socket import SHUT_RDWR, create_server

import ldap

from keyturn.adapters.authorities.active_directory.authority import open_authority
from keyturn.lifecycle.ports import Authority, Rights
from keyturn.model.accounts import Account
from keyturn.model.estate import Realm
from tests.how_to import commands
from tests.samba import BASE, OURS, READERS, Samba
from tests.samba_proxy import Proxy, proxied
from tests.story.real_realm import SERVICE, Lagging, Losing

_LDAPS, _KERBEROS = 636, 88


@dataclass(frozen=True)
class Domain:
    samba: Samba
    sealed: bool = False
    """Keyturn does without the certificates."""
    login = OURS

    @property
    def realm(self) -> Realm:
        return self.samba.sealed_realm() if self.sealed else self.samba.realm()

    def opened(self) -> Authority:
        return self._at(self.realm)

    def converge(self) -> None:
        self.samba.converge()

    def sets(self, name: str) -> int:
        return self.samba.version(name)

    @contextmanager
    def losing(self) -> Iterator[Losing]:
        with proxied(self.samba) as proxy:

            def arm() -> None:
                before = self.sets(SERVICE)
                proxy.landed = lambda: self.sets(SERVICE) > before

            yield Losing(self._at(self.samba.realm((proxy.address, self.samba.hosts[1]))), arm, lambda: proxy.cuts)

    @contextmanager
    def lagging(self) -> Iterator[Lagging]:
        with self.samba.replication_off("dc2"):
            yield Lagging(self.opened(), self.samba.hosts[1], self._heal)

    @contextmanager
    def forwarding(self) -> Iterator[Lagging]:
        """As `lagging`, and the second controller passes logons on to the first, as a Windows one does where it finds
        a password wrong: Samba never does, so a proxy does it here."""
        address = self.samba.hosts[1].replace("10.", "127.", 1)
        listeners = []
        for port, target in ((_LDAPS, self.samba.hosts[1]), (_KERBEROS, self.samba.hosts[0])):
            listener = create_server((address, port))
            listeners.append(listener)
            threading.Thread(target=Proxy(address, target).serve, args=(listener, port), daemon=True).start()
        try:
            with self.samba.replication_off("dc2"):
                yield Lagging(self._at(self.samba.realm((self.samba.hosts[0], address))), address, self._heal)
        finally:
            for listener in listeners:
                listener.shutdown(SHUT_RDWR)
                listener.close()

    def delegate(self, name: str) -> None:
        """An account of Keyturn's own in the unit, with the rights that the realm's how-to gives."""
        made = f"samba-tool user create {name} --random-password --userou=OU=Keyturn"
        told = f"samba-tool user show {name} --attributes=objectSid | sed -n 's/^objectSid: //p'"
        sid = self.samba.adlab("ex", "dc1", "sh", "-eu", given=f"{made} >&2; {told}").strip()
        lines = "\n".join(commands("realm-active-directory", "sh")).splitlines()
        rights = [line.replace("$SID", sid) for line in lines if line.startswith(("samba-tool dsacl", "USER="))]
        self.samba.adlab("ex", "dc1", "sh", "-eu", given="\n".join(rights))

    def join(self, account: Account) -> None:
        self.opened().grant(account, Rights(groups=frozenset({READERS})))

    def leave(self, name: str) -> str:
        administrator = self.samba.administer()
        member = (ldap.MOD_DELETE, "member", self.samba.dn(name).encode())
        administrator.modify_s(f"CN={READERS},CN=Users,{BASE}", [member])
        administrator.unbind_s()
        return READERS

    def _heal(self) -> None:
        self.samba.adlab("repl", "dc2", "on")
        self.samba.adlab("sync", "dc1", "dc2")

    def _at(self, realm: Realm) -> Authority:
        return open_authority(realm, lambda: self.login)
