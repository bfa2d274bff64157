"""A server's roles that log on. It cannot tell people from programs: what it knows of each is put together."""

from collections.abc import Iterator
from typing import Any

from keyturn.adapters.authorities.postgresql.door import Session
from keyturn.operations.surveys import Candidate, LeftOut, Survey

_ROLES = """
SELECT rolname, p.oid IS NOT NULL, rolsuper, rolcreaterole, rolreplication, rolconnlimit,
       extract(epoch FROM CASE WHEN isfinite(rolvaliduntil) THEN rolvaliduntil END)::float8,
       coalesce(shobj_description(r.oid, 'pg_authid'), ''),
       (SELECT count(*) FROM pg_stat_activity WHERE usesysid = r.oid),
       (SELECT count(*) FROM pg_database WHERE datdba = r.oid)
FROM pg_roles r LEFT JOIN keyturn.passwords p ON p.oid = r.oid WHERE rolcanlogin ORDER BY rolname
"""
_OTHERS = "SELECT count(*) FROM pg_roles WHERE NOT rolcanlogin"
_DAY_S = 86400


def survey(session: Session, servers: tuple[str, ...], now: float) -> Survey:
    candidates = tuple(_candidate(row, now) for row in session.execute(_ROLES))
    others = session.execute(_OTHERS).fetchone()
    return Survey(candidates, servers, left_out=(LeftOut("roles that do not log on", others[0] if others else 0),))


def _candidate(row: tuple[Any, ...], now: float) -> Candidate:
    name, has_password, superuser, creates_roles, replicates, limit, ends_at, description, sessions, owned = row
    attributes = (("SUPERUSER", superuser), ("CREATEROLE", creates_roles), ("REPLICATION", replicates))
    return Candidate(
        name=name,
        nature="is a login of a database, as programs have" if has_password else "",
        description=description,
        strong_groups=tuple(attribute for attribute, has_it in attributes if has_it),
        remarks=tuple(_remarks(has_password, limit, ends_at, sessions, owned, now)),
    )


def _remarks(
    has_password: bool, limit: int, ends_at: float | None, sessions: int, owned: int, now: float
) -> Iterator[str]:
    if not has_password:
        yield "has no password, so that nothing is to be changed"
    if limit >= 0:
        yield f"may have {limit} connections at once"
    if ends_at is not None:
        days = (ends_at - now) / _DAY_S
        yield f"its password ends in {days:.0f} days" if days > 0 else "its password is past its end"
    if sessions:
        yield f"is connected now, {sessions} times" if sessions > 1 else "is connected now"
    if owned:
        yield f"owns {owned} databases" if owned > 1 else "owns a database"
