"""The accounts of a MariaDB server behind the port of every realm. Read this first."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pymysql

from keyturn.adapters.authorities.mariadb import accounts, allowed, discovery, errors, grants
from keyturn.adapters.authorities.mariadb.accounts import Entry
from keyturn.adapters.authorities.mariadb.door import Door
from keyturn.adapters.authorities.mariadb.names import UserAtHost, parsed
from keyturn.adapters.authorities.mariadb.passwords import identified
from keyturn.adapters.authorities.mariadb.servers import ClearPasswordWanted, Server, Session, servers_of
from keyturn.adapters.authorities.reaching import Login, Logins
from keyturn.lifecycle.ports import AccountState, Authority, ReplicaState, Rights
from keyturn.model.accounts import Account, AccountToBe
from keyturn.model.errors import AuthorityError, NotFound
from keyturn.model.estate import Realm
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.secret import Secret
from keyturn.operations.delegation import MissingRight
from keyturn.operations.surveys import Survey

_ANSWERS = {
    errors.ACCESS_DENIED: Answer.WRONG_PASSWORD,
    errors.ACCOUNT_LOCKED: Answer.DISABLED,
    errors.BLOCKED: Answer.LOCKED,
    errors.MUST_CHANGE: Answer.PASSWORD_EXPIRED,
    errors.PASSWORD_EXPIRED: Answer.PASSWORD_EXPIRED,
}


def open_authority(realm: Realm, logins: Logins) -> Authority:
    servers = servers_of(realm)
    return MariadbRealm(realm, servers, Door(logins, servers[0]))


class MariadbRealm:
    """An `Authority`. `ACCOUNT LOCK` is what Keyturn calls disabled; locked is an account blocked by
    `max_password_errors`, which the server tells only to who tries it, and never shows."""

    def __init__(self, realm: Realm, servers: tuple[Server, ...], door: Door) -> None:
        self.name = realm.name
        self._servers = dict(zip(realm.replicas, servers, strict=True))
        self._pinned = servers[0]
        self._door = door
        self._configured = realm.policy

    def find(self, name: str) -> Account | None:
        who = parsed(name)
        with self._door.open(self._pinned, f"{self.name}\\{name}") as session:
            found = accounts.entry(session, who)
        return self._account(who) if found else None

    def describe(self, account: Account) -> AccountState:
        """Version 0 for a replica that has not the account yet. An account that is logged on now was last seen now."""
        seen = {name: self._look(server, account) for name, server in self._servers.items()}
        pinned = seen[next(iter(seen))]
        if pinned is None:
            raise _missing(account)
        with self._door.open(self._pinned, str(account)) as session:
            threshold = accounts.threshold(session)
        policy = replace(
            self._configured,
            lockout_threshold=threshold,
            lockout_duration_s=0,
            history=0,
            grace_s=0,
            min_age_s=0,
            max_age_s=0,
        )
        states = tuple(
            ReplicaState(
                name,
                at.version if at else 0,
                float(at.set_at) if at else 0.0,
                last_logon_at=at.in_use_at if at else None,
                counted=False,
                tells_bad=False,
            )
            for name, at in seen.items()
        )
        return AccountState(self._account(pinned.who), not pinned.disabled, policy, states)

    def create(self, account: AccountToBe, secret: Secret, like: Account | None = None) -> Account:
        """The account is there before it is in the groups of `like`: MariaDB knows no transaction over accounts."""
        who, hashed = parsed(account.name), identified(account, secret)
        with self._door.open(self._pinned, str(account)) as session:
            groups = grants.rights(session, self._entry(session, like).who).groups if like else frozenset()
            accounts.execute(session, f"CREATE USER {who.quoted(session)} {hashed}")
            grants.join(session, who, sorted(groups))
        return self._account(who)

    def set_password(self, account: Account, secret: Secret) -> None:
        hashed = identified(account, secret)
        with self._changing(account) as (session, entry):
            accounts.after(session, entry.set_at)
            accounts.execute(session, f"ALTER USER {entry.who.quoted(session)} {hashed}")

    def try_logon(
        self, account: Account, secret: Secret, *, protocol: LogonProtocol, replica: str | None = None
    ) -> Answer:
        """Refused by AuthorityError where the server would choose among several accounts of the user, or another one:
        the attempt would count on that. UNKNOWN_ACCOUNT on a replica that the account has not reached."""
        server = self._servers[replica] if replica else self._pinned
        with self._door.open(server, str(account)) as session:
            entry = accounts.entry(session, parsed(account.sid))
            reached = accounts.reached_from_here(session, entry.who.user) if entry else ()
        if entry is None:
            if server is self._pinned or self._look(self._pinned, account) is None:
                raise _missing(account)
            return Answer.UNKNOWN_ACCOUNT
        if reached != (entry.who,):
            instead = ", ".join(sorted(who.sid for who in reached if who != entry.who)) or "nobody"
            raise AuthorityError(
                f"from here {server} would take a logon of {entry.who.user} for {instead}, not for {account} alone",
                permanent=True,
                hint=f"an account that is let in from Keyturn's host, as {entry.who.user}@%",
            )
        return self._answer(server, account, Login(entry.who.user, secret))

    def unlock(self, account: Account) -> None:
        """Whatever alters an account ends its block; saying again what it is changes nothing else. Replicas repeat
        the statement."""
        with self._changing(account) as (session, entry):
            _bar(session, entry, entry.disabled)

    def disable(self, account: Account) -> None:
        """Connections that are open stay open."""
        with self._changing(account) as (session, entry):
            _bar(session, entry, True)

    def enable(self, account: Account) -> None:
        with self._changing(account) as (session, entry):
            _bar(session, entry, False)

    def delete(self, account: Account) -> None:
        """Its grants go with it; what it made stays."""
        who = parsed(account.sid)
        with self._door.open(self._pinned, str(account)) as session:
            accounts.execute(session, f"DROP USER IF EXISTS {who.quoted(session)}")

    def rights(self, account: Account) -> Rights:
        with self._changing(account) as (session, entry):
            return grants.rights(session, entry.who)

    def grant(self, account: Account, rights: Rights) -> None:
        """Keyturn gives what it holds with the option to grant; roles are the way to need little of that."""
        with self._changing(account) as (session, entry):
            held = grants.rights(session, entry.who)
            grants.join(session, entry.who, sorted(rights.groups - held.groups))
            # A role is granted before it becomes the default one: GRANT comes before SET.
            grants.give(session, entry.who, sorted(rights.grants - held.grants))

    def survey(self, now: float) -> Survey:
        with self._door.open(self._pinned, f"the accounts of {self.name}") as session:
            return discovery.survey(session, tuple(self._servers), now)

    def missing_rights(self, accounts: Collection[Account]) -> tuple[MissingRight, ...]:
        """Of all accounts alike: the server knows no right over one of them."""
        with self._door.open(self._pinned, f"Keyturn's rights in {self.name}") as session:
            return tuple(allowed.missing(session))

    def _answer(self, server: Server, account: Account, login: Login) -> Answer:
        try:
            with server.connect(login) as session:
                accounts.execute(session, "DO 1")  # an account whose password has expired is let in as far as this
        except pymysql.err.Error as error:
            answer = _ANSWERS.get(errors.number(error))
            if answer is None:
                raise errors.translated(error, f"{account} at {server}") from None
            return answer
        except (OSError, ClearPasswordWanted) as error:
            raise errors.translated(error, f"{account} at {server}") from None
        return Answer.ACCEPTED

    def _look(self, server: Server, account: Account) -> Entry | None:
        with self._door.open(server, str(account)) as session:
            return accounts.entry(session, parsed(account.sid))

    @contextmanager
    def _changing(self, account: Account) -> Iterator[tuple[Session, Entry]]:
        with self._door.open(self._pinned, str(account)) as session:
            yield session, self._entry(session, account)

    def _entry(self, session: Session, account: Account) -> Entry:
        found = accounts.entry(session, parsed(account.sid))
        if found is None:
            raise _missing(account)
        return found

    def _account(self, who: UserAtHost) -> Account:
        return Account(self.name, who.sid, who.name)


def _bar(session: Session, entry: Entry, barred: bool) -> None:
    accounts.execute(session, f"ALTER USER {entry.who.quoted(session)} ACCOUNT {'LOCK' if barred else 'UNLOCK'}")


def _missing(account: Account) -> NotFound:
    return NotFound(f"{account} is no account of its server")
