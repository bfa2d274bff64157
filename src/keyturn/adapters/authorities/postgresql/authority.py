"""The roles of a PostgreSQL server behind the port of every realm. Read this first.

Passwords go there as SCRAM verifiers only, so that no log of the server's can hold a clear one. Which password is
live is told by a mark made from the stored verifier, whose salt is new with every set: it never counts, it differs.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace

from keyturn.adapters.authorities.postgresql import allowed, discovery, grants, roles
from keyturn.adapters.authorities.postgresql.door import Door, Session
from keyturn.adapters.authorities.postgresql.logon import try_scram
from keyturn.adapters.authorities.postgresql.roles import Role
from keyturn.adapters.authorities.postgresql.scram import MECHANISM, fit
from keyturn.adapters.authorities.postgresql.servers import Server, servers_of
from keyturn.adapters.authorities.reaching import Logins
from keyturn.lifecycle.ports import AccountState, Authority, ReplicaState, Rights
from keyturn.model.accounts import Account, AccountToBe, AnyAccount
from keyturn.model.errors import AuthorityError, NotFound
from keyturn.model.estate import Realm
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.policy import RealmPolicy
from keyturn.model.secret import Secret
from keyturn.operations.delegation import MissingRight
from keyturn.operations.surveys import Survey


def open_authority(realm: Realm, logins: Logins) -> Authority:
    servers = servers_of(realm)
    return PostgresqlRealm(realm, servers, Door(logins, servers[0]))


class PostgresqlRealm:
    """An `Authority`. A sid is the server's system identifier and the role's oid, alike on all its standbys."""

    def __init__(self, realm: Realm, servers: tuple[Server, ...], door: Door) -> None:
        self.name = realm.name
        self._servers = dict(zip(realm.replicas, servers, strict=True))
        self._pinned = servers[0]
        self._door = door
        self._policy = _policy(realm.policy)

    def find(self, name: str) -> Account | None:
        with self._door.open(self._pinned, f"{self.name}\\{name}") as session:
            role = roles.named(session, name)
        return Account(self.name, role.sid, role.name) if role else None

    def describe(self, account: Account) -> AccountState:
        """Version 0 for a standby that has not the role yet. The server keeps no moment of a password or a logon; a
        role that is logged on now was last seen now."""
        seen = {name: self._look(server, account) for name, server in self._servers.items()}
        role = seen[next(iter(seen))]
        if role is None:
            raise _missing(account)
        states = tuple(
            ReplicaState(
                name,
                at.mark if at else 0,
                0.0,
                last_logon_at=at.in_use_at if at else None,
                counted=False,
                tells_bad=False,
            )
            for name, at in seen.items()
        )
        return AccountState(replace(account, name=role.name), role.logs_on, self._policy, states)

    def create(self, account: AccountToBe, secret: Secret, like: Account | None = None) -> Account:
        with self._door.open(self._pinned, str(account)) as session:
            groups = roles.groups(session, self._role(session, like).oid) if like else ()
            verifier = _verifier(session, account, secret)
            roles.change(session, "CREATE ROLE {name} LOGIN PASSWORD {verifier}", name=account.name, verifier=verifier)
            roles.join(session, account.name, groups)
            made = roles.named(session, account.name)
        assert made is not None
        return Account(self.name, made.sid, made.name)

    def set_password(self, account: Account, secret: Secret) -> None:
        with self._changing(account) as (session, role):
            verifier = _verifier(session, account, secret)
            roles.change(session, "ALTER ROLE {name} PASSWORD {verifier}", name=role.name, verifier=verifier)

    def try_logon(
        self, account: Account, secret: Secret, *, protocol: LogonProtocol, replica: str | None = None
    ) -> Answer:
        """By SCRAM, whatever the protocol asked for. UNKNOWN_ACCOUNT on a standby that the role has not reached."""
        server = self._servers[replica] if replica else self._pinned
        role = self._look(server, account)
        if role is None:
            if server is self._pinned or self._look(self._pinned, account) is None:
                raise _missing(account)
            return Answer.UNKNOWN_ACCOUNT
        _refuse_unfit(account, secret)
        if role.expired:
            raise AuthorityError(
                f"the password of {account} is past its end: {server} would refuse the right one like any other",
                permanent=True,
                hint="ALTER ROLE … VALID UNTIL 'infinity'",
            )
        return try_scram(server, role.name, secret)

    def unlock(self, account: Account) -> None:
        """PostgreSQL never locks."""
        with self._changing(account):
            pass

    def disable(self, account: Account) -> None:
        """Connections that are open stay open."""
        with self._changing(account) as (session, role):
            roles.change(session, "ALTER ROLE {name} NOLOGIN", name=role.name)

    def enable(self, account: Account) -> None:
        with self._changing(account) as (session, role):
            roles.change(session, "ALTER ROLE {name} LOGIN", name=role.name)

    def delete(self, account: Account) -> None:
        """AuthorityError, permanent, for a role that owns something or has rights of its own."""
        with self._door.open(self._pinned, str(account)) as session:
            role = roles.by_sid(session, account.sid)
            if role:
                roles.change(session, "DROP ROLE {name}", name=role.name)

    def rights(self, account: Account) -> Rights:
        """Grants of every database in which the role has any, by the server's own record (pg_shdepend)."""
        with self._changing(account) as (session, role):
            groups = roles.groups(session, role.oid)
            found = grants.held(session, role.oid)
            places = grants.databases(session, role.oid)
        for database in places:
            with self._door.open(self._pinned, f"{account} in {database}", database) as session:
                found |= grants.held_here(session, role.oid)
        return Rights(frozenset(groups), frozenset(found))

    def grant(self, account: Account, rights: Rights) -> None:
        held = self.rights(account)
        missing = rights.grants - held.grants
        with self._changing(account) as (session, role):
            roles.join(session, role.name, sorted(rights.groups - held.groups))
            missing -= grants.give(session, role, missing)
            places = grants.all_databases(session) if missing else ()
        for database in places:
            with self._door.open(self._pinned, f"{account} in {database}", database) as session:
                missing -= grants.give_here(session, role, missing)
        if missing:
            raise AuthorityError(
                f"{account} cannot be given: {', '.join(sorted(missing))}",
                permanent=True,
                hint="let a role that never logs on own objects and hold rights, and both accounts be members of it",
            )

    def survey(self, now: float) -> Survey:
        with self._door.open(self._pinned, f"the roles of {self.name}") as session:
            return discovery.survey(session, tuple(self._servers), now)

    def missing_rights(self, accounts: Collection[Account]) -> tuple[MissingRight, ...]:
        with self._door.open(self._pinned, f"Keyturn's rights in {self.name}") as session:
            return tuple(allowed.missing(session, [account.name for account in accounts]))

    def _look(self, server: Server, account: Account) -> Role | None:
        with self._door.open(server, str(account)) as session:
            return roles.by_sid(session, account.sid)

    @contextmanager
    def _changing(self, account: Account) -> Iterator[tuple[Session, Role]]:
        """One transaction on the pinned server: it lands whole or not at all."""
        with self._door.open(self._pinned, str(account)) as session:
            yield session, self._role(session, account)

    def _role(self, session: Session, account: Account) -> Role:
        role = roles.by_sid(session, account.sid)
        if role is None:
            raise _missing(account)
        return role


def _policy(configured: RealmPolicy) -> RealmPolicy:
    """The server sees a verifier and cannot judge a password: length and kind are the estate's to demand."""
    return replace(configured, lockout_threshold=0, history=0, grace_s=0, min_age_s=0, max_age_s=0)


def _verifier(session: Session, account: AnyAccount, secret: Secret) -> str:
    """With a new salt each time."""
    _refuse_unfit(account, secret)
    clear = secret.reveal().encode()
    return session.pgconn.encrypt_password(clear, b"", MECHANISM.lower().encode()).decode()


def _refuse_unfit(account: AnyAccount, secret: Secret) -> None:
    if not fit(secret):
        raise AuthorityError(
            f"{account.realm} does not take this password for {account.name}: it is empty, or has a character that is "
            "not printable ASCII",
            permanent=True,
        )


def _missing(account: Account) -> NotFound:
    return NotFound(f"{account} is no role of its server (sid {account.sid})")
