"""The forecast told one contact at a time: a heap of events and the truth table. Slow, and plain enough to be believed.

It shares the nouns and `judge` with the product, and nothing else. All moments are whole milliseconds.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum

from keyturn.lockout.changes import Change, Contact, Forecast, PasswordSet, Published, Retired
from keyturn.lockout.policy import Standing, judge
from keyturn.model.logon import Answer
from keyturn.model.policy import RealmPolicy

SECOND = 10**9
"""Holding the second account: newer than any password of the first. Passwords of the first are numbered: 0 is the one
current at the start, 1 the one set next, -1 the one before."""
ANCIENT = -(10**9)
FOREVER = 10**15


class Order(IntEnum):
    """What comes first within one millisecond."""

    CHANGE = 0
    LOCK = 1
    LOGON = 2
    CONTACT = 3


@dataclass
class Replica:
    standing: Standing
    seen: int = 0
    culprits: list[str] = field(default_factory=list)


@dataclass
class Client:
    contact: Contact
    held: int
    away: list[tuple[int, int]]
    refused_at: int | None = None
    recovered: bool = False

    def back(self, at: int) -> int:
        """`at`, or the end of the absences it lies in."""
        for leaves, returns in self.away:
            if leaves <= at < returns:
                at = returns
        return at


def foretell(
    contacts: Sequence[Contact],
    changes: Sequence[Change],
    policy: RealmPolicy,
    *,
    replica_lag_s: Sequence[float] = (0.0,),
    lock_lag_s: float = 1.0,
    changed_ago_s: float | None = None,
    horizon_s: float,
) -> Forecast:
    world = World(contacts, changes, policy, replica_lag_s, lock_lag_s, changed_ago_s, horizon_s)
    while world.heap:
        now, order, number, detail = heapq.heappop(world.heap)
        match order:
            case Order.CHANGE:
                world.change(now, number, detail)
            case Order.LOCK:
                world.lock_arrives(number, detail)
            case Order.LOGON:
                world.logon(now, number, detail)
            case Order.CONTACT:
                world.contact(now, number)
    return world.forecast()


class World:
    def __init__(self, contacts, changes, policy, replica_lag_s, lock_lag_s, changed_ago_s, horizon_s) -> None:
        self.policy = replace(
            policy,
            lockout_window_s=ms(policy.lockout_window_s),
            lockout_duration_s=ms(policy.lockout_duration_s),
            grace_s=ms(policy.grace_s),
        )
        self.horizon = ms(horizon_s)
        self.lock_lag = ms(lock_lag_s)
        self.changed = -FOREVER if changed_ago_s is None else -ms(changed_ago_s)
        self.sets = sorted(ms(c.at_s) for c in changes if isinstance(c, PasswordSet))
        self.retired = min((ms(c.at_s) for c in changes if isinstance(c, Retired)), default=FOREVER)
        self.published = [(ms(c.at_s), c.second_account) for c in changes if isinstance(c, Published)]
        self.replicas = [Replica(Standing(password_set_at=self.changed)) for _ in replica_lag_s]
        self.clients = [client_of(contact) for contact in sorted(contacts, key=lambda c: c.name)]
        self.first_lock: tuple[int, list[str]] | None = None
        self.heap: list[tuple[int, Order, int, int]] = []
        for at in (*self.sets, self.retired):
            for number, lag in enumerate(replica_lag_s):
                self.plan(at + ms(lag), Order.CHANGE, number, at)
        unknown = sum(c.contact.habit.phase_s is None for c in self.clients)
        spread = 0
        for number, client in enumerate(self.clients):
            habit = client.contact.habit
            phase = ms(habit.phase_s or 0)
            if habit.phase_s is None:
                phase = ms(habit.interval_s) * (2 * spread + 1) // (2 * unknown)
                spread += 1
            self.plan(client.back(phase), Order.CONTACT, number, 0)

    def plan(self, at: int, order: Order, number: int, detail: int) -> None:
        if at <= self.horizon:
            heapq.heappush(self.heap, (at, order, number, detail))

    def offered(self, now: int) -> int:
        return max([0] + [SECOND if second else self.current(at) for at, second in self.published if at <= now])

    def current(self, now: int) -> int:
        return sum(at <= now for at in self.sets)

    def change(self, now: int, number: int, made_at: int) -> None:
        """Replica `number` sees what was done at `made_at`."""
        replica = self.replicas[number]
        if made_at in self.sets:
            replica.seen = self.current(made_at)
            replica.standing = replace(replica.standing, password_set_at=made_at)
        if made_at == self.retired:
            replica.standing = replace(replica.standing, disabled=True)

    def lock_arrives(self, number: int, locked_at: int) -> None:
        standing = self.replicas[number].standing
        newest = locked_at if standing.locked_at is None else max(locked_at, standing.locked_at)
        self.replicas[number].standing = replace(standing, locked_at=newest)

    def logon(self, now: int, number: int, refused_at: int) -> None:
        client = self.clients[number]
        if client.refused_at != refused_at:
            return
        if self.offered(now) > client.held:
            client.held, client.recovered, client.refused_at = self.offered(now), True, None
        else:
            self.await_logon(number, now + 1)

    def await_logon(self, number: int, earliest: int) -> None:
        client = self.clients[number]
        every = ms(client.contact.habit.logon_script_s or 0)
        if not every or client.contact.gated:
            return
        at = client.refused_at + every
        while at <= self.horizon and (at < earliest or client.back(at) != at):
            at += every
        self.plan(at, Order.LOGON, number, client.refused_at)

    def contact(self, now: int, number: int) -> None:
        client = self.clients[number]
        self.plan(client.back(now + ms(client.contact.habit.interval_s)), Order.CONTACT, number, 0)
        replica = self.replicas[client.contact.replica]
        if client.contact.gated:
            client.held = max(client.held, self.offered(now))
            if not client.held == self.current(now) == replica.seen or now >= self.retired:
                return
        if client.held == SECOND:
            return
        if self.present(now, client, replica):
            client.held = max(client.held, self.offered(now))
            client.refused_at = None
        elif client.refused_at is None:
            client.refused_at = now
            self.await_logon(number, now + 1)

    def present(self, now: int, client: Client, replica: Replica) -> bool:
        before = replica.standing
        behind = behind_of(client.held, replica.seen)
        answer, after = judge(before, behind, client.contact.protocol, self.policy, now)
        replica.standing = after
        if answer is Answer.ACCEPTED:
            return True
        if answer is Answer.WRONG_PASSWORD and after != before and self.policy.lockout_threshold:
            assert not client.contact.gated, "a holder with a gate never spends a bad attempt"
            replica.culprits = replica.culprits[-(after.bad_count - 1) :] if after.bad_count > 1 else []
            replica.culprits.append(client.contact.name)
            if after.locked_at is not None:
                self.locked(now, replica)
        return False

    def locked(self, now: int, replica: Replica) -> None:
        self.first_lock = self.first_lock or (now, list(dict.fromkeys(replica.culprits)))
        for number, other in enumerate(self.replicas):
            if other is not replica:
                self.plan(now + self.lock_lag, Order.LOCK, number, now)

    def forecast(self) -> Forecast:
        at, blamed = self.first_lock or (None, [])
        return Forecast(
            first_lockout_s=None if at is None else at / 1000,
            blamed=tuple(blamed),
            orphaned=tuple(c.contact.name for c in self.clients if not self.valid(c)),
            recovered=tuple(c.contact.name for c in self.clients if c.recovered and self.valid(c)),
        )

    def valid(self, client: Client) -> bool:
        """Whether what the client holds, or learns at its next contact, opens an account that every replica knows."""
        held = max(client.held, self.offered(self.horizon)) if client.contact.gated else client.held
        seen = self.current(self.horizon)
        set_at = self.sets[seen - 1] if seen else self.changed
        standing = Standing(password_set_at=set_at, disabled=self.retired <= self.horizon)
        answer, _ = judge(standing, behind_of(held, seen), client.contact.protocol, self.policy, self.horizon)
        return held == SECOND or answer is Answer.ACCEPTED


def client_of(contact: Contact) -> Client:
    away = sorted((ms(absence.from_s), ms(absence.until_s)) for absence in contact.habit.absences)
    return Client(contact, ANCIENT if contact.behind is None else -contact.behind, away)


def behind_of(held: int, seen: int) -> int | None:
    return seen - held if ANCIENT < held <= seen else None


def ms(seconds: float) -> int:
    return FOREVER if seconds * 1000 > FOREVER else round(seconds * 1000)
