"""Making plans: from the estate alone, by the catalogue's rule, refused where a promise could not be kept."""

from dataclasses import dataclass, replace

from keyturn.lifecycle.catalogue.choice import Circumstances, Rule, rule_for
from keyturn.lifecycle.catalogue.products import row
from keyturn.lifecycle.catalogue.rules import Change as How
from keyturn.lifecycle.catalogue.rules import HeldBy, MethodPart
from keyturn.lifecycle.forecasting import foresee, foresee_nothing
from keyturn.lifecycle.guards import (
    Change,
    password_rules,
    refuse_ended,
    refuse_maintained,
    refuse_own_recovery,
    refuse_reset_without_setup_file,
    refuse_stopped_services,
    refuse_unprovable,
)
from keyturn.lifecycle.holders import holders_of, strangers_of
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
from keyturn.lockout.changes import Forecast
from keyturn.model.accounts import AccountToBe, AnyAccount, Credential, RoleName, canonical
from keyturn.model.errors import Refused
from keyturn.model.estate import AccountLife, Estate, ManagedAccount, RealmKind, Site, SiteKind

DAY_S = 24 * 3600.0
ADDITIONAL = RoleName("sms2003/client-connection-additional")
STAGGERED_AT = 3
"""So many additional Client Connection accounts make a staggered ring (Q237759)."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for holders before a person is asked, and for silence before an account is disabled."""

    uptake_s: float = 14 * DAY_S
    quiet_s: float = 2 * DAY_S


def plan_rotation(estate: Estate, account: AnyAccount, *, patience: Patience, method: MethodPart | None = None) -> Plan:
    """How the account gets a new password: in place, by a second account, staggered, or by the site's own
    regeneration. Raises Refused with a hint when no way keeps every holder served."""
    managed = estate.bearing(account)
    refuse_ended(managed)
    refuse_reset_without_setup_file(estate, managed)
    rule = rule_for(managed.role, _circumstances(estate, managed))
    if rule.change not in (How.IN_PLACE, How.CYCLE) and not rule.second_account_first:
        refuse_maintained(estate, managed, Change.ROTATE)
    _refuse_unborn(managed)
    refuse_own_recovery(estate, managed)
    refuse_unprovable(estate, managed)
    password_rules(estate, managed)
    if method:
        rule = replace(rule, via=_via(managed, method))
    plan = _plan(estate, managed, rule, patience)
    return replace(plan, notes=(*plan.notes, *_notes(estate, managed)))


def plan_creation(estate: Estate, account: AccountToBe) -> Plan:
    """Make an account that the estate names and the realm does not have yet, and hand it to its holders."""
    managed = estate.bearing(account)
    if managed.life is not AccountLife.PLANNED:
        raise Refused(f"{account} exists already", hint=f"keyturn account rotate '{account}'")
    refuse_unprovable(estate, managed)
    password_rules(estate, managed)
    credential = Credential(account, 1)
    names = tuple(h.name for h in holders_of(estate, managed))
    reason = "named in the estate and not in the realm"
    steps = [
        Planned(Seal(credential), _SEALED),
        Planned(CreateAccount(account, managed.role, managed.sites), reason),
        Planned(AwaitConvergence(credential), _CONVERGED),
    ]
    if names:
        steps.append(Planned(Publish(credential, names, pace(estate, managed)), "its holders may have it now"))
    return Plan(PlanKind.CREATE, account, tuple(steps))


def plan_deletion(estate: Estate, account: AnyAccount) -> Plan:
    """Delete an account that a rotation has disabled."""
    managed = estate.bearing(account)
    refuse_maintained(estate, managed, Change.DELETE)
    if managed.life is not AccountLife.DISABLED:
        raise Refused(
            f"{account} is {managed.life}; only a disabled account is deleted",
            hint=f"keyturn account rotate '{account}' replaces and disables it",
        )
    reason = "disabled by an earlier plan, so nobody can be logging on with it"
    return Plan(PlanKind.DELETE, account, (Planned(Delete(account), reason),))


def _plan(estate: Estate, managed: ManagedAccount, rule: Rule, patience: Patience) -> Plan:
    if rule.change is How.SITE_REGENERATION:
        return _regenerate(estate, managed, rule, patience)
    if rule.change is How.IN_PLACE and not rule.second_account_first:
        refuse_stopped_services(estate, managed, rule)
        plan = _in_place(estate, managed, rule, patience)
        harm = _harm(foresee(estate, plan), foresee_nothing(estate, managed))
        if not harm:
            return plan
        if row(managed.role).held_by is HeldBy.EACH_CLIENT:
            raise Refused(f"changing {managed.account} in place {harm}, and no second account may stand in for it")
        rule = replace(rule, reason=f"in place {harm}: a second account comes first")
    plan = _cycle(estate, managed, rule, patience)
    if harm := _harm(foresee(estate, plan), foresee_nothing(estate, managed)):
        raise Refused(
            f"no plan for {managed.account} is safe: it {harm}",
            hint="keyturn forecast shows when and by whom; enrol those holders, or enable a logon installation",
        )
    return plan


def _in_place(estate: Estate, managed: ManagedAccount, rule: Rule, patience: Patience) -> Plan:
    return Plan(
        PlanKind.IN_PLACE,
        managed.account,
        tuple(_change(estate, managed, rule.reason, patience)),
        via=tuple(part.value for part in rule.via),
    )


def _change(
    estate: Estate, managed: ManagedAccount, reason: str, patience: Patience, behind: Credential | None = None
) -> list[Planned]:
    credential = Credential(managed.account, (managed.generation or 0) + 1)
    return [
        Planned(Seal(credential), _SEALED),
        Planned(SetPassword(credential, behind), reason),
        Planned(AwaitConvergence(credential), _CONVERGED),
        *_rollout(estate, managed, credential, patience),
    ]


def _cycle(estate: Estate, managed: ManagedAccount, rule: Rule, patience: Patience) -> Plan:
    ring = _ring(estate, managed)
    retired = min(ring, key=lambda m: (m.created_at, m.account.name)) if len(ring) >= STAGGERED_AT else managed
    kind = PlanKind.STAGGERED if len(ring) >= STAGGERED_AT else PlanKind.CYCLE
    reason = (
        f"{len(ring)} accounts in the ring: one is added and the oldest leaves, the others stay untouched (Q237759)"
        if kind is PlanKind.STAGGERED
        else rule.reason
    )
    new = AccountToBe(managed.account.realm, _next_name(estate, managed))
    create = CreateAccount(new, managed.role, managed.sites, like=retired.account, succeeds=retired.account)
    credential = Credential(new, 1)
    steps = (
        *_second_account(create, reason),
        *_rollout(estate, managed, credential, patience),
        *_retirement(retired.account, credential, patience),
    )
    return Plan(kind, retired.account, steps, via=tuple(part.value for part in rule.via))


def _regenerate(estate: Estate, managed: ManagedAccount, rule: Rule, patience: Patience) -> Plan:
    """The default Client Connection account: its clients are given another one before the site regenerates it."""
    spare = _spare(estate, managed)
    if spare:
        credential = Credential(spare.account, spare.generation or 1)
        steps = [Planned(CopyRights(managed.account, spare.account), "it was there already, so it is compared only")]
        steps += _rollout(estate, managed, credential, patience)
    else:
        new = AccountToBe(managed.account.realm, _next_name(estate, managed))
        credential = Credential(new, 1)
        create = CreateAccount(new, ADDITIONAL, managed.sites, like=managed.account)
        steps = _second_account(create, rule.reason)
        steps += _rollout(estate, managed, credential, patience)
    regenerated = "the site regenerates its default account; every client holds another"
    steps += _change(estate, managed, regenerated, patience, behind=credential)
    via = tuple(part.value for part in rule.via)
    return Plan(PlanKind.SITE_REGENERATION, managed.account, tuple(steps), via=via)


def _second_account(create: CreateAccount, reason: str) -> list[Planned]:
    credential = Credential(create.account, 1)
    steps = [Planned(Seal(credential), _SEALED), Planned(create, reason)]
    if create.like:
        steps.append(Planned(CopyRights(create.like, create.account), "the second account may do what the first may"))
    return [*steps, Planned(AwaitConvergence(credential), _CONVERGED)]


def _rollout(estate: Estate, managed: ManagedAccount, credential: Credential, patience: Patience) -> list[Planned]:
    names = tuple(h.name for h in holders_of(estate, managed))
    uptake = Planned(AwaitUptake(credential, names, patience.uptake_s), "retiring waits for every holder's own logon")
    if not names:
        return [uptake]
    at_once = pace(estate, managed)
    paced = f"at most {at_once} unproven at once: fewer bad attempts than half of what locks"
    return [
        Planned(Publish(credential, names, 1), "one holder first, whichever comes"),
        Planned(AwaitCanary(credential, patience.uptake_s), "if it is refused, nobody else tries"),
        Planned(Publish(credential, names, at_once), paced),
        uptake,
    ]


def _retirement(old: AnyAccount, credential: Credential, patience: Patience) -> list[Planned]:
    return [
        Planned(Withdraw(old, credential), "every holder has proven the other account"),
        Planned(AwaitQuiet(old, patience.quiet_s, credential), "whoever still uses it would be seen now"),
        Planned(Disable(old, credential), "unused; deleting it is a later plan"),
    ]


_SEALED = "no password is used before it is kept, and its envelope with it"
_CONVERGED = "a replica that has not heard of a password counts it as a wrong one"


def pace(estate: Estate, managed: ManagedAccount) -> int:
    """How many may hold an unproven password at once: all of them wrong stays below half the threshold."""
    threshold = estate.realm(managed.account.realm).policy.lockout_threshold
    if threshold == 0:
        return max(1, len(holders_of(estate, managed)))
    return max(1, (threshold - 1) // 2)


def _harm(planned: Forecast, nothing: Forecast) -> str:
    """What the plan would bring that doing nothing would not."""
    if planned.first_lockout_s is not None and (
        nothing.first_lockout_s is None or planned.first_lockout_s < nothing.first_lockout_s
    ):
        return f"would lock the account after {planned.first_lockout_s:.0f} s by {', '.join(planned.blamed[:3])}"
    orphaned = [name for name in planned.orphaned if name not in nothing.orphaned]
    return f"would orphan {', '.join(orphaned[:3])}" if orphaned else ""


def _circumstances(estate: Estate, managed: ManagedAccount) -> Circumstances:
    sites = [estate.site(code) for code in managed.sites]
    by_consumers = row(managed.role).held_by is HeldBy.CONSUMERS
    return Circumstances(
        sites=len(holders_of(estate, managed)) if by_consumers else len(sites),
        secondary_site=any(site.kind is SiteKind.SECONDARY for site in sites),
        services_running=not any(site.stopped_services for site in sites),
        password_known=managed.generation is not None,
        setup_file=any(site.setup_file for site in sites),
    )


def _via(managed: ManagedAccount, wanted: MethodPart) -> tuple[MethodPart, ...]:
    methods = row(managed.role).methods
    for method in methods:
        if wanted in method:
            return method
    known = " or ".join(" then ".join(part.value for part in method) for method in methods)
    raise Refused(f"{managed.account} has no {wanted.value} method", hint=f"its methods: {known}")


def _ring(estate: Estate, managed: ManagedAccount) -> list[ManagedAccount]:
    """The additional Client Connection accounts that serve the same sites."""
    if managed.role != ADDITIONAL:
        return []
    return [m for m in estate.accounts if m.role == ADDITIONAL and m.usable and set(m.sites) & set(managed.sites)]


def _spare(estate: Estate, managed: ManagedAccount) -> ManagedAccount | None:
    """An additional account whose password is known and that serves every site of this one."""
    for m in estate.accounts:
        if m.role == ADDITIONAL and m.usable and m.generation and set(managed.sites) <= set(m.sites):
            return m
    return None


def _next_name(estate: Estate, managed: ManagedAccount) -> str:
    """The next free `<name>_2`, `_3`, …, within the 20 characters of a logon name."""
    taken = {canonical(m.account.name) for m in estate.accounts if m.account.realm == managed.account.realm}
    stem, _, number = managed.account.name.rpartition("_")
    numbered = bool(stem) and number.isdecimal() and len(number) < 4
    base, first = (stem, int(number) + 1) if numbered else (managed.account.name, 2)
    for candidate in range(first, 10_000):
        name = f"{base[: 20 - len(str(candidate)) - 1]}_{candidate}"
        if canonical(name) not in taken:
            return name
    raise Refused(f"no free name is left beside {managed.account}")


def _notes(estate: Estate, managed: ManagedAccount) -> tuple[str, ...]:
    realm = estate.realm(managed.account.realm)
    notes = []
    if row(managed.role).could_be_gmsa and realm.kind is RealmKind.ACTIVE_DIRECTORY:
        notes.append(f"{managed.account} could be a group managed service account: then no plan is needed again")
    if not holders_of(estate, managed):
        notes.append(
            f"no holder of {managed.account} is known, so nobody is waited for: name its consumers in the estate"
        )
    if strangers := strangers_of(estate, managed):
        notes.append(
            f"{managed.account} is used from {', '.join(strangers)}, which the estate does not name: an account is not "
            "retired while they may need it, and a password changed in place is lost to them"
        )
    notes += [_setup_file_note(estate.site(code)) for code in managed.sites if estate.site(code).setup_accounts]
    return tuple(notes)


def _setup_file_note(site: Site) -> str:
    accounts = ", ".join(site.setup_accounts)
    return f"give the reset of site {site.code} its setup file: it names {accounts}, which no reset regenerates"


def _refuse_unborn(managed: ManagedAccount) -> None:
    if managed.life is AccountLife.PLANNED:
        raise Refused(f"{managed.account} is not in its realm yet", hint=f"keyturn account create '{managed.account}'")
