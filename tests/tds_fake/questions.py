"""Answers to the questions that are written in queries.sql."""

import hashlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.tds_fake.instance import Database, Instance, Login, User

NEVER_MS = -2_208_988_800_000
"""The first of January 1900."""


@dataclass(frozen=True)
class Asked:
    """`online` are the sids that are logged on now."""

    instance: Instance
    by: Login
    place: Database
    online: set[bytes]
    literals: tuple[str, ...]


Answer = tuple[list[str], list[tuple[object, ...]]]


def asked(statement: str) -> tuple[Callable[[Asked], Answer] | None, tuple[str, ...]] | None:
    """What answers it, and its literals; None for what is not in the file, no answer for what sets something."""
    plain = _normal(statement)
    for name, pattern in _UNDERSTOOD.items():
        found = pattern.fullmatch(plain)
        if found:
            return _ANSWERS.get(name), found.groups()
    return None


def _logins(q: Asked) -> Answer:
    column, value = q.literals
    if column == "sid":
        found = [login for login in q.instance.logins.values() if hexed(login.sid) == value]
    else:
        name = re.fullmatch(r"N'((?:[^']|'')*)'", value)
        assert name
        one = q.instance.login(name[1].replace("''", "'"))
        found = [one] if one else []
    seen = [
        login
        for login in found
        if login.sid == q.by.sid or q.instance.may(q.by, "ALTER ANY LOGIN", "VIEW ANY DEFINITION")
    ]
    return _LOGIN_COLUMNS, [_login_row(q, login) for login in seen]


_LOGIN_COLUMNS = ["text"] * 4 + ["int"] * 4 + ["bigint", "bigint", "int", "bigint", "int", "bigint"]


def _login_row(q: Asked, login: Login) -> tuple[object, ...]:
    shown = q.instance.may(q.by, "VIEW ANY CRYPTOGRAPHICALLY SECURED DEFINITION")
    mark = int.from_bytes(hashlib.sha256(login.hash).digest()[:7], "big") if shown else None
    bad = NEVER_MS if login.bad_at is None else int(login.bad_at * 1000)
    kept = (login.bad_count, bad, int(login.locked)) if login.policy else (None, None, None)
    watched = login.sid == q.by.sid or q.instance.may(q.by, "VIEW SERVER STATE", "VIEW SERVER PERFORMANCE STATE")
    used = time.time_ns() // 1000 if watched and login.sid in q.online else None
    denied = sum(p[:2] == ("DENY", "CONNECT SQL") for p in login.permissions)
    flags = (int(login.disabled), int(login.policy), int(login.expiration), denied)
    set_at = int(login.set_at * 1000)
    return (hexed(login.sid), login.name, login.database, login.language, *flags, mark, set_at, *kept, used)


def _sees_all(q: Asked) -> Answer:
    return ["int"], [(int(q.instance.may(q.by, "VIEW ANY DEFINITION")),)]


def _server_roles(q: Asked) -> Answer:
    return ["text"] * 2, [(hexed(sid), role) for role, sids in q.instance.roles.items() for sid in sids]


def _server_permissions(q: Asked) -> Answer:
    return ["text"] * 7, [(hexed(lg.sid), *right) for lg in q.instance.logins.values() for right in lg.permissions]


def _owned_databases(q: Asked) -> Answer:
    known = {login.sid for login in q.instance.logins.values()}
    return ["text"] * 2, [(hexed(d.owner), name) for name, d in q.instance.databases.items() if d.owner in known]


def _databases(q: Asked) -> Answer:
    entered = q.instance.may(q.by, "CONNECT ANY DATABASE")
    rows = [(n, int(n == "master" or entered or bool(d.user_of(q.by.sid)))) for n, d in q.instance.databases.items()]
    return ["text", "int"], list(rows)


def _users(q: Asked) -> Answer:
    return ["text"] * 3, [(hexed(user.sid), user.name, user.schema) for user in _all_users(q)]


def _roles(q: Asked) -> Answer:
    return ["text"] * 2, [(hexed(user.sid), role) for user in _all_users(q) for role in sorted(user.roles)]


def _permissions(q: Asked) -> Answer:
    return ["text"] * 7, [(hexed(user.sid), *right) for user in _all_users(q) for right in user.permissions]


def _owned(q: Asked) -> Answer:
    return ["text"] * 2, [(hexed(user.sid), what) for user in _all_users(q) for what in user.owns]


def _all_users(q: Asked) -> list[User]:
    return list(q.place.users.values())


def hexed(sid: bytes) -> str:
    return "0x" + sid.hex().upper()


def _normal(statement: str) -> str:
    return re.sub(r"\s*([(),])\s*", r"\1", " ".join(statement.split()))


def _read() -> dict[str, re.Pattern[str]]:
    parts = re.split(r"^-- name: (.+)\n", (Path(__file__).parent / "queries.sql").read_text(), flags=re.MULTILINE)[1:]
    pairs = zip(parts[::2], parts[1::2], strict=True)
    literal = re.escape("l.? = ?"), r"l\.(sid|name) = (0x[0-9A-F]+|N'(?:[^']|'')*')"
    return {name: re.compile(re.escape(_normal(text)).replace(*literal)) for name, text in pairs}


_UNDERSTOOD = _read()
_ANSWERS: dict[str, Callable[[Asked], Answer]] = {
    "login by ?": _logins,
    "sees all": _sees_all,
    "server roles": _server_roles,
    "server permissions": _server_permissions,
    "owned databases": _owned_databases,
    "databases": _databases,
    "users": _users,
    "roles": _roles,
    "permissions": _permissions,
    "owned": _owned,
}
