r"""What of an order needs no Windows to be decided: whose password it takes, which folders a PATH keeps, who is first.

The network identity is one for the whole run: a token has one, where Linux tries several at each share.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from keyturn.distribution.presenting import Presentable
from keyturn.distribution.run_context import LocalSystem, RaisedAccount, RealmAccount
from keyturn.distribution.running import RunOrder
from keyturn.model.errors import Refused


@dataclass(frozen=True, slots=True)
class Session:
    number: int
    user: str


def parts_of(account: str) -> tuple[str, str]:
    r"""`CORP\name` as realm and name, as LogonUser takes them; `.` is this machine."""
    realm, _, name = account.rpartition("\\")
    return realm or ".", name


def network_identity(order: RunOrder) -> Presentable | None:
    """Whose password the run presents at shares: the first that it may, beside an execution identity that has none of
    its own. None: the machine's, or the user's, own."""
    if not isinstance(order.execute_as, LocalSystem):
        return None
    return next((one for share in order.shares for one in share.identities if one.secret is not None), None)


def password_of(execute_as: RaisedAccount, order: RunOrder) -> Presentable:
    """Refused where the order brings none: Windows starts nobody's program without a password."""
    wanted = RealmAccount(execute_as.account)
    for share in order.shares:
        for one in share.identities:
            if one.identity == wanted and one.secret is not None:
                return one
    raise Refused(
        f"no password of {execute_as.account} came with the run",
        hint="name a share that the program reaches, so that the account's password is handed out with it",
    )


def local_folders(path: str, is_network: Callable[[str], bool]) -> str:
    r"""A PATH without UNC names and network drives (Q239590, Q278660)."""
    kept = (folder for folder in path.split(";") if folder.strip())
    return ";".join(folder for folder in kept if not folder.startswith("\\\\") and not is_network(folder))


def console_first(sessions: Iterable[Session], console: int) -> tuple[str, ...]:
    named = [session for session in sessions if session.user]
    return tuple(dict.fromkeys(one.user for one in sorted(named, key=lambda session: session.number != console)))
