"""Whose process a run context asks for, on this machine."""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from keyturn.adapters.runners.posix import accounts, domain_token, name_service
from keyturn.distribution.run_context import ExecuteAs, LocalSystem, LoggedOnUser, RaisedAccount, TokenAccount
from keyturn.model.errors import NotFound


@dataclass(frozen=True, slots=True)
class Identity:
    """`raised`: it becomes root by a rule of that run. `login`: to whose logon its processes belong."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]
    home: Path
    raised: bool = False
    login: int | None = None
    has_session: bool = False


def identity_of(execute_as: ExecuteAs) -> Identity:
    """NotFound for nobody that this machine knows; Refused where a name is somebody else's. Makes token accounts and
    stand-ins when they are first needed."""
    match execute_as:
        case LocalSystem():
            return _identity(pwd.getpwuid(0))
        case LoggedOnUser(name):
            return _identity(_known(name), has_session=True)
        case TokenAccount(domain=False):
            return _identity(accounts.ensure_token(), raised=True)
        case TokenAccount():
            return _identity(domain_token.ensure(), raised=True)
        case RaisedAccount(account):
            return _identity(name_service.in_realm(account) or accounts.ensure_stand_in(account), raised=True)


def home_of(execute_as: ExecuteAs) -> Path:
    """Makes nobody: what is not there yet has no home."""
    match execute_as:
        case TokenAccount(domain=False):
            return Path(_known(accounts.legal_name(accounts.TOKEN_NAME)).pw_dir)
        case TokenAccount():
            return Path(domain_token.known().pw_dir)
        case RaisedAccount(account):
            return Path((name_service.in_realm(account) or _known(accounts.stand_in_name(account))).pw_dir)
        case _:
            return identity_of(execute_as).home


def name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _identity(found: pwd.struct_passwd, *, raised: bool = False, has_session: bool = False) -> Identity:
    """Whoever is root already is not raised."""
    return Identity(
        name=found.pw_name,
        uid=found.pw_uid,
        gid=found.pw_gid,
        groups=tuple(os.getgrouplist(found.pw_name, found.pw_gid)),
        home=Path(found.pw_dir),
        raised=raised and found.pw_uid != 0,
        login=found.pw_uid or None,
        has_session=has_session,
    )


def _known(name: str) -> pwd.struct_passwd:
    found = name_service.find(name)
    if found is None:
        raise NotFound(f"no account {name} on this machine")
    return found
