"""What every use case is given: the site's store and realms, a clock, a source of chance, and its settings."""

from collections.abc import Callable
from dataclasses import dataclass

from keyturn.distribution.msi.package import Package as MsiPackage
from keyturn.escrow.custody import Custody
from keyturn.lifecycle.ports import Authorities, Authority
from keyturn.lifecycle.sequences import Patience
from keyturn.model.accounts import RealmName
from keyturn.model.errors import NotFound
from keyturn.model.estate import Estate, Holder
from keyturn.model.secret import Secret
from keyturn.model.software import LogSettings
from keyturn.operations.access import AccessRealm
from keyturn.operations.content_ports import ContentParts
from keyturn.operations.delegation import Delegation
from keyturn.operations.hierarchy_ports import Line, NoLine, ReceiveFolder
from keyturn.operations.inbox_ports import AccessPoint, no_access_point
from keyturn.operations.ports import Store
from keyturn.operations.push_records import Pusher
from keyturn.operations.realm_kinds import KindOfRealm
from keyturn.operations.realms import RealmTools
from keyturn.operations.status_messages import Retention
from keyturn.operations.surveys import Discovery
from keyturn.site.cards import Address

LEASE_S = 60.0
PACKAGE_SOURCES = ("/srv/packages",)


def no_msi(file: str, _: tuple[str, ...]) -> MsiPackage:
    raise NotFound(f"this process reads no package of Windows Installer, and {file} is one")


@dataclass(frozen=True, slots=True)
class Settings:
    """How this site is run. With `two_person_approval`, nobody approves a plan of their own."""

    site: str
    two_person_approval: bool = False
    patience: Patience = Patience()
    contact_s: float = 3600
    """How often an agent comes, unless its operator said otherwise."""
    token_s: float = 12 * 3600
    invitation_s: float = 30 * 60
    lease_s: float = LEASE_S
    """How long after its last write a worker that died still holds its plan."""
    status_messages: Retention = Retention()
    policy_s: float = 7 * 24 * 3600
    """For how long a client may begin programs by a policy, once it was issued. It is issued anew at half time."""
    client_logs: LogSettings = LogSettings()
    package_sources: tuple[str, ...] = PACKAGE_SOURCES
    r"""Folders of the site server, and `\\host\share` with folders below it, in which a package's source may lie."""


@dataclass(frozen=True, slots=True)
class Parts:
    """`authorities` go through the lockout budget. `reached_by` is a realm by another login than Keyturn's own: its
    name, the account's, the password. `check_realms` refuses an estate whose realms could not be reached as it says.
    `choose` picks one character unpredictably, `token` makes 256 bits of it. `machine` finds a holder by its name.
    `prepare_realms` follows a changed estate. `wake` tells the worker that something has happened to a plan."""

    settings: Settings
    store: Store
    authorities: Authorities
    reached_by: Callable[[str, str, Secret], Authority]
    access_realm: Callable[[str], AccessRealm]
    realm_tools: Callable[[str], RealmTools]
    machine: Callable[[str], Holder | None]
    check_realms: Callable[[Estate], None]
    prepare_realms: Callable[[], None]
    now: Callable[[], float]
    choose: Callable[[str], str]
    token: Callable[[], str]
    new_id: Callable[[], str]
    wake: Callable[[], None]
    custody: Callable[[], Custody | None] = lambda: None
    """Who the custodians are now; envelopes sealed for others are told. None: nobody has said."""
    discovery: Callable[[RealmName], Discovery | None] = lambda _: None
    """None: an authority of this kind does not list what it holds."""
    delegation: Callable[[RealmName], Delegation | None] = lambda _: None
    """None: an authority of this kind does not tell what Keyturn may do there."""
    realm_kinds: Callable[[], tuple[KindOfRealm, ...]] = lambda: ()
    recreate_access_point: Callable[[str], str | None] = lambda _: None
    """Writes a system's access point from nothing. None once it is there; else why it is not reached."""
    address: Address = Address("", "")
    """Where other sites reach this one."""
    line: Line = NoLine()
    receive_folder: ReceiveFolder | None = None
    """None: other sites reach this one over HTTPS alone."""
    access_point: Callable[[str], AccessPoint] = no_access_point
    """On a share, by the share's name."""
    open_msi: Callable[[str, tuple[str, ...]], MsiPackage] = no_msi
    """A package of Windows Installer with its transforms, by their paths. Refused for what cannot be read."""
    content: ContentParts | None = None
    """None: this process keeps no content of packages."""
    pusher: Pusher | None = None
    """None: this site installs no clients on other machines."""
