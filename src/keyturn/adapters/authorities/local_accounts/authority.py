"""The accounts of one machine behind the port of every realm. Read this first.

For those of its own machine the server must run as root; for another's it is root there, or has sudo.
"""

import secrets
import time
from collections.abc import Callable

from keyturn.adapters.authorities.local_accounts import discovery, faillock, files
from keyturn.adapters.authorities.local_accounts.files import LOCKED, MAKING, Record
from keyturn.adapters.authorities.local_accounts.hashing import matches, yescrypt
from keyturn.adapters.authorities.local_accounts.programs import Machine
from keyturn.adapters.authorities.reaching import Logins, settings_of
from keyturn.lifecycle.ports import AccountState, Authority, ReplicaState, Rights
from keyturn.model.accounts import Account, AccountToBe
from keyturn.model.errors import AuthorityError, NotFound, Refused
from keyturn.model.estate import Realm
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.secret import Secret
from keyturn.operations.surveys import Survey
from keyturn.wire.ssh import way

_DAY_S = 86400
_NEW_UIDS = range(20000, 60000)
"""From which new accounts get theirs by chance: useradd(8) would give the number of one just deleted again, and with
it the identity."""


def open_authority(realm: Realm, logins: Logins) -> Authority:
    del logins  # a key of SSH is no account of the realm, and root needs none
    if len(realm.replicas) != 1:
        raise Refused(
            f"realm {realm.name}: the accounts of one machine have one replica", hint='replicas = ["this-machine"]'
        )
    return LocalAccounts(realm, time.time, _machine(realm))


def _machine(realm: Realm) -> Machine:
    if not realm.connection:
        return Machine()
    settings = settings_of(realm, required=("host", "user", "identity_file", "known_hosts"), optional=("port", "sudo"))
    return Machine(way(settings, f"realm {realm.name}"))


class LocalAccounts:
    def __init__(self, realm: Realm, now: Callable[[], float], machine: Machine) -> None:
        self._realm = realm
        self._host = realm.replicas[0]
        self._now = now
        self._machine = machine

    def find(self, name: str) -> Account | None:
        """Names are told apart by their case. An account that is not made to the end is not there."""
        found = files.read(self._machine).by_name(name)
        return self._account(found) if found and found.comment != MAKING else None

    def describe(self, account: Account) -> AccountState:
        """When it last logged on is not known: many services do so without a trace."""
        found = self._require(account)
        counting = faillock.read(self._machine)
        in_force, tally = counting.policy(self._realm.policy), counting.tally(found.name)
        state = ReplicaState(
            replica=self._host,
            version=found.mark,
            password_set_at=float((found.changed_day or 0) * _DAY_S),
            bad_count=len(tally.failures),
            last_bad_at=max(tally.failures, default=None),
            locked=tally.locked(in_force, self._now()),
            counted=False,
        )
        return AccountState(self._account(found), found.enabled, in_force, (state,))

    def create(self, account: AccountToBe, secret: Secret, like: Account | None = None) -> Account:
        """Without a home and without a shell. Until it has its password it bears a comment by which it is not found;
        what a crash leaves so is taken up by the next call."""
        joined = self._require(like).groups if like else frozenset[str]()
        known = files.read(self._machine)
        found = known.by_name(account.name)
        if found and found.comment != MAKING:
            raise AuthorityError(f"{account} exists already", permanent=True)
        self._accept(secret, account.name)
        if not found:
            uid = secrets.choice(sorted(set(_NEW_UIDS) - known.uids()))
            plain = ("--no-create-home", "--no-user-group", "--shell", "/usr/sbin/nologin")
            self._run("useradd", *plain, "--uid", str(uid), "--comment", MAKING, "--", account.name)
        self._join(account.name, joined)
        self._change(account.name, secret)
        self._run("usermod", "--comment", "", "--", account.name)
        made = self.find(account.name)
        if made is None:
            raise AuthorityError(f"{account} was made, and somebody has taken it away", permanent=True)
        return made

    def set_password(self, account: Account, secret: Secret) -> None:
        """Refused by AuthorityError, permanent, if it is shorter than the estate says. An account that is disabled
        stays so; a lock by wrong passwords stays too."""
        found = self._require(account)
        self._accept(secret, found.name)
        self._change(found.name, secret, disabled=not found.enabled and bool(found.hashed))

    def try_logon(
        self, account: Account, secret: Secret, *, protocol: LogonProtocol, replica: str | None = None
    ) -> Answer:
        """Checked against the file, in the order in which PAM would ask. It costs no attempt: no logon is made."""
        if replica not in (None, self._host):
            raise NotFound(f"no replica {replica} in {self._realm.name}", hint=f"it is {self._host}")
        found = self._require(account)
        counting = faillock.read(self._machine)
        if counting.tally(found.name).locked(counting.policy(self._realm.policy), self._now()):
            return Answer.LOCKED
        return _bar(found, int(self._now() // _DAY_S)) if matches(secret, found.hashed) else Answer.WRONG_PASSWORD

    def unlock(self, account: Account) -> None:
        found = self._require(account)
        faillock.read(self._machine).forget(found.name)

    def disable(self, account: Account) -> None:
        """Its password only: keys of SSH, timers and what runs already are not stopped."""
        found = self._require(account)
        if found.enabled:
            self._run("usermod", "--lock", "--", found.name)

    def enable(self, account: Account) -> None:
        found = self._require(account)
        if not found.enabled:
            self._run("usermod", "--unlock", "--", found.name)

    def delete(self, account: Account) -> None:
        """Its home and its files stay. AuthorityError that may pass while a process of it runs."""
        found = self._found(account)
        if found:
            self._run("userdel", "--", found.name)
            faillock.read(self._machine).forget(found.name)

    def rights(self, account: Account) -> Rights:
        """Groups alone: what sudo, files and services give to a name is not looked for."""
        return Rights(groups=self._require(account).groups)

    def grant(self, account: Account, rights: Rights) -> None:
        found = self._require(account)
        if rights.grants:
            raise AuthorityError(f"{self._realm.name} knows groups only, no grants for {account}", permanent=True)
        self._join(found.name, rights.groups - found.groups)

    def survey(self, now: float) -> Survey:
        return discovery.survey(files.read(self._machine), self._host, now)

    def _join(self, name: str, groups: frozenset[str]) -> None:
        if absent := groups - files.read(self._machine).groups():
            raise AuthorityError(f"{self._host} has no group {', '.join(sorted(absent))}", permanent=True)
        if groups:
            self._run("usermod", "--append", "--groups", ",".join(sorted(groups)), "--", name)

    def _accept(self, secret: Secret, name: str) -> None:
        password, least = secret.reveal(), self._realm.policy.min_length
        fault = "a character that no line can hold" if set(password) & {"\0", "\n"} else None
        if len(password) < max(least, 1):
            fault = f"shorter than {least}"
        if fault:
            raise AuthorityError(f"{self._realm.name} does not take this password for {name}: {fault}", permanent=True)

    def _require(self, account: Account) -> Record:
        found = self._found(account)
        if found is None:
            raise NotFound(f"no account {account} on {self._host} (it was {account.sid})")
        return found

    def _found(self, account: Account) -> Record | None:
        return files.read(self._machine).by_sid(account.sid)

    def _account(self, found: Record) -> Account:
        return Account(self._realm.name, found.sid, found.name)

    def _change(self, name: str, secret: Secret, *, disabled: bool = False) -> None:
        """In one write: an account that is disabled is never open with the new password, not even for a moment."""
        self._run("chpasswd", "--encrypted", entered=f"{name}:{LOCKED * disabled}{yescrypt(secret)}\n")

    def _run(self, program: str, *arguments: str, entered: str = "") -> None:
        self._machine.run(program, *arguments, entered=entered)


def _bar(found: Record, today: int) -> Answer:
    """What keeps the right password from logging on."""
    bars = (
        (not found.enabled, Answer.DISABLED),
        (found.expiry_day is not None and today >= found.expiry_day, Answer.ACCOUNT_EXPIRED),
        (found.changed_day == 0, Answer.MUST_CHANGE),
        (today > (found.changed_day or 0) + (found.max_days or 99999), Answer.PASSWORD_EXPIRED),
    )
    return next((answer for barred, answer in bars if barred), Answer.ACCEPTED)
