"""The forecast told one contact at a time: a heap of events and the truth table. Slow, and plain enough to be believed.

Nothing here is shared with the product but the nouns and `judge`. Every moment is a whole number of milliseconds.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from keyturn.lockout.changes import Change, Contact, Forecast, PasswordSet, Published, Retired
from keyturn.lockout.policy import Standing, judge
from keyturn.model.logon import Answer
from keyturn.model.policy import RealmPolicy

SECOND = "second account"
FOREVER = 10**15


def ms(seconds: float) -> int:
    return FOREVER if seconds > FOREVER else round(seconds * 1000)


@dataclass
class Replica:
    lag: int
    standing: Standing
    seen: int = 0


@dataclass
class Client:
    contact: Contact
    held: int | None | str
    """The number of the set that made its password: 0 for the one current now; None: unknown to the realm."""
    away: list[tuple[int, int]] = field(default_factory=list)
    refused_at: int | None = None
    logon: int | None = None
    recovered: bool = False

    def present(self, at: int) -> int:
        """`at`, or the end of the absence it lies in."""
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
    rules = replace(
        policy,
        lockout_window_s=ms(policy.lockout_window_s),
        lockout_duration_s=ms(policy.lockout_duration_s),
        grace_s=ms(policy.grace_s),
    )
    horizon = ms(horizon_s)
    changed = -FOREVER if changed_ago_s is None else -ms(changed_ago_s)
    replicas = [Replica(ms(lag), Standing(password_set_at=changed)) for lag in replica_lag_s]
    clients = [
        Client(
            c, None if c.behind is None else -c.behind, sorted((ms(a.from_s), ms(a.until_s)) for a in c.habit.absences)
        )
        for c in sorted(contacts, key=lambda c: c.name)
    ]
    sets = sorted(ms(c.at_s) for c in changes if isinstance(c, PasswordSet))
    retired = min((ms(c.at_s) for c in changes if isinstance(c, Retired)), default=FOREVER)
    offered: int | str = 0
    culprits: list[list[str]] = [[] for _ in replicas]
    first_lock: tuple[int, tuple[str, ...]] | None = None

    # (moment, order within the moment, rank, what, detail)
    heap: list[tuple[int, int, int, str, object]] = []

    def plan(at: int, order: int, rank: int, what: str, detail: object = None) -> None:
        if at <= horizon:
            heapq.heappush(heap, (at, order, rank, what, detail))

    for number, at in enumerate(sets, 1):
        for index, replica in enumerate(replicas):
            plan(at + replica.lag, 0, index, f"set {number:06}", number)
    for index, replica in enumerate(replicas):
        plan(retired + replica.lag, 0, index, "retired")
    for change in changes:
        if isinstance(change, Published):
            at = ms(change.at_s)
            newest = SECOND if change.second_account else sum(t <= at for t in sets)
            plan(at, 0, 0, "published " + str(newest), newest)
    unknown = [c for c in clients if c.contact.habit.phase_s is None]
    for rank, client in enumerate(clients):
        habit = client.contact.habit
        if habit.phase_s is None:
            phase = ms(habit.interval_s) * (2 * unknown.index(client) + 1) // (2 * len(unknown))
        else:
            phase = ms(habit.phase_s)
        plan(client.present(phase), 3, rank, "contact")

    def newer(one: int | str, other: int | None | str) -> bool:
        if other == SECOND or one == other:
            return False
        return one == SECOND or other is None or one > other

    def trial(version: int | None, seen: int) -> int | None:
        return None if version is None or version > seen else seen - version

    def await_logon(client: Client, rank: int, now: int) -> None:
        every = client.contact.habit.logon_script_s
        if every and not client.contact.gated:
            at = client.refused_at + ms(every)
            while at < now or client.present(at) != at:
                at += ms(every)
                if at > horizon:
                    return
            client.logon = at
            plan(at, 2, rank, "logon", client.refused_at)

    while heap:
        now, _, rank, what, detail = heapq.heappop(heap)
        if what.startswith("set"):
            replicas[rank].seen = detail
            replicas[rank].standing = replace(replicas[rank].standing, password_set_at=sets[detail - 1])
        elif what == "retired":
            replicas[rank].standing = replace(replicas[rank].standing, disabled=True)
        elif what.startswith("published"):
            if newer(detail, offered):
                offered = detail
        elif what == "lock":
            standing = replicas[rank].standing
            origin = max(detail, standing.locked_at) if standing.locked_at is not None else detail
            replicas[rank].standing = replace(standing, locked_at=origin)
        elif what == "logon":
            client = clients[rank]
            if client.refused_at != detail:
                continue
            if newer(offered, client.held):
                client.held, client.recovered, client.refused_at = offered, True, None
            else:
                await_logon(client, rank, now + 1)
        elif what == "contact":
            client = clients[rank]
            plan(client.present(now + ms(client.contact.habit.interval_s)), 3, rank, "contact")
            replica = replicas[client.contact.replica]
            if client.contact.gated:
                if newer(offered, client.held):
                    client.held = offered
                current = sum(t <= now for t in sets)
                if client.held != current or replica.seen != current or now >= retired:
                    continue
            if client.held == SECOND:
                continue
            before = replica.standing
            behind = trial(client.held, replica.seen)
            answer, replica.standing = judge(before, behind, client.contact.protocol, rules, now)
            if answer is Answer.ACCEPTED:
                culprits[client.contact.replica] = []
                client.refused_at = None
                if newer(offered, client.held):
                    client.held = offered
                continue
            if replica.standing is not before and replica.standing != before and rules.lockout_threshold:
                assert not client.contact.gated, "a gated holder never spends a bad attempt"
                if replica.standing.bad_count == 1:
                    culprits[client.contact.replica] = []
                culprits[client.contact.replica].append(client.contact.name)
            if replica.standing.locked_at not in (None, before.locked_at):
                first_lock = first_lock or (now, tuple(dict.fromkeys(culprits[client.contact.replica])))
                for index in range(len(replicas)):
                    if index != client.contact.replica:
                        plan(now + ms(lock_lag_s), 1, index, "lock", now)
            if client.refused_at is None:
                client.refused_at = now
                if not client.contact.gated:
                    await_logon(client, rank, now + 1)

    settled = Standing(password_set_at=sets_before(sets, horizon, changed), disabled=retired <= horizon)

    def valid(client: Client) -> bool:
        held = offered if client.contact.gated and newer(offered, client.held) else client.held
        if held == SECOND:
            return True
        behind = trial(held, sum(at <= horizon for at in sets))
        return judge(settled, behind, client.contact.protocol, rules, horizon)[0] is Answer.ACCEPTED

    return Forecast(
        first_lockout_s=None if first_lock is None else first_lock[0] / 1000,
        blamed=() if first_lock is None else first_lock[1],
        orphaned=tuple(c.contact.name for c in clients if not valid(c)),
        recovered=tuple(c.contact.name for c in clients if c.recovered and valid(c)),
    )


def sets_before(sets: Sequence[int], horizon: int, changed: int) -> int:
    return max((at for at in sets if at <= horizon), default=changed)
