"""Making plans: from the estate alone, by the catalogue's rule, refused where a promise could not be kept."""

from dataclasses import dataclass, replace

from keyturn.lifecycle.catalogue.choice import Circumstances, Rule, rule_for
from keyturn.lifecycle.catalogue.products import row
from keyturn.lifecycle.catalogue.rules import Change as How
from keyturn.lifecycle.catalogue.rules import HeldBy, MethodPart
from keyturn.lifecycle.forecasting import foresee_change, harm, scene_of
from keyturn.lifecycle.guards import (
    Change,
    password_rules,
    refuse_ended,
    refuse_made_by_clients,
    refuse_maintained,
    refuse_only_recovery,
    refuse_reset_without_setup_file,
    refuse_stopped_services,
    refuse_unprovable,
)
from keyturn.lifecycle.holders import a_holder_of, names_of_holders, strangers_of
from keyturn.lifecycle.own_accounts import reached_with, refuse_own_recovery, stand_in
from keyturn.lifecycle.plan import (
    AwaitConvergence,
    AwaitQuiet,
    CreateAccount,
    Delete,
    Disable,
    Plan,
    PlanKind,
    Planned,
    Publish,
    ReachWith,
    Seal,
    Withdraw,
)
from keyturn.lifecycle.questions import not_running
from keyturn.lifecycle.sequences import (
    ADDITIONAL,
    CONVERGED,
    SEALED,
    Patience,
    carried_over,
    next_name,
    pace,
    rollout,
    second_account,
    set_in_place,
)
from keyturn.lockout.changes import Forecast
from keyturn.model.accounts import AccountToBe, AnyAccount, Credential
from keyturn.model.errors import Refused
from keyturn.model.estate import AccountLife, Estate, ManagedAccount, RealmKind, Site, SiteKind

STAGGERED_AT = 3
"""So many additional Client Connection accounts make a staggered ring (Q237759)."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """A plan, and the forecast by which it was found harmless; None for one that was chosen without."""

    plan: Plan
    forecast: Forecast | None = None


def plan_rotation(
    estate: Estate, account: AnyAccount, *, patience: Patience, method: MethodPart | None = None
) -> Weighed:
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
    refuse_only_recovery(estate, managed)
    refuse_unprovable(estate, managed)
    password_rules(estate, managed)
    if method:
        rule = replace(rule, via=_via(managed, method))
    found = _plan(estate, managed, rule, patience)
    notes = (*found.plan.notes, *_notes(estate, managed, found.plan.via))
    return replace(found, plan=replace(found.plan, notes=notes))


def plan_creation(estate: Estate, account: AccountToBe) -> Plan:
    """Make an account that the estate names and the realm does not have yet, and hand it to its holders."""
    managed = estate.bearing(account)
    refuse_made_by_clients(managed)
    if managed.life is not AccountLife.PLANNED:
        raise Refused(f"{account} exists already", hint=f"keyturn account rotate '{account}'")
    refuse_unprovable(estate, managed)
    password_rules(estate, managed)
    credential = Credential(account, 1)
    names = names_of_holders(estate, managed)
    reason = "named in the estate and not in the realm"
    steps = [
        Planned(Seal(credential), SEALED),
        Planned(CreateAccount(account, managed.role, managed.sites), reason),
        Planned(AwaitConvergence(credential), CONVERGED),
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


def _plan(estate: Estate, managed: ManagedAccount, rule: Rule, patience: Patience) -> Weighed:
    if meanwhile := _meanwhile(estate, managed):
        rest = _change(estate, managed, "Keyturn alone holds it, and works with another one meanwhile", patience)
        return Weighed(Plan(PlanKind.IN_PLACE, managed.account, (*meanwhile, *rest)))
    if rule.change is How.SITE_REGENERATION:
        return Weighed(_regenerate(estate, managed, rule, patience))
    if rule.change is How.IN_PLACE and not rule.second_account_first:
        refuse_stopped_services(estate, managed, rule)
        in_place, harmful = _weighed(estate, _in_place(estate, managed, rule, patience))
        if not harmful:
            return in_place
        if row(managed.role).held_by is HeldBy.EACH_CLIENT:
            raise Refused(f"changing {managed.account} in place {harmful}, and no second account may stand in for it")
        rule = replace(rule, reason=f"in place {harmful}: a second account comes first")
    cycle, harmful = _weighed(estate, _cycle(estate, managed, rule, patience))
    if harmful:
        raise Refused(
            f"no plan for {managed.account} is safe: it {harmful}",
            hint="keyturn forecast shows when and by whom; enrol those holders, or enable a logon installation",
        )
    return cycle


def _weighed(estate: Estate, plan: Plan) -> tuple[Weighed, str]:
    """And the harm it would do: to those who hold the account it retires, which in a ring may be another one than was
    asked for."""
    scene = scene_of(estate, estate.bearing(plan.account))
    forecast = foresee_change(scene, plan)
    return Weighed(plan, forecast), harm(scene, forecast)


def _meanwhile(estate: Estate, managed: ManagedAccount) -> list[Planned]:
    """With what Keyturn reaches its realms while an account of its own is changed; nothing for any other account."""
    found = [(realm.name, stand_in(estate, realm, managed)) for realm in reached_with(estate, managed)]
    reason = f"Keyturn works with it while {managed.account} is changed"
    return [Planned(ReachWith(realm, other.account), reason) for realm, other in found if other]


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
    steps, credential = set_in_place(managed, reason, behind)
    return [*steps, *rollout(estate, managed, credential, patience)]


def _cycle(estate: Estate, managed: ManagedAccount, rule: Rule, patience: Patience) -> Plan:
    ring = _ring(estate, managed)
    retired = min(ring, key=lambda m: (m.created_at, m.account.name)) if len(ring) >= STAGGERED_AT else managed
    kind = PlanKind.STAGGERED if len(ring) >= STAGGERED_AT else PlanKind.CYCLE
    reason = (
        f"{len(ring)} accounts in the ring: one is added and the oldest leaves, the others stay untouched (Q237759)"
        if kind is PlanKind.STAGGERED
        else rule.reason
    )
    new = AccountToBe(managed.account.realm, next_name(estate, managed))
    create = CreateAccount(new, managed.role, managed.sites, like=retired.account, succeeds=retired.account)
    credential = Credential(new, 1)
    steps = (
        *second_account(create, reason),
        *rollout(estate, managed, credential, patience, like=retired.account),
        *_retirement(retired.account, credential, patience),
    )
    return Plan(kind, retired.account, steps, via=tuple(part.value for part in rule.via))


def _regenerate(estate: Estate, managed: ManagedAccount, rule: Rule, patience: Patience) -> Plan:
    """The default Client Connection account: its clients are given another one before the site regenerates it."""
    carried, credential = carried_over(estate, managed, rule.reason, patience)
    regenerated = "the site regenerates its default account; every client holds another"
    steps = (*carried, *_change(estate, managed, regenerated, patience, behind=credential))
    via = tuple(part.value for part in rule.via)
    return Plan(PlanKind.SITE_REGENERATION, managed.account, steps, via=via)


def _retirement(old: AnyAccount, credential: Credential, patience: Patience) -> list[Planned]:
    return [
        Planned(Withdraw(old, credential), "every holder has proven the other account"),
        Planned(AwaitQuiet(old, patience.quiet_s, credential), "whoever still uses it would be seen now"),
        Planned(Disable(old, credential), "unused; deleting it is a later plan"),
    ]


def _circumstances(estate: Estate, managed: ManagedAccount) -> Circumstances:
    sites = [estate.site(code) for code in managed.sites]
    by_consumers = row(managed.role).held_by is HeldBy.CONSUMERS
    return Circumstances(
        sites=len(names_of_holders(estate, managed)) if by_consumers else len(sites),
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


def _notes(estate: Estate, managed: ManagedAccount, via: tuple[str, ...]) -> tuple[str, ...]:
    realm = estate.realm(managed.account.realm)
    notes = []
    if row(managed.role).could_be_gmsa and realm.kind == RealmKind.ACTIVE_DIRECTORY:
        notes.append(f"{managed.account} could be a group managed service account: then no plan is needed again")
    if a_holder_of(estate, managed) is None:
        notes.append(
            f"no holder of {managed.account} is known, so nobody is waited for: name its consumers in the estate"
        )
    if strangers := strangers_of(estate, managed):
        notes.append(
            f"{managed.account} is used from {', '.join(strangers)}, which the estate does not name: an account is not "
            "retired while they may need it, and a password changed in place is lost to them"
        )
    if MethodPart.SITE_RESET in via and (stopped := _stopped_services(estate, managed)):
        notes.append(f"by site reset: the console method needs every service, and {not_running(stopped)}")
    notes += [_setup_file_note(estate.site(code)) for code in managed.sites if estate.site(code).setup_accounts]
    return tuple(notes)


def _stopped_services(estate: Estate, managed: ManagedAccount) -> tuple[str, ...]:
    """Where the account could have been changed by the console."""
    if not any(MethodPart.CONSOLE in method for method in row(managed.role).methods):
        return ()
    return tuple(name for code in managed.sites for name in estate.site(code).stopped_services)


def _setup_file_note(site: Site) -> str:
    accounts = ", ".join(site.setup_accounts)
    return f"give the reset of site {site.code} its setup file: it names {accounts}, which no reset regenerates"


def _refuse_unborn(managed: ManagedAccount) -> None:
    if managed.life is AccountLife.PLANNED:
        raise Refused(f"{managed.account} is not in its realm yet", hint=f"keyturn account create '{managed.account}'")
