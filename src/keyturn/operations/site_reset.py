"""Site resets: asked for, shown beforehand, and told about when they are done."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from typing import TypeVar

from keyturn.lifecycle.forecasting import foresee
from keyturn.lifecycle.plan import CreateAccount, ForgetIdentity, Plan, PlanKind, RecreateAccessPoint, SetPassword
from keyturn.lifecycle.site_reset import SERVICE, qualified
from keyturn.model.accounts import Account, reference, same_name
from keyturn.model.errors import NotFound, Refused
from keyturn.model.estate import Estate, Site
from keyturn.model.secret import Secret
from keyturn.model.setup import SetupAccounts
from keyturn.operations import plans
from keyturn.operations.accounts import adopt
from keyturn.operations.left_out import is_left_out
from keyturn.operations.parts import Parts
from keyturn.operations.ports import PlanRecord, PlanState
from keyturn.operations.resetting import planned_reset
from keyturn.operations.secondary import refuse_at_secondary
from keyturn.operations.site_works import refuse_elsewhere


@dataclass(frozen=True, slots=True)
class Asked:
    """`setup` None: without a setup file. `recreate`: delete accounts and make them, as the product's guide says it
    does, instead of keeping their identities."""

    site: str
    setup: SetupAccounts | None = None
    service_password: Secret | None = field(default=None, repr=False)
    recreate: bool = False


def propose_reset(parts: Parts, asked: Asked, *, by: str) -> PlanRecord:
    """Passwords handed in are proven by one budgeted logon each and kept; nothing else is done before approval.

    What can be refused without a logon is refused before one.
    """
    _refuse_second(parts, asked.site)
    _planned_before(parts, asked)
    for account, secret in _handed_in(parts.store.estate(), asked):
        adopt(parts, account, secret, by=by)
    estate = parts.store.estate()
    plan = planned_reset(parts, estate, asked.site, _names(asked.setup), recreate=asked.recreate)
    return plans.propose(parts, plan, foresee(estate, plan), by, None)


def preview(parts: Parts, asked: Asked, *, by: str) -> PlanRecord:
    """The plan as it would be proposed. Nothing is kept, and nobody logs on."""
    known, plan = _planned_before(parts, asked)
    return PlanRecord("", plan, foresee(known, plan), PlanState.PROPOSED, by, parts.now())


def _planned_before(parts: Parts, asked: Asked) -> tuple[Estate, Plan]:
    """From the estate as if the passwords handed in were proven already, and that estate."""
    refuse_elsewhere(parts, asked.site)
    instead = "keyturn account rotate ACCOUNT; here: keyturn site components restart --all"
    refuse_at_secondary(parts, "accounts", instead)
    estate = parts.store.estate()
    known = _as_if_known(estate, [account for account, _ in _handed_in(estate, asked)])
    return known, planned_reset(parts, known, asked.site, _names(asked.setup), recreate=asked.recreate)


def assign(parts: Parts, system: str, *, by: str) -> None:
    """Write an access point that a reset went on without, and use it again. Refused while it is not reached."""
    if not is_left_out(system, parts.store.left_out()):
        raise Refused(f"no reset went on without {system}", hint="keyturn site status")
    if why := parts.recreate_access_point(system):
        raise Refused(f"access point {system} is not reached: {why}", hint="it stays left out until it is")
    with parts.store.whole():
        parts.store.take_back(system)
        parts.store.tell(by, "access-point-assigned", system)


@dataclass(frozen=True, slots=True)
class Remade:
    """`now` None: not made yet."""

    account: str
    was: str
    now: str | None


@dataclass(frozen=True, slots=True)
class ResetReport:
    """Accounts by what became of them. `regenerated` kept their identity, `kept` their password too; `remade` have
    another identity; `made` were not there before."""

    site: str
    state: PlanState
    kept: tuple[str, ...]
    regenerated: tuple[str, ...]
    remade: tuple[Remade, ...]
    made: tuple[str, ...]
    left_out: tuple[str, ...]


def report(parts: Parts, plan_id: str) -> ResetReport:
    record = parts.store.plan(plan_id)
    plan, site = record.plan, record.plan.site
    if plan.kind is not PlanKind.SITE_RESET or site is None:
        raise NotFound(f"plan {record.plan_id} is no site reset", hint="keyturn plan list --all")
    remade = tuple(_remade(parts, step.account) for step in _of(plan, ForgetIdentity))
    renamed = {each.account for each in remade}
    points = [step.system for step in _of(plan, RecreateAccessPoint)]
    return ResetReport(
        site=site,
        state=record.state,
        kept=tuple(str(account) for account in plan.keeps),
        regenerated=tuple(str(step.credential.account) for step in _of(plan, SetPassword)),
        remade=remade,
        made=tuple(str(s.account) for s in _of(plan, CreateAccount) if str(s.account) not in renamed),
        left_out=tuple(name for name in points if any(same_name(name, given_up) for given_up in record.released)),
    )


_S = TypeVar("_S", ForgetIdentity, RecreateAccessPoint, SetPassword, CreateAccount)


def _of(plan: Plan, kind: type[_S]) -> Iterator[_S]:
    return (planned.step for planned in plan.steps if isinstance(planned.step, kind))


def _remade(parts: Parts, former: Account) -> Remade:
    found = parts.store.named(str(former)).account
    now = found.sid if isinstance(found, Account) and found.sid != former.sid else None
    return Remade(str(former), former.sid, now)


def _refuse_second(parts: Parts, code: str) -> None:
    for record in parts.store.plans(only_open=True):
        if record.plan.site is not None and same_name(record.plan.site, code):
            raise Refused(f"a reset of site {code} is open", hint=f"keyturn plan show {record.plan_id}")


def _handed_in(estate: Estate, asked: Asked) -> list[tuple[str, Secret]]:
    """Accounts as `REALM\\name`, with the passwords that came along."""
    site = estate.site(asked.site)
    given = (
        [
            (qualified(account.name, site), account.password)
            for account in (asked.setup.server, asked.setup.client)
            if account is not None
        ]
        if asked.setup
        else []
    )
    if asked.service_password is not None:
        given.append((_service(estate, site), asked.service_password))
    return given


def _service(estate: Estate, site: Site) -> str:
    services = [str(m.account) for m in estate.accounts if m.role == SERVICE and m.usable and site.code in m.sites]
    if len(services) == 1:
        return services[0]
    which = f"several service accounts: {', '.join(services)}" if services else "no service account"
    raise Refused(
        f"site {site.code} has {which}, so one password for it says nothing",
        hint="leave --service-password-stdin out; keyturn account adopt takes in each",
    )


def _as_if_known(estate: Estate, accounts: Collection[str]) -> Estate:
    """With the generations that the passwords handed in would have."""
    named = [reference(account) for account in accounts]
    known = (
        replace(m, generation=m.generation or 1) if reference(str(m.account)) in named else m for m in estate.accounts
    )
    return replace(estate, accounts=tuple(known))


def _names(setup: SetupAccounts | None) -> list[str] | None:
    if setup is None:
        return None
    return [account.name for account in (setup.server, setup.client) if account is not None]
