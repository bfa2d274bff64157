"""Plans and their steps. A plan that could lose a password or retire a held one cannot be constructed."""

from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from typing import TypeAlias

from keyturn.model.accounts import Account, AccountToBe, AnyAccount, Credential, RealmName, RoleName
from keyturn.model.estate import SiteCode


@dataclass(frozen=True, slots=True)
class ReachWith:
    """Prove that Keyturn reaches the realm with this account of its own, and keep to it until the plan has ended."""

    realm: RealmName
    account: AnyAccount


@dataclass(frozen=True, slots=True)
class VerifyPassword:
    """One logon with a password that is kept already. Nothing goes on unless the realm accepts it."""

    credential: Credential


@dataclass(frozen=True, slots=True)
class Seal:
    """Make the candidate and its envelope durable, with the realm's version mark as it is now."""

    credential: Credential


@dataclass(frozen=True, slots=True)
class CreateAccount:
    """Make the account, `like` another one where there is one. When `succeeds` is said, it takes over from it.
    `generation` is higher than 1 for one that is made anew under its name."""

    account: AccountToBe
    role: RoleName
    sites: tuple[SiteCode, ...]
    like: AnyAccount | None = None
    succeeds: AnyAccount | None = None
    generation: int = 1


@dataclass(frozen=True, slots=True)
class CopyRights:
    """Give `target` what `source` may do, and prove that the two are equal."""

    source: AnyAccount
    target: AnyAccount


@dataclass(frozen=True, slots=True)
class SetPassword:
    """`behind`: what the holders log on with meanwhile; nothing is set once the realm no longer has that."""

    credential: Credential
    behind: Credential | None = None


@dataclass(frozen=True, slots=True)
class AwaitConvergence:
    """Wait until every replica shows the version mark of the credential. Nobody logs on for it."""

    credential: Credential


@dataclass(frozen=True, slots=True)
class Publish:
    """Offer the credential to the holders, to at most `at_once` of them until they have proven it. Where it is another
    account's than they have had: only while that may do what `like` may."""

    credential: Credential
    holders: tuple[str, ...]
    at_once: int
    like: AnyAccount | None = None


@dataclass(frozen=True, slots=True)
class AwaitCanary:
    """Wait until one holder, whichever comes first, has logged on with the credential."""

    credential: Credential
    patience_s: float


@dataclass(frozen=True, slots=True)
class AwaitUptake:
    """Wait until every holder has logged on with the credential. When patience ends, a person is asked."""

    credential: Credential
    holders: tuple[str, ...]
    patience_s: float


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Stop handing the account out, once nobody holds it who has not proven `in_favour_of`, whose account may do what
    it may."""

    account: AnyAccount
    in_favour_of: Credential


@dataclass(frozen=True, slots=True)
class AwaitQuiet:
    """Wait until no logon of the account has been seen on any replica for `quiet_s`, while the realm still has the
    credential that took over."""

    account: AnyAccount
    quiet_s: float
    in_favour_of: Credential


@dataclass(frozen=True, slots=True)
class Disable:
    """Take the account away, while the realm still has the credential that took over."""

    account: AnyAccount
    in_favour_of: Credential


@dataclass(frozen=True, slots=True)
class Delete:
    account: AnyAccount


@dataclass(frozen=True, slots=True)
class ForgetIdentity:
    """The realm has the account no longer: its name waits for another identity, and its generations go on."""

    account: Account


@dataclass(frozen=True, slots=True)
class StopComponents:
    """All of the site but what carries out plans."""

    site: SiteCode


@dataclass(frozen=True, slots=True)
class WriteControlFile:
    site: SiteCode


@dataclass(frozen=True, slots=True)
class ReinstallComponents:
    """As the control file has them, and running."""

    site: SiteCode


@dataclass(frozen=True, slots=True)
class RecreateAccessPoint:
    """Write its content anew. One that is not reached is asked about, and left out only on somebody's word."""

    site: SiteCode
    system: str


Step: TypeAlias = (
    ReachWith
    | VerifyPassword
    | Seal
    | CreateAccount
    | CopyRights
    | SetPassword
    | AwaitConvergence
    | Publish
    | AwaitCanary
    | AwaitUptake
    | Withdraw
    | AwaitQuiet
    | Disable
    | Delete
    | ForgetIdentity
    | StopComponents
    | WriteControlFile
    | ReinstallComponents
    | RecreateAccessPoint
)


class PlanKind(StrEnum):
    CREATE = "create"
    IN_PLACE = "in-place"
    CYCLE = "cycle"
    STAGGERED = "staggered"
    SITE_REGENERATION = "site-regeneration"
    SITE_RESET = "site-reset"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Planned:
    """A step and the rule it follows from."""

    step: Step
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps in their order.

    Raises ValueError for an order that breaks a promise: a password set or an account made before it is
    sealed, a credential published before it converged, an account disabled before its holders have proven
    another credential and it was withdrawn and quiet, a control file written while components run, an access point
    written before they are back, components left stopped.
    """

    kind: PlanKind
    account: AnyAccount
    steps: tuple[Planned, ...]
    via: tuple[str, ...] = ()
    """The password change method of the catalogue, in order: `("operating-system", "console")`."""
    notes: tuple[str, ...] = ()
    keeps: tuple[AnyAccount, ...] = ()
    """What stays as it is, and is changed by nothing else while this plan is open."""

    @property
    def about(self) -> str:
        """For people: the site that is reset, or the account."""
        return self.site or str(self.account)

    @property
    def site(self) -> SiteCode | None:
        return next((p.step.site for p in self.steps if isinstance(p.step, StopComponents)), None)

    def __post_init__(self) -> None:
        earlier: list[Step] = []
        for planned in self.steps:
            missing = _missing(planned.step, earlier)
            if missing:
                raise ValueError(f"{type(planned.step).__name__} before {missing}")
            earlier.append(planned.step)
        if stopped := _stopped(earlier):
            raise ValueError(f"it ends with the components of {stopped} stopped")


def _missing(step: Step, earlier: list[Step]) -> str:
    """What must stand before `step` and does not."""
    match step:
        case SetPassword(credential) if Seal(credential) not in earlier:
            return "its Seal"
        case CreateAccount(account) if not any(
            isinstance(s, Seal) and s.credential.account == account for s in earlier
        ):
            return "its Seal"
        case AwaitConvergence(credential) if not _made(credential, earlier):
            return "the password was set"
        case Publish(credential) if _made(credential, earlier) and AwaitConvergence(credential) not in earlier:
            return "its AwaitConvergence"
        case AwaitCanary(credential) if not any(_offered(credential, earlier)):
            return "its Publish"
        case AwaitUptake(credential, holders) if not _all_offered(holders, _offered(credential, earlier)):
            return "its Publish to every holder"
        case Withdraw(account, credential) if account == credential.account or not _taken_up(credential, earlier):
            return "the uptake of another account's credential"
        case AwaitQuiet(account) | Disable(account) if not _withdrawn(account, earlier):
            return "its Withdraw"
        case Disable(account) if not any(isinstance(s, AwaitQuiet) and s.account == account for s in earlier):
            return "its AwaitQuiet"
        case WriteControlFile(site) if StopComponents(site) not in earlier:
            return "its StopComponents"
        case ReinstallComponents(site) if WriteControlFile(site) not in earlier:
            return "its WriteControlFile"
        case RecreateAccessPoint(site) if ReinstallComponents(site) not in earlier:
            return "its ReinstallComponents"
        case _:
            return ""


def _made(credential: Credential, earlier: list[Step]) -> bool:
    created = any(isinstance(s, CreateAccount) and s.account == credential.account for s in earlier)
    return created or any(isinstance(s, SetPassword) and s.credential == credential for s in earlier)


def _offered(credential: Credential, earlier: list[Step]) -> list[tuple[str, ...]]:
    return [s.holders for s in earlier if isinstance(s, Publish) and s.credential == credential]


def _all_offered(holders: tuple[str, ...], offered: list[tuple[str, ...]]) -> bool:
    """Mostly the very holders that were offered it, who may be a million."""
    return holders in offered or set(holders) <= set(chain.from_iterable(offered))


def _taken_up(credential: Credential, earlier: list[Step]) -> bool:
    return any(isinstance(s, AwaitUptake) and s.credential == credential for s in earlier)


def _withdrawn(account: AnyAccount, earlier: list[Step]) -> bool:
    return any(isinstance(s, Withdraw) and s.account == account for s in earlier)


def _stopped(steps: list[Step]) -> SiteCode | None:
    """A site whose components nothing starts after they were stopped last."""
    stopped: SiteCode | None = None
    for step in steps:
        match step:
            case StopComponents(site):
                stopped = site
            case ReinstallComponents(site) if site == stopped:
                stopped = None
            case _:
                pass
    return stopped
