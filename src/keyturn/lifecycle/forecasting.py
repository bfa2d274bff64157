"""What a plan, a plain change, or doing nothing would bring: the estate translated for the lockout forecast."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from keyturn.lifecycle.holders import crowds_of
from keyturn.lifecycle.plan import Delete, Plan, PlanKind, SetPassword
from keyturn.lockout.changes import Change, Contact, Forecast, PasswordSet, Published, Retired
from keyturn.lockout.forecast import predict
from keyturn.lockout.roster import Roster, gathered
from keyturn.model.accounts import AnyAccount
from keyturn.model.estate import Absence, Estate, Holder, ManagedAccount
from keyturn.model.policy import RealmPolicy

HORIZON_S = 14 * 24 * 3600.0
PUBLISH_LAG_S = 3600.0
"""How long after a plain change the site has the new password at its access points, unless said: an hour, the
interval in which legacy clients look for news (Q199261)."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that predictions about one account start from. Setting it costs as much as a prediction where holders
    are a million, so that whoever asks twice sets it once."""

    managed: ManagedAccount
    policy: RealmPolicy
    roster: Roster
    lags_s: tuple[float, ...]

    @property
    def converged_s(self) -> float:
        return max(self.lags_s, default=0.0)


def scene_of(estate: Estate, managed: ManagedAccount) -> Scene:
    realm = estate.realm(managed.account.realm)
    proven = {h.holder: h.generation for h in estate.holdings if h.account == managed.account}
    roster = gathered(
        (names, _contact(like, managed.generation, generation, realm.replicas))
        for crowd, like in crowds_of(estate, managed)
        for generation, names in _by_generation(crowd, proven)
    )
    lags = tuple(0.0 if number == 0 else realm.replication_s for number in range(len(realm.replicas)))
    return Scene(managed, realm.policy, roster, lags)


def foresee_naive(
    scene: Scene, *, ungated: bool = True, publish_lag_s: float = PUBLISH_LAG_S, horizon_s: float = HORIZON_S
) -> Forecast:
    """A plain password change: set now, and carried to the access points after a while. With `ungated`, every
    holder presents what it has, as a fleet without Keyturn's agent does."""
    if ungated:
        scene = replace(scene, roster=scene.roster.changed(lambda contact: replace(contact, gated=False)))
    return _predict(scene, (PasswordSet(0), Published(publish_lag_s)), horizon_s)


def foresee_nothing(scene: Scene, *, horizon_s: float = HORIZON_S) -> Forecast:
    return _predict(scene, (), horizon_s)


def foresee(estate: Estate, plan: Plan) -> Forecast:
    """What the plan would bring to the account it is about, or to each that a reset gives another password."""
    if plan.kind is PlanKind.SITE_RESET:
        return foresee_reset(estate, plan)
    if plan.kind in (PlanKind.CREATE, PlanKind.DELETE):
        return Forecast(None, (), (), ())
    return foresee_change(scene_of(estate, estate.bearing(plan.account)), plan)


def foresee_change(scene: Scene, plan: Plan) -> Forecast:
    """As above, of a plan that changes the account of the scene."""
    if plan.kind is PlanKind.IN_PLACE or _sets(plan, plan.account):
        return foresee_regenerated(scene)
    published = Published(scene.converged_s, second_account=True)
    return _predict(scene, (published, *_retirement(scene)), HORIZON_S)


def foresee_reset(estate: Estate, plan: Plan, *, only: frozenset[str] | None = None) -> Forecast:
    """What it would bring to each account that gets another password; `only` to these of its holders."""
    changed = [m for m in estate.accounts if _sets(plan, m.account) or _replaces(plan, m.account)]
    return _together([foresee_regenerated(scene_of(estate, m), only=only) for m in changed])


def foresee_regenerated(scene: Scene, *, only: frozenset[str] | None = None) -> Forecast:
    """Another password in the realm, and at the access points once every replica has it."""
    if only is not None:
        scene = replace(scene, roster=scene.roster.only(only))
    return _predict(scene, (PasswordSet(0), Published(scene.converged_s)), HORIZON_S)


def foresee_release(scene: Scene, holders: frozenset[str]) -> Forecast:
    """What becomes of holders that are given up: they come back after the account was retired."""
    away = scene.roster.only(holders).changed(_away_at_first)
    return _predict(replace(scene, roster=away), (Published(0, second_account=True), Retired(1)), HORIZON_S)


def harm(scene: Scene, planned: Forecast) -> str:
    """What the plan would bring that doing nothing would not. Doing nothing is foreseen only where there is anything to
    compare it with."""
    if planned.safe:
        return ""
    nothing = foresee_nothing(scene)
    if planned.first_lockout_s is not None and (
        nothing.first_lockout_s is None or planned.first_lockout_s < nothing.first_lockout_s
    ):
        return f"would lock the account after {planned.first_lockout_s:.0f} s by {', '.join(planned.blamed[:3])}"
    orphaned = [name for name in planned.orphaned if name not in nothing.orphaned]
    return f"would orphan {', '.join(orphaned[:3])}" if orphaned else ""


def _retirement(scene: Scene) -> tuple[Retired, ...]:
    """The account is retired only when the last holder has come; nobody knows when an absent one will."""
    last = max((_comes_by(kind, scene.converged_s) for kind in scene.roster.kinds), default=scene.converged_s)
    return (Retired(last + 1),) if last < HORIZON_S else ()


def _away_at_first(contact: Contact) -> Contact:
    return replace(contact, habit=replace(contact.habit, absences=(Absence(0, 2), *contact.habit.absences)))


def _comes_by(contact: Contact, after_s: float) -> float:
    """The latest moment of the holder's first contact after `after_s`."""
    comes = after_s + contact.habit.interval_s
    for absence in sorted(contact.habit.absences, key=lambda a: a.from_s):
        if absence.from_s <= comes < absence.until_s:
            comes = absence.until_s + contact.habit.interval_s
    return comes


def _predict(scene: Scene, changes: tuple[Change, ...], horizon_s: float) -> Forecast:
    return predict(scene.roster, changes, scene.policy, replica_lag_s=scene.lags_s, horizon_s=horizon_s)


def _by_generation(names: Collection[str], proven: Mapping[str, int]) -> Iterator[tuple[int | None, Collection[str]]]:
    """What each of them has proven last, with all who have proven that."""
    if proven.keys().isdisjoint(names):
        yield None, names
        return
    found: dict[int | None, list[str]] = {}
    for name in names:
        found.setdefault(proven.get(name), []).append(name)
    yield from found.items()


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
