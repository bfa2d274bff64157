"""The realm as one transaction sees it, at one moment."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from keyturn.adapters.authorities.builtin import replication
from keyturn.adapters.authorities.builtin.units import UNITS, Copy, Unit, decode, encode
from keyturn.model.accounts import Account, RealmName, canonical
from keyturn.model.errors import NotFound
from keyturn.model.policy import RealmPolicy

_NAME_LENGTH = 256
_FORBIDDEN = frozenset('"/\\[]:;|=,+*?<>')
"""What Windows keeps out of account names; a backslash stands between realm and account."""

_HOLDERS_OF_KEY = """
SELECT sid FROM held INDEXED BY held_key
WHERE replica = ? AND unit = 'naming' AND json_extract(value, '$.key') = ?
"""
_ALL_HELD = """
SELECT sid FROM held WHERE replica = ? AND unit = 'naming' AND json_extract(value, '$.key') IS NOT NULL
"""
_UNITS_HELD = "SELECT json_group_object(unit, json(value)) FROM held WHERE replica = ? AND sid = ?"


@dataclass(frozen=True, slots=True)
class Tally:
    """What a replica counts for itself and never tells another."""

    bad_count: int = 0
    last_bad_at: float | None = None
    last_logon_at: float | None = None


class Directory:
    def __init__(self, rows: sqlite3.Connection, realm: RealmName, now: float) -> None:
        self.rows = rows
        self.realm = realm
        self.now = now
        self.replicas: tuple[str, ...] = tuple(
            name for (name,) in rows.execute("SELECT name FROM replica ORDER BY position")
        )

    @property
    def pinned(self) -> str:
        return self.replicas[0]

    def replica(self, name: str | None) -> str:
        """The pinned one where none is named."""
        if name is None:
            return self.pinned
        if name not in self.replicas:
            raise NotFound(f"no replica {name} in this realm", hint="the replicas are " + ", ".join(self.replicas))
        return name

    def account(self, sid: str, copy: Copy) -> Account:
        return Account(self.realm, sid, copy.naming.name)

    def sid(self, replica: str, name: str) -> str | None:
        if not acceptable(name):
            return None
        found: tuple[str] | None = self.rows.execute(_HOLDERS_OF_KEY, (replica, canonical(name))).fetchone()
        return found[0] if found else None

    def sids(self) -> tuple[str, ...]:
        return tuple(sid for (sid,) in self.rows.execute(_ALL_HELD, (self.pinned,)))

    def copy(self, replica: str, sid: str) -> Copy | None:
        """None where the account is deleted, or has not arrived yet."""
        ((units,),) = self.rows.execute(_UNITS_HELD, (replica, sid))
        copy = decode(units)
        return copy if copy.naming.key is not None else None

    def require(self, account: Account, replica: str | None = None) -> Copy:
        copy = self.copy(self.replica(replica), account.sid)
        if copy is None:
            raise NotFound(f"no account {account} with the identity {account.sid}")
        return copy

    def write(self, replica: str, sid: str, unit: Unit) -> None:
        replication.write(self.rows, replica, sid, UNITS[type(unit)], encode(unit), self.now)

    def tally(self, replica: str, sid: str) -> Tally:
        row = self.rows.execute(
            "SELECT bad_count, last_bad_at, last_logon_at FROM tally WHERE replica = ? AND sid = ?", (replica, sid)
        ).fetchone()
        return Tally(*row) if row else Tally()

    def keep(self, replica: str, sid: str, tally: Tally) -> None:
        self.rows.execute(
            "INSERT OR REPLACE INTO tally VALUES (?, ?, ?, ?, ?)",
            (replica, sid, tally.bad_count, tally.last_bad_at, tally.last_logon_at),
        )

    def policy(self, sid: str | None = None) -> RealmPolicy:
        """The account's own where it has one, else the realm's."""
        row: tuple[str] = self.rows.execute(
            "SELECT policy FROM policy WHERE sid IN ('', ?) ORDER BY sid DESC LIMIT 1", (sid or "",)
        ).fetchone()
        return msgspec.json.decode(row[0], type=RealmPolicy)

    def set_policy(self, sid: str | None, policy: RealmPolicy | None) -> None:
        self.rows.execute("DELETE FROM policy WHERE sid = ?", (sid or "",))
        if policy is not None:
            text = msgspec.json.encode(policy).decode()
            self.rows.execute("INSERT INTO policy VALUES (?, ?)", (sid or "", text))

    def new_sid(self) -> str:
        """The counter only rises, so an identity is never given twice."""
        ((domain, rid),) = self.rows.execute("SELECT domain, next_rid FROM realm")
        self.rows.execute("UPDATE realm SET next_rid = next_rid + 1")
        return f"{domain}-{rid}"

    def spelled(self, names: Iterable[str]) -> frozenset[str]:
        """The names as this realm first heard them: a group is made by its first member and compared by name."""
        keys = []
        for name in names:
            self.rows.execute("INSERT OR IGNORE INTO spelling VALUES (?, ?)", (canonical(name), name.strip()))
            keys.append(canonical(name))
        return frozenset(
            name for key in keys for (name,) in self.rows.execute("SELECT name FROM spelling WHERE key = ?", (key,))
        )


def acceptable(name: str) -> bool:
    """Whether an account can bear this name at all. A longer one is not even made canonical: it comes from anyone."""
    if len(name) > _NAME_LENGTH:
        return False
    key = canonical(name)
    return key.isprintable() and key != "" and _FORBIDDEN.isdisjoint(key)
