r"""Programs on Windows behind the port of every runner. Never run: see the package. Read this first.

The agent is a service as Local System. `\\host\share` stays as it is: Windows reaches shares itself, with the network
identity of the program's token, and tells nobody which it was; `accesses` is therefore empty.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from keyturn.adapters.runners.windows import raising, tokens
from keyturn.adapters.runners.windows.jobs import Job
from keyturn.adapters.runners.windows.orders import local_folders
from keyturn.distribution.presenting import Note
from keyturn.distribution.run_context import ExecuteAs, LocalSystem, LoggedOnUser, RaisedAccount, TokenAccount
from keyturn.distribution.running import Ended, HowEnded, RunOrder
from keyturn.model.errors import KeyturnError, NotFound

_PROFILES = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList"
_SYSTEM = "S-1-5-18"


class WindowsRunner:
    """`runs` is a folder that is this runner's alone."""

    def __init__(self, runs: Path) -> None:
        self._runs = runs

    def users(self) -> tuple[str, ...]:
        return tokens.users()

    def home_of(self, execute_as: ExecuteAs) -> Path:
        return Path(_profile(_sid_of(execute_as)))

    def run(
        self,
        order: RunOrder,
        *,
        tell: Callable[[bytes], None],
        stop: Callable[[], bool],
        note: Note = lambda _: None,  # noqa: ARG002 - Windows tells of no access
    ) -> Ended:
        import pywintypes  # type: ignore[import-untyped]

        try:
            with tokens.token_of(order, self._runs) as token:
                return _in_job(order, token, tell, stop)
        except KeyturnError as refused:
            return Ended(HowEnded.NOT_STARTED, reason=f"{refused.message}; {refused.hint}".rstrip("; "))
        except pywintypes.error as error:
            return Ended(HowEnded.NOT_STARTED, reason=f"{error.funcname}: {error.strerror}")

    def put_right(self) -> tuple[str, ...]:
        """Jobs end with the agent that holds them: only rights may have been left."""
        return raising.put_right(self._runs)


def _in_job(order: RunOrder, token: Any, tell: Callable[[bytes], None], stop: Callable[[], bool]) -> Ended:
    import win32profile  # type: ignore[import-untyped]
    import win32security  # type: ignore[import-untyped]

    sid, _ = win32security.GetTokenInformation(token, win32security.TokenUser)
    name, realm, _ = win32security.LookupAccountSid(None, sid)
    logged_on_for_this = isinstance(order.execute_as, TokenAccount | RaisedAccount)
    profile = win32profile.LoadUserProfile(token, {"UserName": name}) if logged_on_for_this else None
    try:
        job = Job(tell)
        job.start(token, order.command_line, order.folder, _environment(token, order))
        how = job.watch(order.max_run_s, order.overrun, stop)
        who, home = f"{realm}\\{name}", win32profile.GetUserProfileDirectory(token)
        code = job.exit_code if how is HowEnded.EXITED else None
        return Ended(how, code, executed_as=who, login=who, home=home, output=job.output)
    finally:
        if profile is not None:
            win32profile.UnloadUserProfile(token, profile)


def _environment(token: Any, order: RunOrder) -> dict[str, str]:
    """Made by Windows for the token, without what the agent has; PATH without the network."""
    import win32file  # type: ignore[import-untyped]
    import win32profile

    def is_network(folder: str) -> bool:
        return bool(win32file.GetDriveType(f"{Path(folder).drive}\\") == win32file.DRIVE_REMOTE)

    made: dict[str, str] = win32profile.CreateEnvironmentBlock(token, False)
    found = {
        name: local_folders(value, is_network) if name.upper() == "PATH" else value for name, value in made.items()
    }
    return found | dict(order.environment)


def _sid_of(execute_as: ExecuteAs) -> str:
    import pywintypes
    import win32security

    if isinstance(execute_as, LocalSystem):
        return _SYSTEM
    name = _name_of(execute_as)
    try:
        sid, _, _ = win32security.LookupAccountName(None, name)
    except pywintypes.error as error:
        raise NotFound(f"no account {name} on this machine: {error.strerror}") from None
    return str(win32security.ConvertSidToStringSid(sid))


def _name_of(execute_as: LoggedOnUser | TokenAccount | RaisedAccount) -> str:
    match execute_as:
        case TokenAccount():
            return tokens.TOKEN_ACCOUNT
        case LoggedOnUser(name):
            return name
        case RaisedAccount(account):
            return account


def _profile(sid: str) -> str:
    import winreg

    try:
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, rf"{_PROFILES}\{sid}") as key:  # type: ignore[attr-defined,unused-ignore]
            return str(winreg.ExpandEnvironmentStrings(winreg.QueryValueEx(key, "ProfileImagePath")[0]))  # type: ignore[attr-defined,unused-ignore]
    except OSError:
        raise NotFound(f"{sid} has no profile on this machine") from None
