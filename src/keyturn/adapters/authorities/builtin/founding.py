"""The making of a realm's file, and what every opening checks."""

import os
import secrets
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from keyturn.adapters.authorities.builtin.database import translated
from keyturn.adapters.authorities.builtin.replication import LOCK_LAG_S, join, set_lags
from keyturn.model.accounts import RealmName, same_name
from keyturn.model.errors import AuthorityError
from keyturn.model.policy import RealmPolicy

_SCHEMA_VERSION = 1
_FIRST_RID = 1101

# No STRICT tables and no RETURNING: SQLite 3.34, as old as a Python 3.11 may bring, knows neither.
_SCHEMA = (
    """CREATE TABLE realm (
        name TEXT NOT NULL,
        domain TEXT NOT NULL,
        digest_key BLOB NOT NULL,
        next_rid INTEGER NOT NULL,
        writes INTEGER NOT NULL,
        replication_s REAL NOT NULL,
        lock_replication_s REAL NOT NULL
    )""",
    "CREATE TABLE replica (name TEXT PRIMARY KEY, position INTEGER NOT NULL, cut INTEGER NOT NULL DEFAULT 0)",
    # What each replica holds: the units of `units.py`, each with the number of the write it stems from.
    """CREATE TABLE held (
        replica TEXT NOT NULL,
        sid TEXT NOT NULL,
        unit TEXT NOT NULL,
        value TEXT NOT NULL,
        number INTEGER NOT NULL,
        PRIMARY KEY (replica, sid, unit)
    ) WITHOUT ROWID""",
    "CREATE INDEX held_key ON held (replica, json_extract(value, '$.key')) WHERE unit = 'naming'",
    # Units on their way from `origin` to `target`, written there `at`.
    """CREATE TABLE pending (
        target TEXT NOT NULL,
        number INTEGER NOT NULL,
        origin TEXT NOT NULL,
        at REAL NOT NULL,
        due REAL NOT NULL,
        sid TEXT NOT NULL,
        unit TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (target, number)
    ) WITHOUT ROWID""",
    "CREATE INDEX pending_due ON pending (target, due)",
    """CREATE TABLE tally (
        replica TEXT NOT NULL,
        sid TEXT NOT NULL,
        bad_count INTEGER NOT NULL,
        last_bad_at REAL,
        last_logon_at REAL,
        PRIMARY KEY (replica, sid)
    ) WITHOUT ROWID""",
    # The realm's policy under the empty sid, and the accounts' own.
    "CREATE TABLE policy (sid TEXT PRIMARY KEY, policy TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE spelling (key TEXT PRIMARY KEY, name TEXT NOT NULL) WITHOUT ROWID",
    """CREATE TABLE logon (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        at REAL NOT NULL,
        replica TEXT NOT NULL,
        sid TEXT,
        name TEXT,
        source TEXT NOT NULL,
        protocol TEXT NOT NULL,
        answer TEXT NOT NULL,
        version INTEGER,
        current INTEGER NOT NULL
    )""",
    "CREATE INDEX logon_at ON logon (at)",
    f"PRAGMA user_version = {_SCHEMA_VERSION}",
)


@dataclass(frozen=True, slots=True)
class Foundation:
    """What a new realm starts with; a realm that exists keeps its own."""

    name: RealmName
    replicas: tuple[str, ...]
    replication_s: float
    random: Callable[[int], bytes]


def found(path: Path, foundation: Foundation) -> None:
    """Make the file unless it is there. It appears complete or not at all, and only its owner may ever read it.

    It is made under another name and then linked: of several processes at once, one wins and the others open what
    it made. That name also keeps two mistakes away. Two connections that switch a file to its write-ahead log at the
    same time fail; and closing a descriptor of a file drops every lock that this process's connections hold on it.
    """
    if path.exists():
        return
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with translated(path), closing(sqlite3.connect(draft, isolation_level=None)) as rows:
            rows.execute("PRAGMA journal_mode = WAL")
            _create(rows, foundation)
        with suppress(FileExistsError):
            os.link(draft, path)
    except OSError as error:
        raise AuthorityError(f"{path}: {error.strerror}", permanent=True) from error
    finally:
        draft.unlink(missing_ok=True)


def admit(rows: sqlite3.Connection, foundation: Foundation) -> bytes:
    """Check that this is the realm and take in replicas it did not have; the key of its digests."""
    ((version,),) = rows.execute("PRAGMA user_version")
    if version != _SCHEMA_VERSION:
        raise AuthorityError("the file is no realm, or was written by another version of Keyturn", permanent=True)
    ((name, key),) = rows.execute("SELECT name, digest_key FROM realm")
    if not same_name(name, foundation.name):
        raise AuthorityError(f"this file is the realm {name}, not {foundation.name}", permanent=True)
    _take_in(rows, foundation)
    return bytes(key)


def _create(rows: sqlite3.Connection, foundation: Foundation) -> None:
    rows.execute("BEGIN")
    for statement in _SCHEMA:
        rows.execute(statement)
    numbers = (int.from_bytes(foundation.random(4)) for _ in range(3))
    domain = "-".join(("S-1-5-21", *map(str, numbers)))
    rows.execute(
        "INSERT INTO realm VALUES (?, ?, ?, ?, 0, 0, 0)", (foundation.name, domain, foundation.random(32), _FIRST_RID)
    )
    set_lags(rows, foundation.replication_s, LOCK_LAG_S)
    rows.execute("INSERT INTO replica (name, position) VALUES (?, 0)", (foundation.replicas[0],))
    rows.execute("INSERT INTO policy VALUES ('', ?)", (msgspec.json.encode(RealmPolicy()).decode(),))
    rows.execute("COMMIT")


def _take_in(rows: sqlite3.Connection, foundation: Foundation) -> None:
    known = [name for (name,) in rows.execute("SELECT name FROM replica ORDER BY position")]
    if tuple(known) != foundation.replicas[: len(known)]:
        raise AuthorityError(
            f"realm {foundation.name} has the replicas {', '.join(known)}, not {', '.join(foundation.replicas)}",
            permanent=True,
            hint="new replicas can be added at the end; none can be taken away or reordered",
        )
    for replica in foundation.replicas[len(known) :]:
        join(rows, replica, known[0])
