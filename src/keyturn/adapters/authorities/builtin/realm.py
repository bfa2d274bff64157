"""The built-in realm behind the port of every realm. Read this first."""

import secrets
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from keyturn.adapters.authorities.builtin import logons, replication
from keyturn.adapters.authorities.builtin.administration import Administration
from keyturn.adapters.authorities.builtin.authentication import Presented, authenticate
from keyturn.adapters.authorities.builtin.database import Database
from keyturn.adapters.authorities.builtin.directory import Directory, acceptable
from keyturn.adapters.authorities.builtin.founding import Foundation, admit, found
from keyturn.adapters.authorities.builtin.logons import LogonEvent
from keyturn.adapters.authorities.builtin.passwords import SALT_BYTES, changed, objection
from keyturn.adapters.authorities.builtin.units import Ageing, Copy, Lock, Naming, Passwords, standing
from keyturn.lifecycle.ports import AccountState, ReplicaState, Rights
from keyturn.model.accounts import Account, AccountToBe, RealmName, canonical
from keyturn.model.errors import AuthorityError
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.policy import RealmPolicy
from keyturn.model.secret import Secret

OURSELVES = "keyturn"
"""The source under which `try_logon` is logged."""


class BuiltinRealm:
    """An `Authority`. Its policy, its links and its accounts' flags are set through `administration`.

    `replicas` starts with the pinned one, on which changes are made. `replication_s` is for a realm that is founded
    now; a realm that exists keeps its own. AuthorityError, permanent, if the file is another realm's, or was made
    with other replicas (new ones may follow at the end). `random` gives that many random bytes.
    """

    def __init__(
        self,
        path: Path,
        name: RealmName,
        replicas: tuple[str, ...] = ("dc1",),
        replication_s: float = 0,
        *,
        now: Callable[[], float],
        random: Callable[[int], bytes] = secrets.token_bytes,
        patience_s: float = 30,
    ) -> None:
        self.name = name
        self._random = random
        foundation = Foundation(name, replicas, replication_s, random)
        found(path, foundation)
        self._database = Database(path, name, now, patience_s)
        try:
            with self._database.transaction() as rows:
                self._key = admit(rows, foundation)
        except BaseException:
            self._database.close()
            raise
        self.administration = Administration(self._database)

    def close(self) -> None:
        self._database.close()

    def find(self, name: str) -> Account | None:
        with self._database.directory() as directory:
            sid = directory.sid(directory.pinned, name)
            copy = directory.copy(directory.pinned, sid) if sid else None
            return directory.account(sid, copy) if sid and copy else None

    def describe(self, account: Account) -> AccountState:
        """Version 0 for a replica that does not hold the account, or not yet."""
        with self._database.directory() as directory:
            copy = directory.require(account)
            policy = directory.policy(account.sid)
            replicas = tuple(_replica_state(directory, name, account.sid, policy) for name in directory.replicas)
            named = directory.account(account.sid, copy)
        return AccountState(named, not copy.validity.disabled, policy, replicas)

    def create(self, account: AccountToBe, secret: Secret, like: Account | None = None) -> Account:
        if not acceptable(account.name):
            raise AuthorityError("an account cannot bear this name", permanent=True)
        name = account.name.strip()
        with self._database.directory() as directory:
            if directory.sid(directory.pinned, name):
                raise AuthorityError(f"{account} exists already", permanent=True)
            groups = directory.require(like).rights.groups if like else frozenset()
            passwords = self._changed(Passwords(), secret, name, directory.policy(), directory.now)
            sid = directory.new_sid()
            for unit in (Naming(name, canonical(name)), passwords, Rights(groups=groups)):
                directory.write(directory.pinned, sid, unit)
        return Account(self.name, sid, name)

    def set_password(self, account: Account, secret: Secret, *, replica: str | None = None) -> None:
        """Refused by AuthorityError, permanent, if the policy does not take the password. Setting on another
        `replica` than the pinned one is how two administrators come into conflict."""
        with self._database.directory() as directory:
            where = directory.replica(replica)
            copy = directory.require(account, where)
            policy = directory.policy(account.sid)
            passwords = self._changed(copy.passwords, secret, copy.naming.name, policy, directory.now)
            directory.write(where, account.sid, passwords)
            if copy.ageing != Ageing():
                directory.write(where, account.sid, Ageing())

    def try_logon(
        self, account: Account, secret: Secret, *, protocol: LogonProtocol, replica: str | None = None
    ) -> Answer:
        """UNKNOWN_ACCOUNT on a replica that the account has not reached yet."""
        with self._database.directory() as directory:
            where = directory.replica(replica)
            if directory.copy(where, account.sid) is None:
                directory.require(account)
            presented = Presented(secret, protocol, where, OURSELVES)
            return authenticate(directory, account.sid, presented, self._key).answer

    def logon(
        self, name: str, secret: Secret, *, protocol: LogonProtocol, replica: str | None = None, source: str
    ) -> LogonEvent:
        """As a client does: by name, from somewhere. An unknown name takes as much work as a known one. The event
        says whether the password proved was the current one."""
        with self._database.directory() as directory:
            where = directory.replica(replica)
            sid = directory.sid(where, name)
            return authenticate(directory, sid, Presented(secret, protocol, where, source), self._key)

    def logons(self, since: float) -> tuple[LogonEvent, ...]:
        """Every logon at or after that moment, on every replica, as far back as the log goes (`logons.KEPT`)."""
        with self._database.directory() as directory:
            return logons.events(directory.rows, self.name, since)

    def failed_logons(self, since: float, account: Account | None = None) -> int:
        """How many logons at or after that moment were not accepted, for whatever reason."""
        with self._database.directory() as directory:
            return logons.refusals(directory.rows, since, account.sid if account else None)

    def unlock(self, account: Account, *, replica: str | None = None) -> None:
        """On every replica that can be reached from the pinned one. With `replica` on that one alone: the lock
        ends everywhere once that has replicated, but the others keep their counts."""
        with self._database.directory() as directory:
            directory.require(account, replica)
            wanted = (replica,) if replica else replication.reachable(directory.rows, directory.pinned)
            for where in wanted:
                if directory.copy(where, account.sid):
                    # Written even where no lock shows: one that is still on its way must find a later write here.
                    directory.write(where, account.sid, Lock())
                    directory.keep(where, account.sid, replace(directory.tally(where, account.sid), bad_count=0))

    def disable(self, account: Account) -> None:
        self._set_disabled(account, True)

    def enable(self, account: Account) -> None:
        self._set_disabled(account, False)

    def delete(self, account: Account) -> None:
        """Its digests go with it. Another replica answers for the account until the deletion arrives there."""
        with self._database.directory() as directory:
            copy = directory.copy(directory.pinned, account.sid)
            if copy:
                directory.write(directory.pinned, account.sid, Naming(copy.naming.name, None))
                directory.write(directory.pinned, account.sid, Passwords())

    def rights(self, account: Account) -> Rights:
        with self._database.directory() as directory:
            return directory.require(account).rights

    def grant(self, account: Account, rights: Rights) -> None:
        """A group or grant that the realm has not heard of is made; names differing in case are the same one."""
        with self._database.directory() as directory:
            now = directory.require(account).rights
            wanted = Rights(
                now.groups | directory.spelled(rights.groups),
                now.grants | directory.spelled(rights.grants),
            )
            if wanted != now:
                directory.write(directory.pinned, account.sid, wanted)

    def _changed(self, old: Passwords, secret: Secret, name: str, policy: RealmPolicy, now: float) -> Passwords:
        fault = objection(secret, name, policy)
        if fault:
            raise AuthorityError(f"{self.name} does not take this password for {name}: {fault}", permanent=True)
        return changed(old, secret, policy, now, key=self._key, salt=self._random(SALT_BYTES))

    def _set_disabled(self, account: Account, disabled: bool) -> None:
        with self._database.directory() as directory:
            copy = directory.require(account)
            directory.write(directory.pinned, account.sid, replace(copy.validity, disabled=disabled))


def _replica_state(directory: Directory, replica: str, sid: str, policy: RealmPolicy) -> ReplicaState:
    copy = directory.copy(replica, sid) or Copy()
    tally = directory.tally(replica, sid)
    locked = standing(copy, tally.bad_count, tally.last_bad_at, policy, directory.now).locked(policy, directory.now)
    return ReplicaState(
        replica=replica,
        version=copy.passwords.version,
        password_set_at=copy.passwords.set_at,
        bad_count=tally.bad_count,
        last_bad_at=tally.last_bad_at,
        locked=locked,
        last_logon_at=tally.last_logon_at,
    )
