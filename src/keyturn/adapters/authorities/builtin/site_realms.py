"""The built-in realms of a site: one file each, made when the estate first names the realm."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from keyturn.adapters.authorities.builtin.realm import BuiltinRealm
from keyturn.model.accounts import Account, canonical
from keyturn.model.errors import NotFound
from keyturn.model.estate import Estate, RealmKind
from keyturn.model.logon import LogonProtocol
from keyturn.model.policy import RealmPolicy
from keyturn.model.secret import Secret
from keyturn.operations.access import Logon
from keyturn.operations.realms import LogonSeen


class SiteRealms:
    """Opens each realm once. The estate file is the master of a built-in realm's policy and replication."""

    def __init__(self, estate: Callable[[], Estate], file: Callable[[str], Path], now: Callable[[], float]) -> None:
        self._estate = estate
        self._file = file
        self._now = now
        self._open: dict[str, BuiltinRealm] = {}
        self._turn = threading.Lock()

    def __call__(self, name: str) -> BuiltinRealm:
        key = canonical(name)
        if key not in self._open:
            self.prepare()
        try:
            return self._open[key]
        except KeyError:
            raise NotFound(
                f"no built-in realm {name}", hint="its accounts cannot be reached from this release"
            ) from None

    def prepare(self) -> None:
        """Make and set every built-in realm as the estate now has it."""
        with self._turn:
            for realm in self._estate().realms:
                if realm.kind != RealmKind.BUILTIN:
                    continue
                key = canonical(realm.name)
                if key not in self._open:
                    self._open[key] = BuiltinRealm(
                        self._file(realm.name), realm.name, realm.replicas, realm.replication_s, now=self._now
                    )
                self._open[key].administration.set_policy(realm.policy)
                self._open[key].administration.set_replication(realm.replication_s)

    def close(self) -> None:
        for realm in self._open.values():
            realm.close()
        self._open.clear()


class Access:
    """The realm as the access point asks it."""

    def __init__(self, realm: BuiltinRealm) -> None:
        self._realm = realm

    def logon(
        self, name: str, secret: Secret, *, protocol: LogonProtocol, replica: str | None = None, source: str
    ) -> Logon:
        event = self._realm.logon(name, secret, protocol=protocol, replica=replica, source=source)
        return Logon(event.answer, event.current)


class Toolbox:
    """The realm as its administrator has it."""

    def __init__(self, realm: BuiltinRealm) -> None:
        self._realm = realm

    def accounts(self) -> Sequence[Account]:
        return self._realm.administration.accounts()

    def set_password(self, account: Account, secret: Secret) -> None:
        self._realm.set_password(account, secret)

    def set_policy(self, policy: RealmPolicy) -> None:
        self._realm.administration.set_policy(policy)

    def cut(self, replica: str) -> None:
        self._realm.administration.cut(replica)

    def heal(self, replica: str) -> None:
        self._realm.administration.heal(replica)

    def logons(self, since: float) -> Sequence[LogonSeen]:
        return [
            LogonSeen(e.at, e.replica, e.account.name if e.account else "", e.source, e.protocol, e.answer)
            for e in self._realm.logons(since)
        ]
