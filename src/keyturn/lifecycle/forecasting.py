"""What a plan, a plain change, or doing nothing would bring: the estate translated for the lockout forecast."""

from dataclasses import dataclass, replace

from keyturn.lifecycle.holders import holders_of
from keyturn.lifecycle.plan import Plan, PlanKind, SetPassword
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
    """What the plan would bring to the account it is about."""
    managed = estate.bearing(plan.account)
    scene = scene_of(estate, managed)
    converged_s = max(scene.lags_s, default=0.0)
    if plan.kind in (PlanKind.CREATE, PlanKind.DELETE):
        return Forecast(None, (), (), ())
    if plan.kind is PlanKind.IN_PLACE or _sets(plan, plan.account):
        return _predict(estate, scene, (PasswordSet(0), Published(converged_s)), horizon_s)
    published = Published(converged_s, second_account=True)
    return _predict(estate, scene, (published, *_retirement(scene, converged_s, horizon_s)), horizon_s)


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


def _sets(plan: Plan, account: AnyAccount) -> bool:
    return any(isinstance(p.step, SetPassword) and p.step.credential.account == account for p in plan.steps)
