"""The store in memory, as far as carrying out one plan and serving its holders needs it. Quick to copy.

Rows are frozen and only ever replaced, so a copy of the tables is a copy of the store. Accounts are keyed by
`REALM\\name`: no account is renamed here.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from enum import StrEnum

from keyturn.lifecycle.journal import Marked
from keyturn.lifecycle.plan import CreateAccount, Plan
from keyturn.lifecycle.ports import Sealed
from keyturn.lockout.budget import Attempt
from keyturn.lockout.changes import Forecast
from keyturn.model.accounts import Account, AnyAccount, Credential
from keyturn.model.errors import NotFound
from keyturn.model.estate import AccountLife, Estate, Holding, ManagedAccount, Proof
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret
from keyturn.operations.client_ports import Doubt, Offer
from keyturn.operations.ports import Event, PlanRecord, PlanState
from keyturn.site.components import ComponentName, Order, Standing
from keyturn.site.status_messages import StatusMessage


class State(StrEnum):
    UNDECIDED = "undecided"
    LIVE = "live"
    PREVIOUS = "previous"


@dataclass(frozen=True, slots=True)
class Generation:
    sealed: Sealed
    secret: Secret
    state: State


@dataclass(frozen=True, slots=True)
class Place:
    """Where one holder stands with one credential."""

    offered_at: float | None = None
    proof: Proof | None = None
    proven_at: float | None = None
    refused_at: float | None = None
    dropped_at: float | None = None

    @property
    def occupied(self) -> bool:
        taken = self.offered_at is not None and self.proven_at is None
        return self.dropped_at is None and (taken or self.refused_at is not None)


@dataclass(frozen=True, slots=True)
class Tenancy:
    """The one plan's state and lease."""

    state: PlanState = PlanState.RUNNING
    note: str = ""
    hint: str = ""
    missing: tuple[str, ...] = ()
    fence: int = 0
    worker: str | None = None
    until: float = 0


@dataclass
class MemoryStore:
    """`base` is the estate file's reading; its accounts and holdings stand in the tables below."""

    base: Estate
    now: Callable[[], float] = field(compare=False)
    plan_id: str = ""
    planned: Plan | None = None
    tenancy: Tenancy = Tenancy()
    accounts: dict[str, ManagedAccount] = field(default_factory=dict)
    generations: dict[tuple[str, int], Generation] = field(default_factory=dict)
    paces: dict[tuple[str, int], int] = field(default_factory=dict)
    places: dict[tuple[str, int, str], Place] = field(default_factory=dict)
    trusted: dict[tuple[str, int], float] = field(default_factory=dict)
    marks: dict[int, Marked] = field(default_factory=dict)
    attempts: dict[int, tuple[Account, Attempt]] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    messages: list[StatusMessage] = field(default_factory=list)

    def copy(self, now: Callable[[], float]) -> "MemoryStore":
        return replace(
            self,
            now=now,
            accounts=dict(self.accounts),
            generations=dict(self.generations),
            paces=dict(self.paces),
            places=dict(self.places),
            trusted=dict(self.trusted),
            marks=dict(self.marks),
            attempts=dict(self.attempts),
            events=list(self.events),
            messages=list(self.messages),
        )

    # Estates and escrow.

    def estate(self) -> Estate:
        return replace(self.base, accounts=tuple(self.accounts.values()), holdings=tuple(self._holdings()))

    def named(self, name: str) -> ManagedAccount:
        if name not in self.accounts:
            raise NotFound(f"no account {name} in the store")
        return self.accounts[name]

    def predecessors(self, account: AnyAccount) -> tuple[AnyAccount, ...]:
        line = [account]
        while before := [m.account for m in self.accounts.values() if m.successor == line[-1]]:
            line.append(before[0])
        return tuple(line[1:])

    def secret(self, credential: Credential) -> Secret:
        return self.generation(credential).secret

    # Plans: this store has one.

    def give(self, plan_id: str, plan: Plan) -> None:
        """Keep the plan as approved: the accounts it makes bear their roles."""
        self.plan_id, self.planned, self.tenancy, self.marks = plan_id, plan, Tenancy(), {}
        for step in (each.step for each in plan.steps):
            if isinstance(step, CreateAccount) and str(step.account) not in self.accounts:
                new = ManagedAccount(step.account, step.role, step.sites, AccountLife.PLANNED)
                self.accounts[str(step.account)] = new

    def plan(self, plan_id: str) -> PlanRecord:
        if plan_id != self.plan_id or self.planned is None:
            raise NotFound(f"no plan {plan_id}")
        now = self.tenancy
        return PlanRecord(
            plan_id,
            self.planned,
            Forecast(None, (), (), ()),
            now.state,
            "olga",
            0,
            note=now.note,
            hint=now.hint,
            missing=now.missing,
            marks=self.marks,
        )

    def decide(self, plan_id: str, state: PlanState, by: str, note: str = "") -> PlanRecord:
        """Running again begins the waiting anew; steps that are done stay done."""
        self.tenancy = replace(self.tenancy, state=state, note=note, worker=None)
        self.marks = {number: marked for number, marked in self.marks.items() if marked.mark == "done"}
        return self.plan(plan_id)

    # Clients.

    def offers(self, name: str) -> tuple[Offer, ...]:
        mine: dict[str, dict[int, Place]] = {}
        for (key, generation, holder), place in self.places.items():
            if holder == name and place.dropped_at is None:
                mine.setdefault(key, {})[generation] = place
        return tuple(self._offer(key, mine[key]) for key in sorted(mine))

    def offers_to(self, names: Collection[str]) -> dict[str, tuple[Offer, ...]]:
        return {name: self.offers(name) for name in names}

    def take(self, credential: Credential, names: Collection[str], now: float) -> frozenset[str]:
        return frozenset(name for name in names if self._take(name, credential, now))

    def _take(self, name: str, credential: Credential, now: float) -> bool:
        which = self.key(credential)
        place = self.places.get((*which, name))
        life = self.accounts[which[0]].life
        if place is None or place.dropped_at is not None or life not in (AccountLife.PLANNED, AccountLife.ACTIVE):
            return False
        if place.offered_at is not None or place.proven_at is not None:
            return True
        if sum(each.occupied for spot, each in self.places.items() if spot[:2] == which) >= self.paces[which]:
            return False
        self.places[(*which, name)] = replace(place, offered_at=now)
        return True

    def prove(self, name: str, credential: Credential, proof: Proof, now: float) -> bool:
        spot = (*self.key(credential), name)
        place = self.places.get(spot)
        if place is None:
            return False
        if place.refused_at is not None or place.dropped_at is not None:
            place = replace(place, refused_at=None, dropped_at=None)
        if place.proof is None or (place.proof is Proof.REPORTED and proof is Proof.OBSERVED):
            place = replace(place, proof=proof, proven_at=now)
        self.places[spot] = place
        return True

    def refuse(self, name: str, credential: Credential, answer: Answer, now: float) -> bool:
        spot = (*self.key(credential), name)
        if spot not in self.places:
            return False
        self.places[spot] = replace(self.places[spot], refused_at=now)
        return True

    def dropped(self, account: AnyAccount, names: Collection[str], now: float) -> None:
        for spot, place in list(self.places.items()):
            if spot[0] == str(account) and spot[2] in names and place.dropped_at is None:
                self.places[spot] = replace(place, dropped_at=now)

    def doubted(self) -> tuple[Doubt, ...]:
        live = ((m.account, m.generation) for m in self.accounts.values())
        named = [(a, Credential(a, n)) for a, n in live if isinstance(a, Account) and n is not None]
        return tuple(
            Doubt(credential, account, self.generation(credential).sealed.version)
            for account, credential in named
            if self._is_doubted(self.key(credential))
        )

    def trust(self, credential: Credential, now: float) -> None:
        self.trusted[self.key(credential)] = now

    # The ledger of logons, and what is told.

    def recent(self, account: Account, since: float) -> tuple[Attempt, ...]:
        return tuple(one for whose, one in self.attempts.values() if whose == account and one.at >= since)

    def begin(self, account: Account, replica: str, at: float, last_bad_before: float | None) -> int:
        number = len(self.attempts) + 1
        self.attempts[number] = (account, Attempt(number, replica, at, last_bad_before, None))
        return number

    def end(self, number: int, answer: Answer) -> None:
        account, attempt = self.attempts[number]
        self.attempts[number] = (account, replace(attempt, answer=answer))

    def whole(self) -> AbstractContextManager[None]:
        """A crash inside is tried too: nothing that the tests promise rests on the lines of the log."""
        return nullcontext()

    def orders(self) -> dict[ComponentName, Order]:
        """Nobody stops a component here."""
        return {}

    def standings(self) -> tuple[Standing, ...]:
        return ()

    def keep_message(self, message: StatusMessage) -> None:
        self.messages.append(message)

    def tell(self, actor: str, kind: str, subject: str, detail: str = "") -> None:
        self.events.append(Event(len(self.events) + 1, self.now(), actor, kind, subject, detail))

    def told(self, kind: str, subject: str, detail: str = "") -> bool:
        return any((e.kind, e.subject, e.detail) == (kind, subject, detail) for e in self.events)

    def tell_once(self, actor: str, kind: str, subject: str, detail: str = "") -> None:
        if not any((e.actor, e.kind, e.subject, e.detail) == (actor, kind, subject, detail) for e in self.events):
            self.tell(actor, kind, subject, detail)

    # Rows.

    def key(self, credential: Credential) -> tuple[str, int]:
        return str(credential.account), credential.generation

    def generation(self, credential: Credential) -> Generation:
        if self.key(credential) not in self.generations:
            raise NotFound(f"{credential} was never sealed")
        return self.generations[self.key(credential)]

    def generations_of(self, account: AnyAccount) -> dict[int, Generation]:
        return {number: kept for (key, number), kept in self.generations.items() if key == str(account)}

    def _offer(self, key: str, places: dict[int, Place]) -> Offer:
        managed = self.accounts[key]
        live = managed.generation
        refused = [n for n, place in places.items() if place.refused_at is not None]
        proven = [n for n, place in places.items() if place.proven_at is not None and place.refused_at is None]
        return Offer(
            account=managed.account,
            life=managed.life,
            live=live,
            undecided=any(one.state is State.UNDECIDED and which[0] == key for which, one in self.generations.items()),
            published=max(places),
            proven=max(proven, default=None),
            refused=max(refused, default=None),
            doubted=live is not None and self._is_doubted((key, live)),
        )

    def _is_doubted(self, which: tuple[str, int]) -> bool:
        refused = [place for spot, place in self.places.items() if place.refused_at is not None and spot[:2] == which]
        return any(place.refused_at > self.trusted.get(which, 0) for place in refused if place.refused_at is not None)

    def _holdings(self) -> Iterator[Holding]:
        for (key, generation, holder), place in self.places.items():
            if place.proof is not None and place.proven_at is not None and place.dropped_at is None:
                yield Holding(holder, self.accounts[key].account, generation, place.proof, place.proven_at)
