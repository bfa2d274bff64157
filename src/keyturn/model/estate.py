"""The estate: one consistent reading of realms, sites, clients, accounts and who holds what.

Plans and forecasts are made from this alone. Durations are seconds; moments are seconds since the epoch,
except in an `Absence`, which counts from now.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import NewType

from keyturn.model.accounts import AnyAccount, RealmName, RoleName, canonical, reference, same_name
from keyturn.model.errors import NotFound
from keyturn.model.logon import LogonProtocol
from keyturn.model.policy import RealmPolicy

SiteCode = NewType("SiteCode", str)

ACCESS_POINT_ROLE = "client-access-point"
DISTRIBUTION_POINT_ROLE = "distribution-point"
SHARE_NAME = r"\\\\[A-Za-z0-9.-]{1,255}(?:\\[^\x00-\x1f\\/:*?\"<>|]{1,80}){1,8}"
r"""Matches `\\host\share` and folders below it."""


class RealmKind(StrEnum):
    """The kinds that Keyturn brings itself. A plug-in adds a kind by its name alone."""

    BUILTIN = "builtin"
    ACTIVE_DIRECTORY = "active-directory"
    OPENLDAP = "openldap"
    POSTGRESQL = "postgresql"
    MARIADB = "mariadb"
    SQL_SERVER = "sql-server"
    LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Realm:
    """Where accounts live. `trusts` names the realms whose accounts are accepted here."""

    name: RealmName
    kind: str = RealmKind.BUILTIN
    """A `RealmKind`, or the kind that a plug-in brings. Compare by `==`: what was read back is plain text."""
    replicas: tuple[str, ...] = ("dc1",)
    replication_s: float = 0
    trusts: tuple[RealmName, ...] = ()
    policy: RealmPolicy = RealmPolicy()
    bind_account: str | None = None
    """The account Keyturn itself uses to change passwords here, where there is one."""
    second_bind_account: str | None = None
    """What it uses while the first one's own password is being changed, and the other way round."""
    connection: tuple[tuple[str, str], ...] = ()
    """How its servers are reached, by what its kind of realm needs to know: base, certificate authority, port."""

    @property
    def bind_accounts(self) -> tuple[str, ...]:
        return tuple(name for name in (self.bind_account, self.second_bind_account) if name is not None)


class SiteKind(StrEnum):
    CENTRAL = "central"
    PRIMARY = "primary"
    SECONDARY = "secondary"


@dataclass(frozen=True, slots=True)
class Site:
    code: SiteCode
    realm: RealmName
    server: str
    kind: SiteKind = SiteKind.PRIMARY
    name: str = ""
    parent: SiteCode | None = None
    logon_installation: bool = False
    """Whether a logon script installs or reinstalls the client, which is how a locked-out client recovers."""
    setup_file: bool = False
    """Whether setup was given its accounts (SMSAccountSetup.ini), so that a reset needs the same file again."""
    setup_accounts: tuple[str, ...] = ()
    """The accounts that the setup file names. Their passwords are the administrator's; a reset makes none for them."""
    stopped_services: tuple[str, ...] = ()
    recovery_account: str | None = None
    """The account by which locked-out clients of this site are repaired (client push), where there is one."""


@dataclass(frozen=True, slots=True)
class SiteSystem:
    name: str
    site: SiteCode
    roles: tuple[str, ...] = ()
    share: str | None = None
    r"""Where clients read the access point, and the content of packages where it is a distribution point, as
    `\\host\share`, perhaps with folders below it."""


@dataclass(frozen=True, slots=True)
class Absence:
    """A time in which a holder does not come, counted from now."""

    from_s: float
    until_s: float


@dataclass(frozen=True, slots=True)
class Habit:
    """How a holder comes: every `interval_s`, first after `phase_s` (None: anywhere in the first interval).

    The defaults are the legacy client's: a configuration cycle of 23 hours (Q231232).
    """

    interval_s: float = 23 * 3600
    phase_s: float | None = None
    absences: tuple[Absence, ...] = ()
    logon_script_s: float | None = None
    """How often a person logs on here and the logon script reinstalls the client; None: never."""


class HolderKind(StrEnum):
    LEGACY_CLIENT = "legacy-client"
    ADVANCED_CLIENT = "advanced-client"
    SITE_SERVER = "site-server"
    SITE_SYSTEM = "site-system"
    CONSUMER = "consumer"


@dataclass(frozen=True, slots=True)
class Holder:
    """Whoever keeps a copy of a password and logs on with it.

    A gated holder asks with a key of its own whether its generation is current before it presents a password.
    """

    name: str
    kind: HolderKind
    site: SiteCode | None = None
    habit: Habit = Habit()
    protocol: LogonProtocol = LogonProtocol.NTLM
    gated: bool = True
    replica: str | None = None
    max_password_length: int | None = None


@dataclass(frozen=True, slots=True)
class ClientGroup:
    """`count` clients alike, named `<name>-0001` and on."""

    name: str
    count: int
    like: Holder

    def names(self) -> Iterator[str]:
        return (f"{self.name}-{number:04d}" for number in range(1, self.count + 1))

    def members(self) -> Iterator[Holder]:
        """Field by field: `replace` takes nearly twice as long, and a group may be a million."""
        alike = [getattr(self.like, each.name) for each in fields(self.like)[1:]]
        return (Holder(name, *alike) for name in self.names())


@dataclass(frozen=True, slots=True)
class Consumer:
    """A holder of accounts named one by one, instead of by the role it plays in a site."""

    holder: Holder
    accounts: tuple[str, ...]


class AccountLife(StrEnum):
    PLANNED = "planned"
    """Named in the estate, not yet in the realm."""
    ACTIVE = "active"
    WITHDRAWN = "withdrawn"
    """No longer handed to anybody; on its way to being disabled."""
    DISABLED = "disabled"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Sighted:
    """A place an account was used from, as its directory's own records say, or is named on, as the machine's own scan
    says. `source` is a machine's name, or an address that has none; `how` names the protocols, and `SCAN`. `places`
    are the files that name it, some of them."""

    source: str
    first_at: float
    last_at: float
    accepted: int
    wrong: int
    how: str = ""
    places: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ManagedAccount:
    """An account in its role. `generation` is the live one Keyturn can open; None: the password is unknown."""

    account: AnyAccount
    role: RoleName
    sites: tuple[SiteCode, ...] = ()
    life: AccountLife = AccountLife.ACTIVE
    generation: int | None = None
    successor: AnyAccount | None = None
    created_at: float = 0
    sightings: tuple[Sighted, ...] = ()

    @property
    def usable(self) -> bool:
        return self.life is AccountLife.ACTIVE


class Proof(StrEnum):
    """How a logon with a generation became known."""

    REPORTED = "reported"
    """The holder says it logged on."""
    OBSERVED = "observed"
    """The realm saw that logon."""
    CONFIRMED = "confirmed"
    """A person says so, of a holder that has no agent."""


@dataclass(frozen=True, slots=True)
class Holding:
    """The newest generation of an account that a holder has proven by a logon."""

    holder: str
    account: AnyAccount
    generation: int
    proof: Proof
    at: float


@dataclass(frozen=True, slots=True)
class Estate:
    product: str = "sms2003"
    realms: tuple[Realm, ...] = ()
    sites: tuple[Site, ...] = ()
    systems: tuple[SiteSystem, ...] = ()
    clients: tuple[Holder, ...] = ()
    groups: tuple[ClientGroup, ...] = ()
    consumers: tuple[Consumer, ...] = ()
    accounts: tuple[ManagedAccount, ...] = ()
    holdings: tuple[Holding, ...] = field(default=(), repr=False)

    def realm(self, name: str) -> Realm:
        for realm in self.realms:
            if same_name(realm.name, name):
                return realm
        raise NotFound(f"no realm {name}", hint="keyturn estate show")

    def site(self, code: str) -> Site:
        exact = next((site for site in self.sites if site.code == code), None)
        found = exact or next((site for site in self.sites if same_name(site.code, code)), None)
        if found is not None:
            return found
        raise NotFound(f"no site {code}", hint="keyturn estate show")

    def secondaries_of(self, code: str) -> tuple[Site, ...]:
        """The secondary sites right below a site."""
        below = (site for site in self.sites if site.parent is not None and same_name(site.parent, code))
        return tuple(site for site in below if site.kind is SiteKind.SECONDARY)

    def systems_in_care_of(self, code: str) -> tuple[SiteSystem, ...]:
        """Of the site; and what its secondary sites have on shares, for these have no account to log on there with."""
        below = [canonical(site.code) for site in self.secondaries_of(code)]
        return tuple(s for s in self.systems if same_name(s.site, code) or (s.share and canonical(s.site) in below))

    def managed(self, name: str) -> ManagedAccount:
        """The account written as `REALM\\name`, or by its name alone where only one realm has it."""
        wanted = reference(name)
        exact = [m for m in self.accounts if canonical(str(m.account)) == wanted]
        loose = exact or [m for m in self.accounts if canonical(m.account.name) == wanted]
        if len(loose) == 1:
            return loose[0]
        if loose:
            raise NotFound(
                f"{name} is in more than one realm", hint="write " + " or ".join(str(m.account) for m in loose)
            )
        raise NotFound(f"no account {name} in the estate", hint="keyturn account list")

    def bearing(self, account: AnyAccount) -> ManagedAccount:
        """The account by its identity, in its role."""
        for managed in self.accounts:
            if managed.account == account:
                return managed
        raise NotFound(f"{account} is not in the estate", hint="keyturn account list")

    def all_clients(self) -> Iterator[Holder]:
        yield from self.clients
        for group in self.groups:
            yield from group.members()

    def proven(self, holder: str, account: AnyAccount) -> int | None:
        """The newest generation that `holder` has proven, or None."""
        for holding in self.holdings:
            if holding.account == account and holding.holder == holder:
                return holding.generation
        return None
