"""Plans: proposed, approved by people, carried out by a worker."""

from collections.abc import Collection
from dataclasses import replace

from keyturn.lifecycle.attended import Attended
from keyturn.lifecycle.catalogue.rules import MethodPart
from keyturn.lifecycle.execution import Execution
from keyturn.lifecycle.forecasting import foresee, foresee_release, foresee_reset, scene_of
from keyturn.lifecycle.guards import password_rules, refuse_last_client_connection, refuse_unequal
from keyturn.lifecycle.journal import Done, Outcome, Stopped, Waiting, advance
from keyturn.lifecycle.own_accounts import refuse_own_store
from keyturn.lifecycle.passwords import generate, refuse_unfit
from keyturn.lifecycle.plan import CopyRights, Plan, PlanKind, RecreateAccessPoint, Seal, Withdraw
from keyturn.lifecycle.planning import plan_creation, plan_deletion, plan_rotation
from keyturn.lockout.changes import Forecast
from keyturn.model.accounts import Account, AccountToBe, AnyAccount, Credential
from keyturn.model.errors import AuthorityError, FencedOff, KeyturnError, Refused, Unavailable
from keyturn.model.estate import Estate, ManagedAccount, SiteCode
from keyturn.model.secret import Secret
from keyturn.operations.components import held, idle, services_cut_off, with_live_services
from keyturn.operations.parts import Parts
from keyturn.operations.ports import Lease, PlanRecord, PlanState
from keyturn.operations.resetting import planned_again
from keyturn.operations.secondary import refuse_at_secondary
from keyturn.operations.site_works import OwnSite, components_are_stopped
from keyturn.operations.status_messages import report
from keyturn.site.components import ComponentName
from keyturn.site.status_messages import MessageId

RESUMED = "plan-resumed"


def propose_rotation(
    parts: Parts, account: str, *, by: str, given: Secret | None = None, method: MethodPart | None = None
) -> PlanRecord:
    """Plan a new password. Nothing is done; a password handed in is kept sealed with the plan."""
    refuse_at_secondary(parts, "accounts", f"keyturn account rotate '{account}'", account=account)
    estate = with_live_services(parts, parts.store.estate())
    managed = estate.managed(account)
    found = plan_rotation(estate, managed.account, patience=parts.settings.patience, method=method)
    refuse_own_store(found.plan, parts.store.reached_as())
    _refuse_unequal_second(parts, found.plan)
    _refuse_impossible_password(parts, estate, managed, found.plan, given)
    return propose(parts, found.plan, found.forecast or foresee(estate, found.plan), by, given)


def propose_creation(parts: Parts, account: str, *, by: str, given: Secret | None = None) -> PlanRecord:
    refuse_at_secondary(parts, "accounts", f"keyturn account create '{account}'", account=account)
    estate = parts.store.estate()
    managed = estate.managed(account)
    if isinstance(managed.account, Account):
        raise Refused(f"{managed.account} exists already", hint=f"keyturn account adopt '{account}' takes it in")
    plan = plan_creation(estate, managed.account)
    _refuse_impossible_password(parts, estate, managed, plan, given)
    return propose(parts, plan, foresee(estate, plan), by, given)


def propose_deletion(parts: Parts, account: str, *, by: str) -> PlanRecord:
    refuse_at_secondary(parts, "accounts", f"keyturn account delete '{account}'", account=account)
    estate = parts.store.estate()
    managed = estate.managed(account)
    refuse_last_client_connection(estate, managed)
    plan = plan_deletion(estate, managed.account)
    return propose(parts, plan, foresee(estate, plan), by, None)


def approve(parts: Parts, plan_id: str, *, by: str) -> PlanRecord:
    """Let the plan run, if it is still what would be planned now."""
    record = parts.store.plan(plan_id)
    if parts.settings.two_person_approval and record.proposed_by == by:
        raise Refused(
            f"{by} proposed plan {record.plan_id}, so another person approves it", hint="two-person approval is on"
        )
    _refuse_outdated(parts, record)
    with parts.store.whole():
        approved = parts.store.approve(record.plan_id, by, needed=1)
        parts.store.tell(by, "plan-approved", record.plan_id, record.plan.about)
    parts.wake()
    return approved


def reject(parts: Parts, plan_id: str, *, by: str) -> PlanRecord:
    record = parts.store.plan(plan_id)
    if record.state is not PlanState.PROPOSED:
        raise Refused(f"plan {record.plan_id} is {record.state} already", hint="keyturn plan abandon gives it up")
    return _decide(parts, record, PlanState.REJECTED, by)


def resume(parts: Parts, plan_id: str, *, by: str) -> PlanRecord:
    """Wait on, or try again, after the plan stopped with a question. The patience begins anew.

    A plan that was abandoned over a password of unknown fate can be resumed too: that is how its fate is learnt.
    """
    record = parts.store.plan(plan_id)
    if record.state not in (PlanState.STOPPED, PlanState.ABANDONED):
        raise Refused(f"plan {record.plan_id} is {record.state}; only a stopped one is resumed")
    return _decide(parts, record, PlanState.RUNNING, by, over=record.note)


def abandon(parts: Parts, plan_id: str, *, by: str) -> PlanRecord:
    """Give the plan up where it stands. No account is taken from anybody, no sealed password is thrown away, and the
    components that a reset has stopped run again."""
    record = parts.store.plan(plan_id)
    if not record.state.open:
        raise Refused(f"plan {record.plan_id} is {record.state} already")
    with parts.store.whole():
        abandoned = _decide(parts, record, PlanState.ABANDONED, by)
        if components_are_stopped(record):
            OwnSite(parts, record.plan_id).reinstall_components(SiteCode(parts.settings.site))
    return abandoned


def release(parts: Parts, plan_id: str, holders: Collection[str], *, by: str) -> PlanRecord:
    """Give up holders that will not return: the plan no longer waits for them."""
    record = parts.store.plan(plan_id)
    _refuse_strangers(record, holders)
    with parts.store.whole():
        released = parts.store.release(record.plan_id, holders, by)
        parts.store.tell(by, "holders-released", record.plan_id, ", ".join(sorted(holders)))
    parts.wake()
    return released


def foresee_giving_up(parts: Parts, plan_id: str, holders: Collection[str]) -> Forecast:
    """What releasing these holders would mean for them."""
    record = parts.store.plan(plan_id)
    _refuse_strangers(record, holders)
    estate = parts.store.estate()
    if record.plan.kind is PlanKind.SITE_RESET:
        return foresee_reset(estate, record.plan, only=frozenset(holders))
    managed = estate.bearing(_retired(record.plan))
    return foresee_release(scene_of(estate, managed), frozenset(holders))


def runnable(parts: Parts) -> tuple[PlanRecord, ...]:
    """The plans that a worker may carry forward."""
    work_left = (PlanState.RUNNING, PlanState.WAITING)
    return tuple(record for record in parts.store.plans(only_open=True) if record.state in work_left)


def shown(parts: Parts, record: PlanRecord) -> PlanRecord:
    """With the reason, where it would go on and nobody carries it on."""
    reason = idle(parts) if record.state in (PlanState.RUNNING, PlanState.WAITING) else ""
    return replace(record, note=reason) if reason else record


def advance_plan(parts: Parts, plan_id: str, worker: str) -> Outcome | None:
    """None while another worker holds the plan. Whatever is unforeseen stops the plan and asks a person.

    Raises Unavailable when the store cannot even be told that it failed; the plan stands where it stood.
    """
    lease = parts.store.lease(plan_id, worker, parts.settings.lease_s)
    if lease is None:
        return None
    plan = parts.store.plan(plan_id).plan
    try:
        outcome = advance(plan_id, plan, lease, _attended(parts, plan, _execution(parts, plan_id, lease)).perform)
    except FencedOff:
        return None
    except Unavailable as error:
        outcome = Waiting(str(error))  # what failed is done again as soon as the store can be written
    except KeyturnError as error:
        outcome = Stopped(str(error), error.hint)
    try:
        _finish(parts, plan_id, plan, lease, outcome)
    except FencedOff:
        return None
    return outcome


def _attended(parts: Parts, plan: Plan, execution: Execution) -> Attended:
    return Attended(execution, plan, lambda: held(parts), lambda: services_cut_off(parts, plan.account))


def _execution(parts: Parts, plan_id: str, lease: Lease) -> Execution:
    def new_password(account: AnyAccount) -> Secret:
        estate = parts.store.estate()
        return generate(password_rules(estate, _bearing(estate, account)), parts.choose)

    def resumed(question: str) -> bool:
        return parts.store.told(RESUMED, plan_id, question)

    works = OwnSite(parts, plan_id)
    return Execution(parts.authorities, lease, lease, lease.check, parts.now, new_password, works, resumed)


def _bearing(estate: Estate, account: AnyAccount) -> ManagedAccount:
    return next(m for m in estate.accounts if m.account == account or str(m.account) == str(account))


def _finish(parts: Parts, plan_id: str, plan: Plan, lease: Lease, outcome: Outcome) -> None:
    with parts.store.whole():
        match outcome:
            case Done():
                lease.finish(PlanState.DONE)
                parts.store.tell("keyturn", "plan-done", plan_id, plan.about)
                report(parts, ComponentName.ACCOUNT_MANAGER, MessageId.PLAN_DONE, plan=plan_id, about=plan.about)
            case Waiting(note, missing):
                lease.finish(PlanState.WAITING, note, missing=missing)
            case Stopped(question, hint):
                lease.finish(PlanState.STOPPED, question, hint)
                parts.store.tell("keyturn", "plan-stopped", plan_id, plan.about)
                told = {"plan": plan_id, "about": plan.about, "question": question}
                report(parts, ComponentName.ACCOUNT_MANAGER, MessageId.PLAN_STOPPED, **told)


def propose(parts: Parts, plan: Plan, forecast: Forecast, by: str, given: Secret | None) -> PlanRecord:
    record = PlanRecord(
        plan_id=parts.new_id(),
        plan=plan,
        forecast=forecast,
        state=PlanState.PROPOSED,
        proposed_by=by,
        proposed_at=parts.now(),
    )
    with parts.store.whole():
        parts.store.propose(record, (_sealed_first(plan), given) if given else None)
        parts.store.tell(by, "plan-proposed", record.plan_id, f"{plan.kind} {plan.about}")
    return record


def _decide(parts: Parts, record: PlanRecord, state: PlanState, by: str, *, over: str = "") -> PlanRecord:
    """`over`: the question that is answered by it, word for word."""
    kind = RESUMED if state is PlanState.RUNNING else f"plan-{state}"
    with parts.store.whole():
        decided = parts.store.decide(record.plan_id, state, by)
        parts.store.tell(by, kind, record.plan_id, over or record.plan.about)
    parts.wake()
    return decided


def _refuse_impossible_password(
    parts: Parts, estate: Estate, managed: ManagedAccount, plan: Plan, given: Secret | None
) -> None:
    """Now, and not when the plan is half done."""
    rules = password_rules(estate, managed)
    if given is None:
        generate(rules, parts.choose)
    elif plan.kind is PlanKind.SITE_REGENERATION:
        raise Refused(f"the site makes the password of {managed.account} itself", hint="leave --password-stdin out")
    else:
        refuse_unfit(given, rules)


def _refuse_unequal_second(parts: Parts, plan: Plan) -> None:
    """Of a second account that is there already. Where the realm cannot say now, the plan asks before it hands out."""
    for step in (p.step for p in plan.steps):
        if not (isinstance(step, CopyRights) and isinstance(step.source, Account) and isinstance(step.target, Account)):
            continue
        try:
            wanted = parts.authorities(step.source.realm).rights(step.source)
            found = parts.authorities(step.target.realm).rights(step.target)
        except AuthorityError:
            continue
        refuse_unequal(step.source, step.target, wanted, found)


def _refuse_outdated(parts: Parts, record: PlanRecord) -> None:
    """A plan is approved for the estate that its forecast was made from."""
    estate, plan = with_live_services(parts, parts.store.estate()), record.plan
    if plan.kind is PlanKind.CREATE and isinstance(plan.account, AccountToBe):
        fresh = plan_creation(estate, plan.account)
    elif plan.kind is PlanKind.DELETE:
        fresh = plan_deletion(estate, plan.account)
    elif plan.kind is PlanKind.SITE_RESET:
        fresh = planned_again(parts, estate, plan)
    else:
        by_console = MethodPart.CONSOLE if MethodPart.CONSOLE in plan.via else None
        fresh = plan_rotation(estate, plan.account, patience=parts.settings.patience, method=by_console).plan
    if [p.step for p in fresh.steps] != [p.step for p in plan.steps]:
        raise Refused(
            f"the estate has changed since plan {record.plan_id} was made, and it would be another plan now",
            hint="reject it and ask again",
        )


def _refuse_strangers(record: PlanRecord, holders: Collection[str]) -> None:
    known = {name for p in record.plan.steps if hasattr(p.step, "holders") for name in p.step.holders}
    known |= {p.step.system for p in record.plan.steps if isinstance(p.step, RecreateAccessPoint)}
    strangers = sorted(set(holders) - known - set(record.missing))
    if strangers:
        raise Refused(
            f"plan {record.plan_id} does not wait for {', '.join(strangers)}",
            hint=f"keyturn plan show {record.plan_id}",
        )


def _sealed_first(plan: Plan) -> Credential:
    return next(p.step.credential for p in plan.steps if isinstance(p.step, Seal))


def _retired(plan: Plan) -> AnyAccount:
    """The account that somebody who is given up would still hold."""
    return next((p.step.account for p in plan.steps if isinstance(p.step, Withdraw)), plan.account)
