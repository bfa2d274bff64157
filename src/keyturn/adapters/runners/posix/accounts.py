r"""Accounts of this machine that Keyturn makes: the token account, and stand-ins for accounts no realm answers for.

Each is an ordinary user without a password and without a shell. A comment tells which are ours: one of the same name
that is not is somebody else's, and is never used. Windows' names have characters that no Linux account may have.
useradd(8) writes the files of an account one after the other, so nobody else looks meanwhile.
"""

import fcntl
import hashlib
import os
import pwd
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from keyturn.adapters.runners.posix import name_service
from keyturn.model.errors import Refused

TOKEN_NAME = "SMSCliToknLocalAcct&"
_COMMENT = "Keyturn, "
_LONGEST = 32
_LONGEST_OF_ITS_OWN = 17
_MAKING = Path("/run/keyturn-accounts.lock")
_NO_PASSWORD = "!"


def legal_name(name: str) -> str:
    """As useradd(8) takes it everywhere: `SMSCliToknLocalAcct&` is `smsclitoknlocalacct_`."""
    return re.sub(r"[^a-z0-9_-]", "_", name.lower())[:_LONGEST]


def stand_in_name(account: str) -> str:
    r"""`CORP\SMS Installer` is `keyturn-sms_installer-` and six characters that tell it from its like."""
    name = legal_name(account.rpartition("\\")[2])[:_LONGEST_OF_ITS_OWN]
    return f"keyturn-{name}-{hashlib.sha256(account.lower().encode()).hexdigest()[:6]}"


def ensure_token() -> pwd.struct_passwd:
    """Refused where the domain has an account of that name: it is locked sooner or later, when the machine presents
    its own to the network (Q231399, Q307434)."""
    name = legal_name(TOKEN_NAME)
    for borne in (name, TOKEN_NAME):
        if name_service.in_own_realm(borne):
            raise Refused(
                f"{borne} is an account of the domain, so no account of this machine may bear its name",
                hint=f"rename or delete {borne} in the domain",
            )
    return _ensure(name, f"the token account {TOKEN_NAME}")


def ensure_stand_in(account: str) -> pwd.struct_passwd:
    return _ensure(stand_in_name(account), f"stands in for {account}")


@contextmanager
def alone() -> Iterator[None]:
    """Among the runs of all agents of this machine: several may be the first to need an account, or its home."""
    lock = os.open(_MAKING, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        fcntl.flock(lock, fcntl.LOCK_UN)  # also where a process that was forked meanwhile has it open
        os.close(lock)


def _ensure(name: str, purpose: str) -> pwd.struct_passwd:
    with alone():
        if not name_service.is_local(name):
            _make(name, _COMMENT + purpose)
        found = name_service.find(name)
        if found is None or not found.pw_gecos.startswith(_COMMENT):
            raise Refused(f"{name} exists on this machine, and not by Keyturn's hand", hint=f"rename or delete {name}")
        if not name_service.has_password_entry(name):
            _finish(name)
    return found


def _make(name: str, comment: str) -> None:
    ordinary = ("--create-home", "--user-group", "--shell", "/usr/sbin/nologin", "--key", "HOME_MODE=0700")
    _done(name, "useradd", *ordinary, "--comment", comment, "--", name)


def _finish(name: str) -> None:
    """useradd was killed between /etc/passwd and /etc/shadow: sudo takes nobody who stands in one of them only."""
    _done(name, "chpasswd", "--encrypted", say=f"{name}:{_NO_PASSWORD}\n")


def _done(name: str, *words: str, say: str = "") -> None:
    done = name_service.run(*words, say=say)
    if done.returncode:
        raise Refused(f"{name} cannot be made: {words[0]}: {done.stderr.strip()}")
