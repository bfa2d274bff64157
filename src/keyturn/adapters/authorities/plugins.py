"""Realms of kinds that other packages bring."""

from collections.abc import Iterator
from contextlib import contextmanager

from keyturn.adapters.authorities.reaching import Logins, Maker
from keyturn.lifecycle.ports import AccountState, Authority, Rights
from keyturn.model.accounts import Account, AccountToBe
from keyturn.model.errors import AuthorityError, KeyturnError, Refused
from keyturn.model.estate import Realm
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.secret import Secret
from keyturn.operations.plugins import AUTHORITIES, Plugin, bringing, whereabouts


def plugged_in(kind: str) -> Maker:
    """Refused where no plug-in brings this kind, or the one that does cannot be loaded."""
    plugin = bringing(AUTHORITIES, kind)
    maker = plugin.load()
    if not callable(maker):
        raise Refused(f"{plugin} brings {kind} by something that makes no authority: {plugin.entry_point.value}")

    def opened(realm: Realm, logins: Logins) -> Authority:
        try:
            return PluggedIn(plugin, maker(realm, logins))
        except KeyturnError:
            raise
        except Exception as error:
            raise Refused(f"{plugin} could not open realm {realm.name}: {whereabouts(error)}") from None

    return opened


class PluggedIn:
    """An `Authority` whose mistakes do not leave it: another error than Keyturn's own becomes an AuthorityError that
    names the package."""

    def __init__(self, plugin: Plugin, authority: Authority) -> None:
        self._plugin = plugin
        self._authority = authority

    def find(self, name: str) -> Account | None:
        with self._calling("find"):
            return self._authority.find(name)

    def describe(self, account: Account) -> AccountState:
        with self._calling("describe"):
            return self._authority.describe(account)

    def create(self, account: AccountToBe, secret: Secret, like: Account | None = None) -> Account:
        with self._calling("create"):
            return self._authority.create(account, secret, like)

    def set_password(self, account: Account, secret: Secret) -> None:
        with self._calling("set_password"):
            self._authority.set_password(account, secret)

    def try_logon(
        self, account: Account, secret: Secret, *, protocol: LogonProtocol, replica: str | None = None
    ) -> Answer:
        with self._calling("try_logon"):
            return self._authority.try_logon(account, secret, protocol=protocol, replica=replica)

    def unlock(self, account: Account) -> None:
        with self._calling("unlock"):
            self._authority.unlock(account)

    def disable(self, account: Account) -> None:
        with self._calling("disable"):
            self._authority.disable(account)

    def enable(self, account: Account) -> None:
        with self._calling("enable"):
            self._authority.enable(account)

    def delete(self, account: Account) -> None:
        with self._calling("delete"):
            self._authority.delete(account)

    def rights(self, account: Account) -> Rights:
        with self._calling("rights"):
            return self._authority.rights(account)

    def grant(self, account: Account, rights: Rights) -> None:
        with self._calling("grant"):
            self._authority.grant(account, rights)

    @contextmanager
    def _calling(self, verb: str) -> Iterator[None]:
        try:
            yield
        except KeyturnError:
            raise
        except Exception as error:
            raise AuthorityError(f"{self._plugin} failed at {verb}: {whereabouts(error)}", permanent=False) from None
