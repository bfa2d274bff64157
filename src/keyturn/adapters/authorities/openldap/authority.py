"""OpenLDAP behind the port of every realm. Read this first.

Changes are made on the provider, as a password administrator: a login with `manage` on the accounts' entries. Each
verb opens its own connections and keeps none.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from ldap.dn import escape_dn_chars
from ldap.filter import escape_filter_chars

from keyturn.adapters.authorities.directories.channel import connected
from keyturn.adapters.authorities.openldap import discovery, groups, passwords, policy
from keyturn.adapters.authorities.openldap.entry import DISABLED, WANTED, Record, absent, record
from keyturn.adapters.authorities.openldap.logins import OwnLogin
from keyturn.adapters.authorities.openldap.session import Session, bind
from keyturn.adapters.authorities.openldap.settings import Settings, read
from keyturn.adapters.authorities.reaching import Login, Logins
from keyturn.lifecycle.ports import AccountState, Authority, Rights
from keyturn.model.accounts import Account, AccountToBe
from keyturn.model.errors import AuthorityError, NotFound
from keyturn.model.estate import Realm
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.policy import RealmPolicy
from keyturn.model.secret import Secret
from keyturn.operations.surveys import NamedPolicy, Survey

_MAKING = "keyturn-making-"
"""How an account is called until it has its password."""
_BY_NAME = "(&(objectClass=person)(uid={}))"
_BY_UUID = "(entryUUID={})"


def open_authority(realm: Realm, logins: Logins) -> Authority:
    settings = read(realm)
    own = OwnLogin(realm.name, settings.hosts[0], logins, time.monotonic)
    return OpenLdap(realm, settings, own, now=time.time, sleep=time.sleep)


class OpenLdap:
    """`now` is compared with the servers' moments, so clocks must agree to a second or so; where they do not, a lock
    that is over may show a little longer."""

    def __init__(
        self,
        realm: Realm,
        settings: Settings,
        own: OwnLogin,
        *,
        now: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._realm = realm
        self._settings = settings
        self._own = own
        self._now = now
        self._sleep = sleep

    def find(self, name: str) -> Account | None:
        with self._session() as session:
            found = self._by_name(session, name)
        return self._account(found) if found else None

    def describe(self, account: Account) -> AccountState:
        """Version 0 for a server that the account has not reached, and for a password older than the overlay."""
        with self._session() as session:
            pinned = self._require(session, account)
            in_force = self._policy(session, pinned)
        states = [pinned.state(self._settings.hosts[0], in_force, self._now())]
        for host in self._settings.hosts[1:]:
            with self._session(host) as session:
                found = self._by_uuid(session, account)
            states.append(found.state(host, in_force, self._now()) if found else absent(host))
        return AccountState(self._account(pinned), not pinned.disabled, in_force, tuple(states))

    def create(self, account: AccountToBe, secret: Secret, like: Account | None = None) -> Account:
        """The entry bears another name until it has its password, so that no crash leaves an account without one
        under the name that is looked for. What a crash leaves is taken up by the next call."""
        name = account.name.strip()
        with self._session() as session:
            joined = self._groups_of(session, self._require(session, like)) if like else frozenset[str]()
            if self._by_name(session, name):
                raise AuthorityError(f"{account} exists already", permanent=True)
            self._accept(secret, name, policy.in_force(session, self._settings.policy, self._realm.policy))
            making = self._making(session, name)
            self._change(session, making, secret)
            session.rename(making.dn, f"uid={escape_dn_chars(name)}")
            made = Account(self._realm.name, making.uuid, name)
            groups.join(session, self._settings.groups, self._require(session, made).dn, joined)
        return made

    def set_password(self, account: Account, secret: Secret) -> None:
        """Refused by AuthorityError, permanent, if it is shorter than the policy wants."""
        with self._session() as session:
            found = self._require(session, account)
            self._accept(secret, found.name, self._policy(session, found))
            self._change(session, found, secret)

    def try_logon(
        self,
        account: Account,
        secret: Secret,
        *,
        protocol: LogonProtocol,  # a directory knows one: the simple bind
        replica: str | None = None,
    ) -> Answer:
        """LOCKED for an account that is disabled or outside its time, too: the server says no to right and wrong
        alike, so that DISABLED, which says that the password is right, could not be said honestly."""
        host = self._host(replica)
        with self._session(host) as session:
            before = self._by_uuid(session, account)
            in_force = self._policy(session, before) if before else RealmPolicy()
        if before is None:
            self._require_somewhere(account)
            return Answer.UNKNOWN_ACCOUNT
        if before.barred(in_force, self._now()):
            return Answer.LOCKED
        with connected(self._settings, host) as connection:
            answer = bind(connection, host, before.dn, secret)
        if answer is Answer.WRONG_PASSWORD and self._was_not_counted(host, account, before):
            return Answer.LOCKED
        return answer

    def unlock(self, account: Account) -> None:
        """Written even where the provider shows neither lock nor count: any change makes a consumer take the whole
        entry, and so forget its own. A disabled account stays so."""
        with self._session() as session:
            found = self._require(session, account)
            nothing: dict[str, bytes | None] = {"pwdFailureTime": None}
            if not found.disabled:
                nothing["pwdAccountLockedTime"] = None
            session.replace(found.dn, nothing, relax=True)

    def disable(self, account: Account) -> None:
        """AuthorityError, permanent, where the policy never locks: the overlay then overlooks the mark."""
        with self._session() as session:
            found = self._require(session, account)
            if self._policy(session, found).lockout_threshold == 0:
                raise AuthorityError(
                    f"{account} cannot be disabled: under a policy that never locks, the overlay overlooks the mark",
                    permanent=True,
                    hint="set pwdLockout to TRUE and pwdMaxFailure above 0 in the account's policy",
                )
            session.replace(found.dn, {"pwdAccountLockedTime": DISABLED})

    def enable(self, account: Account) -> None:
        with self._session() as session:
            found = self._require(session, account)
            if found.disabled:
                session.replace(found.dn, {"pwdAccountLockedTime": None})

    def delete(self, account: Account) -> None:
        with self._session() as session:
            found = self._by_uuid(session, account)
            if found:
                groups.leave_all(session, self._settings.groups, found.dn)
                session.delete(found.dn)

    def rights(self, account: Account) -> Rights:
        """Groups alone: what access rules of the servers give to an entry's name cannot be asked for."""
        with self._session() as session:
            return Rights(groups=self._groups_of(session, self._require(session, account)))

    def grant(self, account: Account, rights: Rights) -> None:
        with self._session() as session:
            found = self._require(session, account)
            if rights.grants:
                raise AuthorityError(f"{self._realm.name} knows groups only, no grants for {account}", permanent=True)
            groups.join(session, self._settings.groups, found.dn, rights.groups)

    def survey(self, now: float) -> Survey:
        with self._session() as session:
            found = discovery.survey(session, self._settings, now)
            in_force = policy.in_force(session, self._settings.policy, self._realm.policy)
        return replace(found, policies=(NamedPolicy("of the directory", in_force),))

    @contextmanager
    def _session(self, host: str | None = None) -> Iterator[Session]:
        """Bound as Keyturn, on the provider unless said."""
        where = host or self._settings.hosts[0]
        with connected(self._settings, where) as connection:
            self._own.log_on(where, lambda login: bind(connection, where, self._own_entry(login), login.secret))
            yield Session(connection, where)

    def _own_entry(self, login: Login) -> str:
        """A login may be written as the name of an entry, for one that lives elsewhere."""
        return login.name if "=" in login.name else f"uid={escape_dn_chars(login.name)},{self._settings.accounts}"

    def _by_name(self, session: Session, name: str) -> Record | None:
        found = session.search(self._settings.accounts, _BY_NAME.format(escape_filter_chars(name.strip())), WANTED)
        if len(found) > 1:
            raise AuthorityError(
                f"{session.host} has {len(found)} entries named {name}: " + ", ".join(entry.dn for entry in found),
                permanent=True,
            )
        return record(found[0]) if found else None

    def _by_uuid(self, session: Session, account: Account) -> Record | None:
        condition = _BY_UUID.format(escape_filter_chars(account.sid))
        found = session.search(self._settings.accounts, condition, WANTED)
        return record(found[0]) if found else None

    def _require(self, session: Session, account: Account) -> Record:
        found = self._by_uuid(session, account)
        if found is None:
            raise NotFound(f"no account {account} on {session.host} (it was {account.sid})")
        return found

    def _require_somewhere(self, account: Account) -> None:
        with self._session() as session:
            self._require(session, account)

    def _making(self, session: Session, name: str) -> Record:
        draft = _MAKING + name
        if self._by_name(session, draft) is None:
            dn = f"uid={escape_dn_chars(draft)},{self._settings.accounts}"
            shown = (name.encode(),)
            classes = (b"person", b"uidObject")
            session.add(dn, {"objectClass": classes, "uid": (draft.encode(),), "cn": shown, "sn": shown})
        found = self._by_name(session, draft)
        if found is None:
            raise AuthorityError(f"{session.host} has added {draft} and does not show it", permanent=True)
        return found

    def _accept(self, secret: Secret, name: str, in_force: RealmPolicy) -> None:
        fault = policy.objection(secret, in_force)
        if fault:
            raise AuthorityError(f"{self._realm.name} does not take this password for {name}: {fault}", permanent=True)

    def _change(self, session: Session, found: Record, secret: Secret) -> None:
        account = self._account(found)
        passwords.change(session, found, secret, read=lambda: self._require(session, account), sleep=self._sleep)

    def _was_not_counted(self, host: str, account: Account, before: Record) -> bool:
        """A locked account is refused without counting; somebody else may have locked it since we looked."""
        with self._session(host) as session:
            after = self._by_uuid(session, account)
        return after is not None and after.failures == before.failures and after.locked_at is not None

    def _policy(self, session: Session, found: Record) -> RealmPolicy:
        return policy.in_force(session, found.policy or self._settings.policy, self._realm.policy)

    def _groups_of(self, session: Session, found: Record) -> frozenset[str]:
        return groups.groups_of(session, self._settings.groups, found.dn)

    def _account(self, found: Record) -> Account:
        return Account(self._realm.name, found.uuid, found.name)

    def _host(self, replica: str | None) -> str:
        """The pinned one where none is named."""
        if replica is None:
            return self._settings.hosts[0]
        if replica not in self._settings.hosts:
            raise NotFound(
                f"no replica {replica} in {self._realm.name}",
                hint="the replicas are " + ", ".join(self._settings.hosts),
            )
        return replica
