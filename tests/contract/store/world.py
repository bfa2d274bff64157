"""The fixed cast of the store's contract: two realms, an estate, and plans in miniature."""

from dataclasses import dataclass

from keyturn.lifecycle.plan import (
    AwaitCanary,
    AwaitConvergence,
    AwaitQuiet,
    AwaitUptake,
    CopyRights,
    CreateAccount,
    Delete,
    Disable,
    Plan,
    PlanKind,
    Planned,
    Publish,
    Seal,
    SetPassword,
    Withdraw,
)
from keyturn.lifecycle.ports import Sealed
from keyturn.lockout.changes import Forecast, Moment
from keyturn.model.accounts import Account, AccountToBe, AnyAccount, Credential, RealmName, RoleName
from keyturn.model.estate import AccountLife, Estate, ManagedAccount, Realm, Site, SiteCode
from keyturn.model.secret import Secret
from keyturn.operations.ports import Lease, PlanRecord, PlanState, Store

CORP, LAB = RealmName("CORP"), RealmName("LAB")
PHX, TUC = SiteCode("PHX"), SiteCode("TUC")
SERVICE = RoleName("sms2003/service")
CONNECTION = RoleName("sms2003/client-connection-additional")

SVC_NAMED = AccountToBe(CORP, "SMSService")
SVC = Account(CORP, "S-1-5-21-7-1001", "SMSService")
CONN_NAMED = AccountToBe(CORP, "SMSClient_PHX")
CONN = Account(CORP, "S-1-5-21-7-1002", "SMSClient_PHX")
SECOND = AccountToBe(CORP, "SMSClient_PHX_2")
SECOND_MADE = Account(CORP, "S-1-5-21-7-1003", "SMSClient_PHX_2")

FORECAST = Forecast(None, (), ("pc-3",), (), (Moment(0.5, "set"), Moment(3.0, "orphaned", "pc-3")))
HOLDERS = ("pc-1", "pc-2", "pc-3")


@dataclass
class Clock:
    """Stands still unless told otherwise."""

    at: float = 1_000_000.0

    def __call__(self) -> float:
        return self.at

    def pass_s(self, seconds: float) -> float:
        self.at += seconds
        return self.at


def planned(account: AnyAccount, role: RoleName = SERVICE, *sites: SiteCode) -> ManagedAccount:
    return ManagedAccount(account, role, sites or (PHX,), AccountLife.PLANNED)


def estate(*accounts: ManagedAccount) -> Estate:
    sites = (Site(PHX, CORP, "phx-server"), Site(TUC, CORP, "tuc-server"))
    return Estate(realms=(Realm(CORP), Realm(LAB)), sites=sites, accounts=accounts)


THE_ESTATE = estate(planned(SVC_NAMED), planned(CONN_NAMED, CONNECTION))


def in_place(account: AnyAccount, generation: int = 1, holders: tuple[str, ...] = HOLDERS, at_once: int = 1) -> Plan:
    credential = Credential(account, generation)
    return plan_of(
        PlanKind.IN_PLACE,
        account,
        Seal(credential),
        SetPassword(credential),
        AwaitConvergence(credential),
        Publish(credential, holders, at_once),
        AwaitUptake(credential, holders, patience_s=60.0),
    )


def cycle(old: AnyAccount = CONN, new: AccountToBe = SECOND) -> Plan:
    """With every kind of step but SetPassword."""
    credential = Credential(new, 1)
    return plan_of(
        PlanKind.CYCLE,
        old,
        Seal(credential),
        CreateAccount(new, CONNECTION, (PHX, TUC), like=old, succeeds=old),
        CopyRights(old, new),
        AwaitConvergence(credential),
        Publish(credential, HOLDERS, 1),
        AwaitCanary(credential, 60.0),
        AwaitUptake(credential, HOLDERS, 60.0),
        Withdraw(old, credential),
        AwaitQuiet(old, 60.0, credential),
        Disable(old, credential),
        Delete(old),
    )


def plan_of(kind: PlanKind, account: AnyAccount, *steps: object) -> Plan:
    return Plan(kind, account, tuple(Planned(step, f"reason {n}") for n, step in enumerate(steps)))  # type: ignore[arg-type]


def proposal(plan: Plan, plan_id: str = "plan-1", at: float = 1_000_000.0) -> PlanRecord:
    return PlanRecord(plan_id, plan, FORECAST, PlanState.PROPOSED, proposed_by="ann", proposed_at=at)


def running(store: Store, plan: Plan, plan_id: str = "plan-1", given: Secret | None = None) -> Lease:
    """Propose and approve the plan, and take it for a minute."""
    seal = next((p.step for p in plan.steps if isinstance(p.step, Seal)), None)
    store.propose(proposal(plan, plan_id), (seal.credential, given) if seal and given else None)
    store.approve(plan_id, "bob", needed=1)
    lease = store.lease(plan_id, "worker-1", 60.0)
    assert lease is not None
    return lease


def sealed(account: AnyAccount, generation: int = 1, version: int = 4) -> Sealed:
    return Sealed(Credential(account, generation), "dc1", version)


def make_live(lease: Lease, account: Account, generation: int = 1, password: str = "Turn-1") -> Credential:
    """Seal and promote, as a rotation does."""
    lease.seal(sealed(account, generation), Secret(password))
    credential = Credential(account, generation)
    lease.promote(credential, account, 1)
    return credential
