"""The SQL logins of one SQL Server instance behind the port of every realm. Read this first.

Passwords go there as hashes only, so that no trace or log of the server's can hold a clear one. Which password is live
is told by a mark made from the stored hash, whose salt is new with every set: it never counts, it differs.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from keyturn.adapters.authorities.reaching import Login, Logins
from keyturn.adapters.authorities.sql_server import grants, logins
from keyturn.adapters.authorities.sql_server.door import Door
from keyturn.adapters.authorities.sql_server.errors import ANSWERS, FOREIGN, told, translated
from keyturn.adapters.authorities.sql_server.logins import SqlLogin
from keyturn.adapters.authorities.sql_server.passwords import hashed
from keyturn.adapters.authorities.sql_server.servers import Server, server_of
from keyturn.adapters.authorities.sql_server.tds.session import Session
from keyturn.lifecycle.ports import AccountState, Authority, ReplicaState, Rights
from keyturn.model.accounts import Account, AccountToBe
from keyturn.model.errors import AuthorityError, NotFound
from keyturn.model.estate import Realm
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.policy import RealmPolicy
from keyturn.model.secret import Secret


def open_authority(realm: Realm, logins: Logins) -> Authority:
    server = server_of(realm)
    return SqlServerRealm(realm, server, Door(logins, server))


class SqlServerRealm:
    """An `Authority`. A sid is the server's own, which no other login of it ever bears."""

    def __init__(self, realm: Realm, server: Server, door: Door) -> None:
        self.name = realm.name
        self._replica = realm.replicas[0]
        self._server = server
        self._door = door
        self._configured = realm.policy

    def find(self, name: str) -> Account | None:
        with self._door.open(f"{self.name}\\{name}") as session:
            login = logins.named(session, name)
        return Account(self.name, login.sid, login.name) if login else None

    def describe(self, account: Account) -> AccountState:
        """A login that is logged on now was last seen now."""
        with self._changing(account) as (_, login):
            pass
        if login.mark is None:
            raise AuthorityError(
                f"{account} at {self._server}: the server does not show whether its password has changed",
                permanent=True,
                hint="GRANT VIEW ANY CRYPTOGRAPHICALLY SECURED DEFINITION, or CONTROL SERVER before 2022",
            )
        state = ReplicaState(
            self._replica,
            login.mark,
            login.set_at,
            login.bad_count or 0,
            login.bad_at,
            login.locked,
            login.in_use_at,
            counted=False,
            tells_bad=login.bad_count is not None,
        )
        return AccountState(replace(account, name=login.name), not login.disabled, self._policy(login), (state,))

    def create(self, account: AccountToBe, secret: Secret, like: Account | None = None) -> Account:
        """The login is there before it is in the server roles of `like`."""
        new = hashed(account, secret)
        with self._door.open(str(account)) as session:
            model = self._login(session, like) if like else None
            groups = grants.groups(session, model.sid) if model else set()
            logins.create(session, account.name, new, model)
            grants.join(session, account.name, sorted(groups))
            made = logins.named(session, account.name)
        assert made is not None
        return Account(self.name, made.sid, made.name)

    def set_password(self, account: Account, secret: Secret) -> None:
        new = hashed(account, secret)
        with self._changing(account) as (session, login):
            logins.set_password(session, login, new)

    def try_logon(
        self, account: Account, secret: Secret, *, protocol: LogonProtocol, replica: str | None = None
    ) -> Answer:
        """By password, whatever the protocol asked for. AuthorityError where the server gives no verdict."""
        with self._changing(account) as (_, login):
            pass
        if login.barred:
            raise AuthorityError(
                f"{account} is denied CONNECT SQL: {self._server} would refuse the right password like any other",
                permanent=True,
                hint="GRANT CONNECT SQL TO it",
            )
        try:
            self._server.connect(Login(login.name, secret)).close()
        except FOREIGN as error:
            answer = ANSWERS.get(told(error))
            if answer is None:
                raise translated(error, f"{account} at {self._server}") from None
            return answer
        return Answer.ACCEPTED

    def unlock(self, account: Account) -> None:
        """AuthorityError, permanent, for a login that must change its password first."""
        with self._changing(account) as (session, login):
            logins.unlock(session, login)

    def disable(self, account: Account) -> None:
        """Connections that are open stay open."""
        with self._changing(account) as (session, login):
            logins.bar(session, login, True)

    def enable(self, account: Account) -> None:
        with self._changing(account) as (session, login):
            logins.bar(session, login, False)

    def delete(self, account: Account) -> None:
        """AuthorityError for a login that is logged on, and a permanent one for one that owns a database. Its users
        stay behind in their databases, where nobody can use them."""
        with self._door.open(str(account)) as session:
            login = logins.by_sid(session, account.sid)
            if login:
                logins.drop(session, login)

    def rights(self, account: Account) -> Rights:
        with self._changing(account) as (session, login):
            return _rights(session, login)

    def grant(self, account: Account, rights: Rights) -> None:
        with self._changing(account) as (session, login):
            had = _rights(session, login)
            grants.join(session, login.name, sorted(rights.groups - had.groups))
            grants.give(session, login, rights.grants - had.grants)

    def _policy(self, login: SqlLogin) -> RealmPolicy:
        """Lockout is Windows' own, which the server does not show, and for logins under CHECK_POLICY alone. A hash
        cannot be judged: length and kind are the estate's to demand."""
        asked = self._configured
        return replace(
            asked,
            lockout_threshold=asked.lockout_threshold if login.checks_policy else 0,
            history=0,
            grace_s=0,
            min_age_s=0,
            max_age_s=asked.max_age_s if login.checks_expiration else 0,
        )

    @contextmanager
    def _changing(self, account: Account) -> Iterator[tuple[Session, SqlLogin]]:
        with self._door.open(str(account)) as session:
            yield session, self._login(session, account)

    def _login(self, session: Session, account: Account) -> SqlLogin:
        login = logins.by_sid(session, account.sid)
        if login is None:
            raise NotFound(f"{account} is no login of its server (sid {account.sid})")
        return login


def _rights(session: Session, login: SqlLogin) -> Rights:
    return Rights(frozenset(grants.groups(session, login.sid)), frozenset(grants.held(session, login.sid)))
