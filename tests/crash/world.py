"""A whole site in memory that can be copied at any moment: what a copy holds is what a `kill -9` would leave.

A process that dies leaves the realm, the store, the machines and the time as they are, and nothing of its own. So no
process has to die here: the world is copied at the moment of the crash, and another worker goes on with the copy.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from keyturn.lifecycle.budgeted import Budgeted
from keyturn.lifecycle.catalogue.products import role_names
from keyturn.lifecycle.plan import Plan, PlanKind, Step
from keyturn.lifecycle.planning import plan_creation, plan_deletion, plan_rotation
from keyturn.model.accounts import AccountToBe, AnyAccount
from keyturn.model.policy import RealmPolicy
from keyturn.operations import plans
from keyturn.operations.doubts import look_into_doubts
from keyturn.operations.parts import LEASE_S, Parts, Settings
from keyturn.operations.ports import PlanRecord, PlanState
from keyturn.wire.estate_file.reading import read_estate
from tests.builtin import Clock
from tests.crash import memory_lease
from tests.crash.cases import Case
from tests.crash.memory_realm import MemoryRealm
from tests.crash.memory_store import MemoryStore
from tests.crash.moods import BEHAVES, Mood, MoodyRealm
from tests.crash.variants import Variant
from tests.estates import MACHINES
from tests.inner_site import PATIENCE, InnerSite

ROUND_S = 20.0
ROUNDS = 100
"""More than the longest wait for the lockout window, and after that for everything else."""
SELDOM = 3
"""The last machine comes every third round only."""

UNFORGIVING = RealmPolicy(lockout_threshold=2, lockout_window_s=200, lockout_duration_s=0, grace_s=0, history=0)
"""Two mistakes lock an account for good, and the password before the present one is a mistake at once."""

FAR = MACHINES[1]
"""The machine that logs on at the other replica, which has heard of less."""

Wrap = Callable[[Any], Any]


def about_to_begin(case: Case, mood: Mood = BEHAVES, *, theirs_at: int = 0, whose: str = "") -> "World":
    """A world whose plan is approved and has not begun, and whose realm is in that mood from now on."""
    world = _furnished(case).copy()
    world.realm = MoodyRealm(world.realm.realm, mood, world.clock, whose, theirs_at)
    return world


@cache
def _furnished(case: Case) -> "World":
    """Every account made and every machine current; for a deletion, the account is replaced and disabled before."""
    clock = Clock()
    estate = read_estate(case.estate, roles=role_names())
    corp = replace(estate.realm("CORP"), policy=UNFORGIVING)
    estate = replace(estate, realms=(corp,))
    realm = MemoryRealm(corp.name, corp.policy, corp.replicas, lag_s=10, now=clock)
    store = MemoryStore(estate, clock)
    store.accounts = {str(managed.account): managed for managed in estate.accounts}
    world = World(case, clock, MoodyRealm(realm, BEHAVES, clock), store, {name: {} for name in MACHINES})
    if case.kind is not PlanKind.CREATE:
        for managed in estate.accounts:
            world.carry_out(plan_creation(store.estate(), AccountToBe(managed.account.realm, managed.account.name)))
    if case.kind is PlanKind.DELETE:
        world.carry_out(world.rotation())
    propose = {PlanKind.CREATE: world.creation, PlanKind.DELETE: world.deletion}.get(case.kind, world.rotation)
    plan = propose()
    assert plan.kind is case.kind
    store.give("plan", plan)
    realm.log.clear()
    return world


@dataclass
class World:
    case: Case
    clock: Clock
    realm: MoodyRealm
    store: MemoryStore
    held: dict[str, dict[str, int]]
    """What each machine keeps, by account. Machines do not die with the server."""
    rounds: int = 0

    def copy(self) -> "World":
        clock = Clock(self.clock.now)
        held = {name: dict(kept) for name, kept in self.held.items()}
        return World(self.case, clock, self.realm.copy(clock), self.store.copy(clock), held, self.rounds)

    def restarted(self) -> "World":
        """As another worker finds it when the lease of the dead one has run out. Machines have come meanwhile: the
        server that answers them need not be the process that died. Not where somebody else's change refuses them: the
        machines of this world forget a refusal that the server did not hear, and agents do not.
        """
        world = self.copy()
        if not self.realm.theirs_at:
            world._contact(world._site(Variant(), lambda port: port))
        world.clock.turn(LEASE_S + 1)
        return world

    def run(self, variant: type[Variant] = Variant, wrap: Wrap = lambda port: port) -> PlanRecord:
        """Let worker and machines take turns until the plan has ended or asks a person. `wrap` is put around every
        port that the server calls."""
        site = self._site(variant(), wrap)
        last = self.rounds + ROUNDS
        while self.rounds < last:
            look_into_doubts(site.parts)
            plans.advance_plan(site.parts, self.store.plan_id, "worker")
            record = self.store.plan(self.store.plan_id)
            if record.state not in (PlanState.RUNNING, PlanState.WAITING):
                return record
            self._contact(site)
        return self.store.plan(self.store.plan_id)

    def resume(self) -> None:
        """As a person who was asked says so."""
        plans.resume(self._site(Variant(), lambda port: port).parts, self.store.plan_id, by="olga")

    def steps(self) -> list[Step]:
        return [planned.step for planned in self.store.plan(self.store.plan_id).plan.steps]

    def carry_out(self, plan: Plan) -> None:
        self.store.give("earlier", plan)
        assert self.run().state is PlanState.DONE
        for _ in range(2 * SELDOM):
            self._contact(self._site(Variant(), lambda port: port))

    def rotation(self) -> Plan:
        return plan_rotation(self.store.estate(), self._account(), patience=PATIENCE).plan

    def deletion(self) -> Plan:
        return plan_deletion(self.store.estate(), self._account())

    def creation(self) -> Plan:
        return plan_creation(self.store.estate(), AccountToBe(self._account().realm, self._account().name))

    def _account(self) -> AnyAccount:
        return self.store.estate().managed(self.case.account).account

    def _contact(self, site: InnerSite) -> None:
        """Whoever comes uses what it keeps, where the gate says that it may, and takes what is new."""
        self.rounds += 1
        unwatched = self._site(Variant(), lambda port: port)
        for name in MACHINES if self.rounds % SELDOM == 0 else MACHINES[:-1]:
            unwatched.use(name)
            site.contact(name)
        self.clock.turn(ROUND_S)

    def _site(self, variant: Variant, wrap: Wrap) -> InnerSite:
        chance = random.Random(self.rounds)
        ports = wrap(self.store)
        realm = variant.realm(wrap(self.realm), self.store)
        machines = {holder.name: holder for holder in self.store.base.all_clients()}
        machines[FAR] = replace(machines[FAR], replica=self.realm.realm.replicas[1])

        class Store:
            def lease(self, plan_id: str, worker: str, lease_s: float) -> Any:
                lease = memory_lease.take(world.store, worker, lease_s)
                return None if lease is None else variant.lease(wrap(lease), world.realm)

            def __getattr__(self, verb: str) -> Any:
                return getattr(ports, verb)

        world = self
        parts = Parts(
            settings=Settings("PHX", patience=PATIENCE),
            store=Store(),  # type: ignore[arg-type]
            authorities=lambda name: Budgeted(realm, ports, self.clock),
            reached_by=None,  # type: ignore[arg-type]
            access_realm=lambda name: self.realm,  # type: ignore[arg-type,return-value]
            realm_tools=None,  # type: ignore[arg-type]
            machine=machines.get,
            check_realms=lambda estate: None,
            prepare_realms=lambda: None,
            now=self.clock,
            choose=chance.choice,
            token=lambda: "",
            new_id=lambda: "",
            wake=lambda: None,
        )
        return InnerSite(Path(), self.clock, parts, None, parts.store, self.held)  # type: ignore[arg-type]

    def differs_from(self, other: "World") -> bool:
        return self.realm != other.realm or self.store != other.store or self.held != other.held
