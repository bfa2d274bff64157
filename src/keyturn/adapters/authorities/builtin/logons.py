"""The log of logons: who came from where, what the realm said, and which password was presented."""

import sqlite3
from dataclasses import dataclass

from keyturn.model.accounts import Account, RealmName
from keyturn.model.logon import Answer, LogonProtocol

KEPT = 100_000
"""The newest events are kept, the others forgotten: a client gone wild must not fill the disk."""
_SOURCE_LENGTH = 255
_COLUMNS = "at, replica, sid, name, source, protocol, answer, version, current"

_INSERT = f"INSERT INTO logon ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 (constants only)
_SINCE = f"SELECT {_COLUMNS}, number FROM logon WHERE at >= ? ORDER BY number"  # noqa: S608 (constants only)


@dataclass(frozen=True, slots=True)
class LogonEvent:
    """`account` None: the realm has no such name. The name that was tried is not kept, because people type their
    password into the wrong field.

    `version` is the version mark of the presented password, accepted or not; None: none of the history. `current`
    says that it is the password the pinned replica has now. Only an accepted logon with that one proves anything: the
    grace lets in the one before, and so does a replica that has not heard of the change.
    """

    at: float
    replica: str
    account: Account | None
    source: str
    protocol: LogonProtocol
    answer: Answer
    version: int | None
    current: bool = False
    number: int = 0
    """Rises by one with every event; given by the log."""


def record(rows: sqlite3.Connection, event: LogonEvent) -> None:
    who = (event.account.sid, event.account.name) if event.account else (None, None)
    where = (event.at, event.replica, *who, event.source[:_SOURCE_LENGTH])
    what = (event.protocol, event.answer, event.version, event.current)
    number = rows.execute(_INSERT, (*where, *what)).lastrowid or 0
    rows.execute("DELETE FROM logon WHERE number <= ?", (number - KEPT,))


def events(rows: sqlite3.Connection, realm: RealmName, since: float) -> tuple[LogonEvent, ...]:
    return tuple(
        LogonEvent(
            at=at,
            replica=replica,
            account=Account(realm, sid, name) if sid else None,
            source=source,
            protocol=LogonProtocol(protocol),
            answer=Answer(answer),
            version=version,
            current=bool(current),
            number=number,
        )
        for at, replica, sid, name, source, protocol, answer, version, current, number in rows.execute(_SINCE, (since,))
    )


def refusals(rows: sqlite3.Connection, since: float, sid: str | None) -> int:
    ((count,),) = rows.execute(
        "SELECT count(*) FROM logon WHERE at >= :since AND answer <> :accepted AND (:sid IS NULL OR sid = :sid)",
        {"since": since, "accepted": Answer.ACCEPTED, "sid": sid},
    )
    return int(count)
