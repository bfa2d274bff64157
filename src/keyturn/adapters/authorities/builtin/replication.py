"""How a unit written on one replica reaches the others: late, and not over a cut link.

Nothing runs in the background. A write is queued for every other replica, and every transaction begins by
delivering what is due by then, in any order: a replica keeps the write with the highest number. Lags are seconds.
"""

import sqlite3

LOCK_LAG_S = 1.0
"""Locks are replicated urgently: 0.2 to 1.9 s between two domain controllers."""
_URGENT = "lock"

_QUEUE = """
INSERT INTO pending (target, number, origin, at, due, sid, unit, value)
SELECT name, :number, :origin, :at, :due, :sid, :unit, :value FROM replica WHERE name <> :origin
"""

_HOLD = """
INSERT INTO held (replica, sid, unit, value, number) VALUES (:replica, :sid, :unit, :value, :number)
ON CONFLICT (replica, sid, unit) DO UPDATE SET value = excluded.value, number = excluded.number
WHERE excluded.number > held.number
"""

_DUE = """
SELECT target, number, sid, unit, value
FROM replica AS there CROSS JOIN pending ON target = there.name JOIN replica AS here ON here.name = origin
WHERE due <= :now AND NOT there.cut AND NOT here.cut
"""


def write(rows: sqlite3.Connection, replica: str, sid: str, unit: str, value: str, now: float) -> None:
    """The numbers rise with every write of the realm, so that the later of two writes is known everywhere."""
    rows.execute("UPDATE realm SET writes = writes + 1")
    ((number, lag_s, lock_lag_s),) = rows.execute("SELECT writes, replication_s, lock_replication_s FROM realm")
    change = {"number": number, "sid": sid, "unit": unit, "value": value}
    due = now + (lock_lag_s if unit == _URGENT else lag_s)
    rows.execute(_HOLD, change | {"replica": replica})
    rows.execute(_QUEUE, change | {"origin": replica, "at": now, "due": due})


def deliver(rows: sqlite3.Connection, now: float) -> None:
    for target, number, sid, unit, value in rows.execute(_DUE, {"now": now}).fetchall():
        rows.execute(_HOLD, {"replica": target, "number": number, "sid": sid, "unit": unit, "value": value})
        rows.execute("DELETE FROM pending WHERE target = ? AND number = ?", (target, number))


def join(rows: sqlite3.Connection, replica: str, first: str) -> None:
    """A new replica starts as a copy of the first one, with what is still on its way to that."""
    rows.execute("INSERT INTO replica (name, position) SELECT ?, count(*) FROM replica", (replica,))
    rows.execute(
        "INSERT INTO held SELECT ?, sid, unit, value, number FROM held WHERE replica = ?",
        (replica, first),
    )
    rows.execute(
        "INSERT INTO pending SELECT ?, number, origin, at, due, sid, unit, value FROM pending WHERE target = ?",
        (replica, first),
    )


def reachable(rows: sqlite3.Connection, first: str) -> tuple[str, ...]:
    """The first replica, and the others as long as neither end's links are cut."""
    linked = [name for (name,) in rows.execute("SELECT name FROM replica WHERE NOT cut ORDER BY position")]
    return tuple(linked) if first in linked else (first,)


def set_cut(rows: sqlite3.Connection, replica: str, cut: bool) -> None:
    rows.execute("UPDATE replica SET cut = ? WHERE name = ?", (cut, replica))


def set_lags(rows: sqlite3.Connection, replication_s: float, lock_replication_s: float) -> None:
    """A lock is never later than the rest. What is on its way already takes the new time too."""
    lock_s = min(lock_replication_s, replication_s)
    rows.execute("UPDATE realm SET replication_s = ?, lock_replication_s = ?", (replication_s, lock_s))
    rows.execute("UPDATE pending SET due = at + iif(unit = ?, ?, ?)", (_URGENT, lock_s, replication_s))
