"""From what the site knows to the shapes that travel."""

from collections.abc import Mapping

from keyturn.lifecycle.holders import crowds_of, names_of_holders
from keyturn.lifecycle.journal import Marked
from keyturn.lifecycle.plan import (
    AwaitCanary,
    AwaitConvergence,
    AwaitQuiet,
    AwaitUptake,
    CopyRights,
    CreateAccount,
    Delete,
    Disable,
    ForgetIdentity,
    Publish,
    ReachWith,
    RecreateAccessPoint,
    ReinstallComponents,
    Seal,
    SetPassword,
    Step,
    StopComponents,
    VerifyPassword,
    Withdraw,
    WriteControlFile,
)
from keyturn.lifecycle.ports import AccountState, ReplicaState
from keyturn.lockout.axis import duration
from keyturn.lockout.changes import Forecast
from keyturn.model.accounts import Account, canonical
from keyturn.model.estate import Estate, ManagedAccount
from keyturn.operations.custody import Act
from keyturn.operations.ports import PlanRecord
from keyturn.wire.rest import (
    AccountDetailShape,
    AccountShape,
    ForecastShape,
    HolderShape,
    PlanShape,
    ReplicaShape,
    StepShape,
)


def plan_shape(record: PlanRecord) -> PlanShape:
    plan = record.plan
    return PlanShape(
        id=record.plan_id,
        kind=plan.kind,
        account=plan.about,
        state=record.state,
        proposed_by=record.proposed_by,
        approved_by=list(record.approved_by),
        released=list(record.released),
        note=record.note,
        hint=record.hint,
        missing=list(record.missing),
        via=list(plan.via),
        notes=list(plan.notes),
        forecast=forecast_shape(record.forecast),
        steps=[
            StepShape(number, type(p.step).__name__, say(p.step), p.reason, _mark(record.marks.get(number)))
            for number, p in enumerate(plan.steps)
        ],
    )


def forecast_shape(forecast: Forecast) -> ForecastShape:
    return ForecastShape(
        forecast.first_lockout_s,
        list(forecast.blamed),
        list(forecast.orphaned),
        list(forecast.recovered),
        forecast.safe,
    )


def account_shape(estate: Estate, managed: ManagedAccount, due: Mapping[str, Act]) -> AccountShape:
    """`due` are the openings that call for a rotation, by canonical name (`operations.envelopes.due`)."""
    opened = due.get(canonical(str(managed.account)))
    holders = names_of_holders(estate, managed)
    proven = {h.holder for h in estate.holdings if h.account == managed.account and h.generation == managed.generation}
    return AccountShape(
        account=str(managed.account),
        role=managed.role,
        sites=list(managed.sites),
        life=managed.life,
        generation=managed.generation,
        successor=str(managed.successor) if managed.successor else None,
        holders=len(holders),
        current=sum(name in proven for name in holders),
        due="opened" if opened else "",
        opened_at=opened.at if opened else None,
        opened_by=opened.by if opened else "",
    )


def detail_shape(
    estate: Estate, managed: ManagedAccount, due: Mapping[str, Act], state: AccountState | None
) -> AccountDetailShape:
    holdings = {h.holder: h for h in estate.holdings if h.account == managed.account}
    held_by = [
        HolderShape(name, like.kind)
        if (holding := holdings.get(name)) is None
        else HolderShape(name, like.kind, holding.generation, holding.proof, holding.at)
        for names, like in crowds_of(estate, managed)
        for name in names
    ]
    replicas = [replica_shape(r) for r in (state.replicas if state else ())]
    return AccountDetailShape(account_shape(estate, managed, due), held_by, state.enabled if state else None, replicas)


def replica_shape(replica: ReplicaState) -> ReplicaShape:
    return ReplicaShape(replica.replica, replica.version, replica.bad_count, replica.locked, replica.last_logon_at)


def say(step: Step) -> str:
    """The step in a sentence."""
    match step:
        case ReachWith(realm, account):
            return f"reach {realm} with {account}"
        case Seal(credential):
            return f"seal {credential}"
        case CreateAccount(account, like=like):
            return f"create {account}" + (f" like {like}" if like else "")
        case CopyRights(source, Account() as target):
            return f"compare the rights of {target} with those of {source}"
        case CopyRights(source, target):
            return f"give {target} the rights of {source} and compare"
        case SetPassword(credential):
            return f"set {credential}"
        case AwaitConvergence(credential):
            return f"wait until every replica has {credential}"
        case Publish(credential, holders, at_once):
            paced = f", {at_once} at once" if at_once < len(holders) else ""
            return f"publish {credential} to {_count(holders)}{paced}"
        case AwaitCanary(credential):
            return f"wait for the first holder to prove {credential}"
        case AwaitUptake(credential, holders):
            return f"wait until {_count(holders)} {'has' if len(holders) == 1 else 'have'} proven {credential}"
        case Withdraw(account):
            return f"withdraw {account}"
        case AwaitQuiet(account, quiet_s):
            return f"wait until {account} was quiet for {duration(quiet_s)}"
        case Disable(account):
            return f"disable {account}"
        case Delete(account):
            return f"delete {account}"
        case _:
            return _say_of_site(step)


def _say_of_site(
    step: VerifyPassword
    | ForgetIdentity
    | StopComponents
    | WriteControlFile
    | ReinstallComponents
    | RecreateAccessPoint,
) -> str:
    match step:
        case VerifyPassword(credential):
            return f"verify {credential} by one logon"
        case ForgetIdentity(account):
            return f"make {account} anew, without its identity {account.sid}"
        case StopComponents(site):
            return f"stop the components of site {site}"
        case WriteControlFile(site):
            return f"write the control file of site {site}"
        case ReinstallComponents(site):
            return f"install the components of site {site} anew and start them"
        case RecreateAccessPoint(_, system):
            return f"write access point {system} anew"


def _count(holders: tuple[str, ...]) -> str:
    match holders:
        case ():
            return "all holders (none is known)"
        case (name,):
            return name
        case _:
            return f"{len(holders)} holders"


def _mark(marked: Marked | None) -> str:
    return marked.mark if marked else ""
