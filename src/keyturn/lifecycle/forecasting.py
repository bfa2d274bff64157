"""What a plan, a plain change, or doing nothing would bring: the estate translated for the lockout forecast."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from keyturn.lifecycle.holders import holders_of
from keyturn.lifecycle.plan import Delete, Plan, PlanKind, SetPassword
from keyturn.lockout.changes import Change, Contact, Forecast, PasswordSet, Published, Retired
from keyturn.lockout.forecast import predict
from keyturn.model.accounts import AnyAccount
from keyturn.model.estate import Absence, Estate, Holder, ManagedAccount

HORIZON_S = 14 * 24 * 3600.0
PUBLISH_LAG_S = 3600.0
"""How long after a plain change the site has the new password at its access points, unless said: an hour, the
interval in which legacy clients look for news (Q199261)."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything a prediction about one account starts from."""

    managed: ManagedAccount
    contacts: tuple[Contact, ...]
    lags_s: tuple[float, ...]


def scene_of(estate: Estate, managed: ManagedAccount) -> Scene:
    realm = estate.realm(managed.account.realm)
    proven = {h.holder: h.generation for h in estate.holdings if h.account == managed.account}
    contacts = tuple(
        _contact(holder, managed.generation, proven.get(holder.name), realm.replicas)
        for holder in holders_of(estate, managed)
    )
    lags = tuple(0.0 if number == 0 else realm.replication_s for number in range(len(realm.replicas)))
    return Scene(managed, contacts, lags)


def foresee_naive(
    estate: Estate,
    managed: ManagedAccount,
    *,
    ungated: bool = True,
    publish_lag_s: float = PUBLISH_LAG_S,
    horizon_s: float = HORIZON_S,
) -> Forecast:
    """A plain password change: set now, and carried to the access points after a while. With `ungated`, every
    holder presents what it has, as a fleet without Keyturn's agent does."""
    scene = scene_of(estate, managed)
    if ungated:
        scene = replace(scene, contacts=tuple(replace(c, gated=False) for c in scene.contacts))
    return _predict(estate, scene, (PasswordSet(0), Published(publish_lag_s)), horizon_s)


def foresee_nothing(estate: Estate, managed: ManagedAccount, *, horizon_s: float = HORIZON_S) -> Forecast:
    return _predict(estate, scene_of(estate, managed), (), horizon_s)


def foresee(estate: Estate, plan: Plan, *, horizon_s: float = HORIZON_S) -> Forecast:
    """What the plan would bring to the account it is about, or to each that a reset gives another password."""
    if plan.kind is PlanKind.SITE_RESET:
        return foresee_reset(estate, plan, horizon_s=horizon_s)
    managed = estate.bearing(plan.account)
    scene = scene_of(estate, managed)
    converged_s = max(scene.lags_s, default=0.0)
    if plan.kind in (PlanKind.CREATE, PlanKind.DELETE):
        return Forecast(None, (), (), ())
    if plan.kind is PlanKind.IN_PLACE or _sets(plan, plan.account):
        return foresee_regenerated(estate, managed, horizon_s=horizon_s)
    published = Published(converged_s, second_account=True)
    return _predict(estate, scene, (published, *_retirement(scene, converged_s, horizon_s)), horizon_s)


def foresee_reset(
    estate: Estate, plan: Plan, *, only: frozenset[str] | None = None, horizon_s: float = HORIZON_S
) -> Forecast:
    """What it would bring to each account that gets another password; `only` to these of its holders."""
    changed = [m for m in estate.accounts if _sets(plan, m.account) or _replaces(plan, m.account)]
    return _together([foresee_regenerated(estate, m, only=only, horizon_s=horizon_s) for m in changed])


def foresee_regenerated(
    estate: Estate, managed: ManagedAccount, *, only: frozenset[str] | None = None, horizon_s: float = HORIZON_S
) -> Forecast:
    """Another password in the realm, and at the access points once every replica has it."""
    scene = scene_of(estate, managed)
    if only is not None:
        scene = replace(scene, contacts=tuple(c for c in scene.contacts if c.name in only))
    changes = (PasswordSet(0), Published(max(scene.lags_s, default=0.0)))
    return _predict(estate, scene, changes, horizon_s)


def foresee_release(estate: Estate, managed: ManagedAccount, holders: frozenset[str]) -> Forecast:
    """What becomes of holders that are given up: they come back after the account was retired."""
    scene = scene_of(estate, managed)
    away = tuple(
        replace(c, habit=replace(c.habit, absences=(Absence(0, 2), *c.habit.absences)))
        for c in scene.contacts
        if c.name in holders
    )
    changes = (Published(0, second_account=True), Retired(1))
    return _predict(estate, replace(scene, contacts=away), changes, HORIZON_S)


def harm(planned: Forecast, nothing: Forecast) -> str:
    """What the plan would bring that doing nothing would not."""
    if planned.first_lockout_s is not None and (
        nothing.first_lockout_s is None or planned.first_lockout_s < nothing.first_lockout_s
    ):
        return f"would lock the account after {planned.first_lockout_s:.0f} s by {', '.join(planned.blamed[:3])}"
    orphaned = [name for name in planned.orphaned if name not in nothing.orphaned]
    return f"would orphan {', '.join(orphaned[:3])}" if orphaned else ""


def _retirement(scene: Scene, published_s: float, horizon_s: float) -> tuple[Retired, ...]:
    """The account is retired only when the last holder has come; nobody knows when an absent one will."""
    last = max((_comes_by(c, published_s) for c in scene.contacts), default=published_s)
    return (Retired(last + 1),) if last < horizon_s else ()


def _comes_by(contact: Contact, after_s: float) -> float:
    """The latest moment of the holder's first contact after `after_s`."""
    comes = after_s + contact.habit.interval_s
    for absence in sorted(contact.habit.absences, key=lambda a: a.from_s):
        if absence.from_s <= comes < absence.until_s:
            comes = absence.until_s + contact.habit.interval_s
    return comes


def _predict(estate: Estate, scene: Scene, changes: tuple[Change, ...], horizon_s: float) -> Forecast:
    policy = estate.realm(scene.managed.account.realm).policy
    return predict(scene.contacts, changes, policy, replica_lag_s=scene.lags_s, horizon_s=horizon_s)


def _contact(holder: Holder, live: int | None, proven: int | None, replicas: tuple[str, ...]) -> Contact:
    behind = max(0, live - proven) if live is not None and proven is not None else 0
    at = replicas.index(holder.replica) if holder.replica in replicas else 0
    return Contact(holder.name, holder.habit, holder.protocol, holder.gated, behind, at)


def _together(forecasts: Sequence[Forecast]) -> Forecast:
    """The earliest lockout of any; everybody whom one of them orphans or brings back."""
    locking = [f for f in forecasts if f.first_lockout_s is not None]
    first = min(locking, key=lambda f: f.first_lockout_s or 0.0, default=Forecast(None, (), (), ()))
    return Forecast(
        first.first_lockout_s,
        first.blamed,
        tuple(dict.fromkeys(name for f in forecasts for name in f.orphaned)),
        tuple(dict.fromkeys(name for f in forecasts for name in f.recovered)),
        tuple(sorted((moment for f in forecasts for moment in f.moments), key=lambda moment: moment.at_s)),
    )


def _replaces(plan: Plan, account: AnyAccount) -> bool:
    return Delete(account) in (p.step for p in plan.steps)


def _sets(plan: Plan, account: AnyAccount) -> bool:
    return any(isinstance(p.step, SetPassword) and p.step.credential.account == account for p in plan.steps)
