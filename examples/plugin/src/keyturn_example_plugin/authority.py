"""The realm: accounts in a file, their passwords as argon2 hashes. Read this first.

Whoever checks a password against the file counts no wrong one, so this realm never locks.
"""

import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from keyturn.adapters.authorities.reaching import Logins, settings_of
from keyturn.lifecycle.ports import AccountState, Authority, ReplicaState, Rights
from keyturn.model.accounts import Account, AccountToBe
from keyturn.model.errors import AuthorityError, NotFound, Refused
from keyturn.model.estate import Realm
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.secret import Secret
from keyturn_example_plugin.key_file import Entry, KeyFile


def open_authority(realm: Realm, logins: Logins) -> Authority:
    """What the entry point names. `logins` would give the realm's `bind_account` with its password."""
    del logins  # a file has no logon
    settings = settings_of(realm, required=("path",))
    if len(realm.replicas) != 1:
        raise Refused(f"realm {realm.name}: a file has one replica", hint='replicas = ["here"]')
    return AcmeKeys(realm, KeyFile(Path(settings["path"])), time.time)


class AcmeKeys:
    def __init__(self, realm: Realm, file: KeyFile, now: Callable[[], float]) -> None:
        self._realm = realm
        self._file = file
        self._now = now
        self._hasher = PasswordHasher()

    def find(self, name: str) -> Account | None:
        """Names are told apart by their case."""
        found = _named(self._file.entries(), name)
        return self._account(found) if found else None

    def describe(self, account: Account) -> AccountState:
        entry = _required(self._file.entries(), account)
        policy = replace(self._realm.policy, lockout_threshold=0, history=1, grace_s=0)
        state = ReplicaState(self._realm.replicas[0], entry.version, entry.set_at, tells_bad=False)
        return AccountState(self._account(entry), entry.enabled, policy, (state,))

    def create(self, account: AccountToBe, secret: Secret, like: Account | None = None) -> Account:
        hashed = self._hashed(account.name, secret)
        with self._file.changing() as entries:
            groups = _required(entries, like).groups if like else []
            if _named(entries, account.name):
                raise AuthorityError(f"{account} exists already", permanent=True)
            entry = Entry(uuid.uuid4().hex, account.name, hashed, self._now(), groups=groups)
            entries[entry.sid] = entry
        return self._account(entry)

    def set_password(self, account: Account, secret: Secret) -> None:
        hashed = self._hashed(account.name, secret)
        with self._file.changing() as entries:
            entry = _required(entries, account)
            entries[entry.sid] = replace(entry, hashed=hashed, set_at=self._now(), version=entry.version + 1)

    def try_logon(
        self, account: Account, secret: Secret, *, protocol: LogonProtocol, replica: str | None = None
    ) -> Answer:
        if replica not in (None, *self._realm.replicas):
            raise NotFound(f"no replica {replica} in {self._realm.name}")
        entry = _required(self._file.entries(), account)
        try:
            self._hasher.verify(entry.hashed, secret.reveal())
        except VerifyMismatchError:
            return Answer.WRONG_PASSWORD
        return Answer.ACCEPTED if entry.enabled else Answer.DISABLED

    def unlock(self, account: Account) -> None:
        _required(self._file.entries(), account)

    def disable(self, account: Account) -> None:
        self._able(account, enabled=False)

    def enable(self, account: Account) -> None:
        self._able(account, enabled=True)

    def delete(self, account: Account) -> None:
        with self._file.changing() as entries:
            entries.pop(account.sid, None)

    def rights(self, account: Account) -> Rights:
        return Rights(groups=frozenset(_required(self._file.entries(), account).groups))

    def grant(self, account: Account, rights: Rights) -> None:
        if rights.grants:
            raise AuthorityError(f"{self._realm.name} knows groups only, no grants for {account}", permanent=True)
        with self._file.changing() as entries:
            entry = _required(entries, account)
            entries[entry.sid] = replace(entry, groups=sorted(rights.groups.union(entry.groups)))

    def _able(self, account: Account, *, enabled: bool) -> None:
        with self._file.changing() as entries:
            entry = _required(entries, account)
            entries[entry.sid] = replace(entry, enabled=enabled)

    def _hashed(self, name: str, secret: Secret) -> str:
        least = self._realm.policy.min_length
        if len(secret.reveal()) < least:
            raise AuthorityError(f"the password of {name} is shorter than {least}", permanent=True)
        return self._hasher.hash(secret.reveal())

    def _account(self, entry: Entry) -> Account:
        return Account(self._realm.name, entry.sid, entry.name)


def _named(entries: dict[str, Entry], name: str) -> Entry | None:
    return next((entry for entry in entries.values() if entry.name == name), None)


def _required(entries: dict[str, Entry], account: Account) -> Entry:
    try:
        return entries[account.sid]
    except KeyError:
        raise NotFound(f"no account {account} in the file (it was {account.sid})") from None
