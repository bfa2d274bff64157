"""The token a program starts with: whose it is, and what it presents on the network. Never run: see the package.

The token account's password is made anew for each run, and kept by nobody.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from keyturn.adapters.runners.windows.orders import Session, console_first, network_identity, parts_of, password_of
from keyturn.adapters.runners.windows.raising import raised
from keyturn.distribution.presenting import Presentable
from keyturn.distribution.run_context import LocalSystem, LoggedOnUser, RaisedAccount, RealmAccount, TokenAccount
from keyturn.distribution.running import RunOrder
from keyturn.model.errors import NotFound, Refused
from keyturn.model.secret import Secret

TOKEN_ACCOUNT = "SMSCliToknLocalAcct&"
_COMMENT = "Keyturn: runs programs of administrators"
_NO_SUCH_USER = 2221
_WRONG_PASSWORD = 1326


@contextmanager
def token_of(order: RunOrder, runs: Path) -> Iterator[Any]:
    """Refused and NotFound in words; whoever is raised is lowered at the end."""
    match order.execute_as:
        case LocalSystem():
            yield _system(network_identity(order))
        case LoggedOnUser(name):
            yield _of_session(name)
        case TokenAccount(domain=False):
            secret = _fresh_token_account()
            with raised(runs, order.run_id, TOKEN_ACCOUNT):
                yield _logon(".", TOKEN_ACCOUNT, secret)
        case TokenAccount():
            raise Refused("a domain controller's token account has a password that only the domain keeps")
        case RaisedAccount(account) as who:
            presentable = password_of(who, order)
            with raised(runs, order.run_id, account):
                yield _presented(presentable)


def users() -> tuple[str, ...]:
    import win32ts  # type: ignore[import-untyped]

    return console_first(_sessions(), win32ts.WTSGetActiveConsoleSessionId())


def _sessions() -> list[Session]:
    import win32ts

    numbers = [session["SessionId"] for session in win32ts.WTSEnumerateSessions()]
    return [Session(n, win32ts.WTSQuerySessionInformation(0, n, win32ts.WTSUserName)) for n in numbers]


def _system(network: Presentable | None) -> Any:
    """The agent's own, which is Local System; with another account on the network where one is to be presented."""
    import win32api  # type: ignore[import-untyped]
    import win32con  # type: ignore[import-untyped]
    import win32security  # type: ignore[import-untyped]

    if network is not None:
        return _presented(network, new_credentials=True)
    own = win32security.OpenProcessToken(win32api.GetCurrentProcess(), win32con.MAXIMUM_ALLOWED)
    return win32security.DuplicateTokenEx(
        own, win32security.SecurityImpersonation, win32con.MAXIMUM_ALLOWED, win32security.TokenPrimary
    )


def _of_session(name: str) -> Any:
    import win32ts

    for session in _sessions():
        if session.user.casefold() == name.casefold():
            return win32ts.WTSQueryUserToken(session.number)
    raise NotFound(f"{name} is not logged on")


def _presented(who: Presentable, *, new_credentials: bool = False) -> Any:
    """A password that the realm calls wrong is settled as that, and presented nowhere else."""
    import pywintypes  # type: ignore[import-untyped]

    assert isinstance(who.identity, RealmAccount)
    assert who.secret is not None
    try:
        return _logon(*parts_of(who.identity.account), who.secret, new_credentials=new_credentials)
    except pywintypes.error as error:
        if error.winerror == _WRONG_PASSWORD:
            who.spoiled()
        raise Refused(f"{who.identity}: {error.strerror}") from None


def _logon(realm: str, name: str, secret: Secret, *, new_credentials: bool = False) -> Any:
    """As a batch job, whose token UAC does not cut; with new credentials nothing is asked until a share is reached."""
    import win32con
    import win32security

    kind, provider = win32con.LOGON32_LOGON_BATCH, win32con.LOGON32_PROVIDER_DEFAULT
    if new_credentials:
        kind, provider = win32security.LOGON32_LOGON_NEW_CREDENTIALS, win32security.LOGON32_PROVIDER_WINNT50
    return win32security.LogonUser(name, realm, secret.reveal(), kind, provider)


def _fresh_token_account() -> Secret:
    import pywintypes
    import win32net  # type: ignore[import-untyped]
    import win32netcon  # type: ignore[import-untyped]

    secret = Secret(f"{secrets.token_urlsafe(24)}aA1!")
    try:
        found = win32net.NetUserGetInfo(None, TOKEN_ACCOUNT, 1)
    except pywintypes.error as error:
        if error.winerror != _NO_SUCH_USER:
            raise
        flags = win32netcon.UF_SCRIPT | win32netcon.UF_DONT_EXPIRE_PASSWD
        made = {"name": TOKEN_ACCOUNT, "password": secret.reveal(), "comment": _COMMENT, "flags": flags}
        win32net.NetUserAdd(None, 1, made | {"priv": win32netcon.USER_PRIV_USER})
        return secret
    if found["comment"] != _COMMENT:
        raise Refused(f"{TOKEN_ACCOUNT} exists on this machine, and not by Keyturn's hand", hint="rename or delete it")
    win32net.NetUserSetInfo(None, TOKEN_ACCOUNT, 1003, {"password": secret.reveal()})
    return secret
