"""Who executes a program, and who reaches the network for it: two fields, from one table.

From the second seed ("Understanding SMS Client Side Software Installation Security"), Q224286, Q278660 and Q263279.
"""

from dataclasses import dataclass
from typing import TypeAlias

from keyturn.model.software import ClientAccounts, ClientKind, LoggedOn, Program, Rights


@dataclass(frozen=True, slots=True)
class LocalSystem:
    """Root, where the system has no such account."""

    def __str__(self) -> str:
        return "Local System"


@dataclass(frozen=True, slots=True)
class LoggedOnUser:
    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class TokenAccount:
    """The Client User Token account: an ordinary user of this machine, administrator for one run. On a domain
    controller, which has no accounts of its own, it is the copy that the domain has."""

    domain: bool = False

    def __str__(self) -> str:
        return "the domain's token account" if self.domain else "the token account"


@dataclass(frozen=True, slots=True)
class RaisedAccount:
    r"""The Software Installation account, `REALM\name`: made an administrator for one run where it is none."""

    account: str

    def __str__(self) -> str:
        return self.account


ExecuteAs: TypeAlias = LocalSystem | LoggedOnUser | TokenAccount | RaisedAccount


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine itself: its key at the site's own server, its computer account on a share."""

    def __str__(self) -> str:
        return "the computer account"


@dataclass(frozen=True, slots=True)
class RealmAccount:
    r"""An account whose password the client holds, `REALM\name`."""

    account: str

    def __str__(self) -> str:
        return self.account


@dataclass(frozen=True, slots=True)
class AsUser:
    """The logged-on user, by whatever that session has."""

    name: str

    def __str__(self) -> str:
        return self.name


NetworkIdentity: TypeAlias = Machine | RealmAccount | AsUser


@dataclass(frozen=True, slots=True)
class RunContext:
    """`to_points`: in which order identities are tried at a distribution point; `to_shares`: at any other share, where
    empty means that nobody reaches one."""

    execute_as: ExecuteAs
    to_points: tuple[NetworkIdentity, ...]
    to_shares: tuple[NetworkIdentity, ...]


@dataclass(frozen=True, slots=True)
class Deferred:
    """Not now; later, by itself."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unfit:
    """Not as this client is set up: status message 10003."""

    reason: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class ClientState:
    """A client at the moment of a run. `users` are those logged on, the one at the console first. `token_missing`: why
    a domain controller cannot use the domain's token account yet; empty where it can."""

    kind: ClientKind
    accounts: ClientAccounts = ClientAccounts()
    users: tuple[str, ...] = ()
    domain_controller: bool = False
    token_missing: str = ""


def resolve_run_context(program: Program, client: ClientState, *, user: str = "") -> RunContext | Deferred | Unfit:
    """`user`: for whom it runs, where it is to run once for every user; else the one at the console."""
    waits = _waits(program, client)
    if waits is not None:
        return waits
    if program.rights is Rights.USER:
        return _as_user(client, user or client.users[0])
    if client.kind is ClientKind.ADVANCED:
        network = _accounts(client.accounts.network_access)
        return RunContext(LocalSystem(), (Machine(), *network), network)
    if program.software_installation_account:
        return _as_installer(client)
    if client.domain_controller and client.token_missing:
        return Deferred(f"it waits for the domain's token account: {client.token_missing}")
    connections = _accounts(client.accounts.client_connection)
    return RunContext(TokenAccount(domain=client.domain_controller), connections, ())


def _waits(program: Program, client: ClientState) -> Deferred | None:
    wanted = LoggedOn.USER_LOGGED_ON if program.rights is Rights.USER else program.logged_on
    if wanted is LoggedOn.USER_LOGGED_ON and not client.users:
        return Deferred("it waits for a user to log on")
    if wanted is LoggedOn.NO_USER and client.users:
        return Deferred(f"it waits until nobody is logged on; {', '.join(client.users)} is")
    return None


def _as_user(client: ClientState, user: str) -> RunContext | Deferred:
    if user not in client.users:
        return Deferred(f"it waits for {user} to log on")
    own = AsUser(user)
    if client.kind is ClientKind.ADVANCED:
        return RunContext(LoggedOnUser(user), (own, Machine(), *_accounts(client.accounts.network_access)), (own,))
    return RunContext(LoggedOnUser(user), (own, *_accounts(client.accounts.client_connection)), (own,))


def _as_installer(client: ClientState) -> RunContext | Unfit:
    if not client.accounts.software_installation:
        return Unfit("the site has no Software Installation account", hint="make one: docs/how-to/software.md")
    account = client.accounts.software_installation[0]
    itself = (RealmAccount(account),)
    return RunContext(RaisedAccount(account), itself, itself)


def _accounts(names: tuple[str, ...]) -> tuple[NetworkIdentity, ...]:
    return tuple(RealmAccount(name) for name in names)
