"""Active Directory behind the port of every realm. Read this first.

A verb that fails ends its connection: nothing is ever sent again on one whose last answer was lost.
"""

from collections.abc import Collection

from keyturn.adapters.authorities.active_directory import changes, discovery, rights
from keyturn.adapters.authorities.active_directory.allowed import missing
from keyturn.adapters.authorities.active_directory.controllers import Controllers
from keyturn.adapters.authorities.active_directory.directory import account_named, require
from keyturn.adapters.authorities.active_directory.domain import Domain, domain_of
from keyturn.adapters.authorities.active_directory.kerberos import refuse_without_kerberos
from keyturn.adapters.authorities.active_directory.logon import Attempt, log_on
from keyturn.adapters.authorities.active_directory.policy import account_and_policy
from keyturn.adapters.authorities.active_directory.states import NAMING, STATE, named, replica_state, usable
from keyturn.adapters.authorities.reaching import Logins
from keyturn.lifecycle.ports import AccountState, Authority, Rights
from keyturn.model.accounts import Account, AccountToBe
from keyturn.model.estate import Realm
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.secret import Secret
from keyturn.operations.delegation import MissingRight
from keyturn.operations.surveys import Survey


def open_authority(realm: Realm, logins: Logins) -> Authority:
    domain = domain_of(realm)
    refuse_without_kerberos(realm.name, sealed=domain.certificate_authority is None)
    return ActiveDirectory(domain, logins)


class ActiveDirectory:
    """An `Authority`. The first controller is the pinned one, on which changes are made: the PDC emulator, where
    others send a logon that they would refuse."""

    def __init__(self, domain: Domain, logins: Logins) -> None:
        self._domain = domain
        self._controllers = Controllers(domain, logins)

    def find(self, name: str) -> Account | None:
        with self._controllers.session() as session:
            entry = account_named(session, name, NAMING)
        return named(self._domain.realm, entry) if entry else None

    def describe(self, account: Account) -> AccountState:
        """Version 0 for a controller that the account has not reached yet."""
        with self._controllers.session() as session:
            entry, policy = account_and_policy(session, account, self._domain.policy)
        replicas = [replica_state(self._domain.pinned, entry)]
        for host in self._domain.others:
            with self._controllers.session(host) as session:
                replicas.append(replica_state(host, session.identity(account.sid, STATE)))
        return AccountState(named(self._domain.realm, entry), usable(entry), policy, tuple(replicas))

    def create(self, account: AccountToBe, secret: Secret, like: Account | None = None) -> Account:
        """In the organisational unit of `like`, else in the realm's `container`. Service principal names and
        delegation are not copied: the first are unique, the second is for a person to give."""
        with self._controllers.session() as session:
            model = rights.model(session, like) if like else None
            parent = model.container if model else self._domain.container_in(session.base)
            made = changes.add(session, parent, account, secret)
            if model:
                rights.join_like(session, made, model)
            return named(self._domain.realm, made)

    def set_password(self, account: Account, secret: Secret) -> None:
        with self._controllers.session() as session:
            changes.set_password(session, require(session, account, NAMING), secret)

    def try_logon(
        self, account: Account, secret: Secret, *, protocol: LogonProtocol, replica: str | None = None
    ) -> Answer:
        """UNKNOWN_ACCOUNT on a controller that the account has not reached yet."""
        host = self._domain.host(replica)
        with self._controllers.session(host) as session:
            entry = session.identity(account.sid, NAMING)
        if entry is None:
            with self._controllers.session() as session:
                require(session, account, NAMING)
            return Answer.UNKNOWN_ACCOUNT
        attempt = Attempt(self._domain, host, session.base, entry.text("sAMAccountName"), secret)
        return log_on(attempt, protocol)

    def unlock(self, account: Account) -> None:
        """Read back on every controller: one that keeps its count is an AuthorityError that may pass."""
        with self._controllers.session() as session:
            require(session, account, NAMING)
        for host in self._domain.hosts:
            with self._controllers.session(host) as session:
                changes.unlock(session, account)

    def disable(self, account: Account) -> None:
        with self._controllers.session() as session:
            changes.set_usable(session, require(session, account, STATE), False)

    def enable(self, account: Account) -> None:
        with self._controllers.session() as session:
            changes.set_usable(session, require(session, account, STATE), True)

    def delete(self, account: Account) -> None:
        with self._controllers.session() as session:
            changes.delete(session, account)

    def rights(self, account: Account) -> Rights:
        with self._controllers.session() as session:
            return rights.rights(session, account)

    def grant(self, account: Account, rights_: Rights) -> None:
        """Groups alone, which must be there already. What else is lacking shows when the two are compared."""
        with self._controllers.session() as session:
            rights.join(session, account, rights_.groups)

    def survey(self, now: float) -> Survey:
        with self._controllers.session() as session:
            return discovery.survey(session, self._domain, now)

    def missing_rights(self, accounts: Collection[Account]) -> tuple[MissingRight, ...]:
        with self._controllers.session() as session:
            return tuple(missing(session, self._domain, accounts))
