"""Roles as the server's catalogue has them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import LiteralString

from psycopg import sql

from keyturn.adapters.authorities.postgresql.door import Session


@dataclass(frozen=True, slots=True)
class Role:
    """`mark` is another one after every set of the password. `expired`: past VALID UNTIL."""

    sid: str
    oid: int
    name: str
    logs_on: bool
    expired: bool
    in_use_at: float | None
    mark: int


def named(session: Session, name: str) -> Role | None:
    return _first(session, "rolname = %s", name)


def by_sid(session: Session, sid: str) -> Role | None:
    return _first(session, "system_identifier || '/' || r.oid = %s", sid)


def groups(session: Session, oid: int) -> tuple[str, ...]:
    found = session.execute(
        "SELECT g.rolname FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid WHERE m.member = %s", (oid,)
    )
    return tuple(name for (name,) in found)


def join(session: Session, name: str, wanted: Iterable[str]) -> None:
    for group in wanted:
        change(session, "GRANT {group} TO {name}", group=group, name=name)


def change(session: Session, statement: LiteralString, *, verifier: str | None = None, **names: str) -> None:
    """Statements about roles take no parameters, so names are quoted into them."""
    parts: dict[str, sql.Composable] = {key: sql.Identifier(name) for key, name in names.items()}
    if verifier is not None:
        parts["verifier"] = sql.Literal(verifier)
    session.execute(sql.SQL(statement).format(**parts))


_ROLES = """
SELECT system_identifier || '/' || r.oid, r.oid, rolname, rolcanlogin,
       coalesce(rolvaliduntil < now(), false),
       (SELECT extract(epoch FROM now())::float8 FROM pg_stat_activity WHERE usesysid = r.oid LIMIT 1),
       coalesce(mark, 0)
FROM pg_roles r CROSS JOIN pg_control_system() LEFT JOIN keyturn.passwords p ON p.oid = r.oid
WHERE """


def _first(session: Session, condition: LiteralString, wanted: str) -> Role | None:
    found = session.execute(_ROLES + condition, (wanted,)).fetchone()
    return Role(*found) if found else None
