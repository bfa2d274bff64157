"""A worker's lease on the plan of a `MemoryStore`, fenced as the real one is."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from keyturn.lifecycle.journal import Mark, Marked
from keyturn.lifecycle.plan import CreateAccount
from keyturn.lifecycle.ports import Sealed, Uptake
from keyturn.model.accounts import Account, AccountToBe, AnyAccount, Credential
from keyturn.model.errors import FencedOff, Refused
from keyturn.model.estate import AccountLife
from keyturn.model.secret import Secret
from keyturn.operations.ports import PlanState
from tests.crash.memory_store import Generation, MemoryStore, Place, State


def take(store: MemoryStore, worker: str, lease_s: float) -> "MemoryLease | None":
    now, held = store.now(), store.tenancy
    free = held.worker in (None, worker) or held.until <= now
    if not free or held.state not in (PlanState.RUNNING, PlanState.WAITING):
        return None
    store.tenancy = replace(held, fence=held.fence + 1, worker=worker, until=now + lease_s)
    return MemoryLease(store, store.tenancy.fence, lease_s)


@dataclass(frozen=True, slots=True)
class MemoryLease:
    """A `Lease`."""

    store: MemoryStore
    fence: int
    lease_s: float

    def check(self) -> None:
        held, now = self.store.tenancy, self.store.now()
        if held.fence != self.fence or held.worker is None or held.until <= now:
            raise FencedOff("the lease has ended")
        self.store.tenancy = replace(held, until=now + self.lease_s)

    def finish(self, state: PlanState, note: str = "", hint: str = "", missing: Sequence[str] = ()) -> None:
        self.check()
        left = replace(self.store.tenancy, state=state, note=note, hint=hint, missing=tuple(missing), worker=None)
        self.store.tenancy = left

    # The journal.

    def marks(self, plan_id: str) -> Mapping[int, Marked]:
        return dict(self.store.marks)

    def write(self, plan_id: str, number: int, mark: Mark) -> float:
        self.check()
        before = self.store.marks.get(number)
        if before and (mark is Mark.INTENDED or before.mark is Mark.DONE):
            return before.since
        self.store.marks[number] = Marked(mark, self.store.now())
        return self.store.now()

    def go_on(self, plan_id: str, done: int) -> float:
        self.write(plan_id, done, Mark.DONE)
        return self.write(plan_id, done + 1, Mark.INTENDED)

    # The vault.

    def given(self, credential: Credential) -> Secret | None:
        return None

    def seal(self, sealed: Sealed, secret: Secret) -> None:
        self.check()
        if self.store.key(sealed.credential) in self.store.generations:
            return
        kept = self.store.generations_of(sealed.credential.account).values()
        if any(one.state is State.UNDECIDED for one in kept):
            raise Refused("another candidate is undecided")
        self.store.generations[self.store.key(sealed.credential)] = Generation(sealed, secret, State.UNDECIDED)

    def sealed(self, credential: Credential) -> Sealed | None:
        kept = self.store.generations.get(self.store.key(credential))
        return kept.sealed if kept else None

    def open(self, credential: Credential) -> Secret:
        return self.store.generation(credential).secret

    def promote(self, credential: Credential, account: Account, version: int) -> None:
        self.check()
        self._settle(credential.account, account)
        key, generations = str(account), self.store.generations
        kept = self.store.generation(credential)
        for number, one in self.store.generations_of(account).items():
            if one.state is State.LIVE:
                generations[key, number] = replace(one, state=State.PREVIOUS)
        proven = replace(kept.sealed, promoted=True, version=version)
        generations[key, credential.generation] = replace(kept, sealed=proven, state=State.LIVE)
        self._change(account, generation=credential.generation, life=AccountLife.ACTIVE)

    def settle(self, planned: AccountToBe, account: Account) -> None:
        self.check()
        self._settle(planned, account)
        for step in (each.step for each in self.store.plan(self.store.plan_id).plan.steps):
            if isinstance(step, CreateAccount) and step.account == planned and step.succeeds:
                self._change(step.succeeds, successor=account)

    def identity(self, account: AnyAccount) -> Account | None:
        known = self.store.accounts[str(account)].account
        return known if isinstance(known, Account) else None

    def record(self, credential: Credential, remark: str) -> None:
        self.check()
        self.store.tell_once("plan", "remark", str(credential), remark)

    # The holdings.

    def publish(self, credential: Credential, holders: Collection[str], at_once: int) -> None:
        self.check()
        which = self.store.key(credential)
        self.store.paces[which] = at_once
        for name in holders:
            place = self.store.places.get((*which, name))
            if place is None or place.dropped_at is not None:
                self.store.places[(*which, name)] = Place()

    def uptake(self, credential: Credential) -> Uptake:
        which = self.store.key(credential)
        told = {s[2]: p for s, p in self.store.places.items() if s[:2] == which and p.dropped_at is None}
        refused = frozenset(name for name, place in told.items() if place.refused_at is not None)
        proven = frozenset(name for name, place in told.items() if place.proven_at is not None)
        return Uptake(proven - refused, refused)

    def holders(self, account: AnyAccount) -> frozenset[str]:
        places = self.store.places.items()
        return frozenset(s[2] for s, place in places if s[0] == str(account) and place.dropped_at is None)

    def reclaim(self, credential: Credential, *, offered_before: float) -> None:
        self.check()
        for spot, place in list(self.store.places.items()):
            unheard = place.proven_at is None and place.refused_at is None
            silent = place.offered_at is not None and place.offered_at < offered_before and unheard
            if silent and spot[:2] == self.store.key(credential):
                self.store.places[spot] = replace(place, offered_at=None)

    def released(self) -> frozenset[str]:
        return frozenset()

    def become(self, account: AnyAccount, life: AccountLife) -> None:
        self.check()
        self._change(account, life=life)

    def _settle(self, named_so: AnyAccount, account: Account) -> None:
        known = self.store.accounts[str(named_so)]
        if isinstance(known.account, Account):
            if known.account != account:
                raise Refused(f"{account} is known as another identity")
            return
        self._change(named_so, account=account, life=AccountLife.ACTIVE, created_at=self.store.now())

    def _change(self, whose: AnyAccount, **values: object) -> None:
        self.store.accounts[str(whose)] = replace(self.store.accounts[str(whose)], **values)  # type: ignore[arg-type]
