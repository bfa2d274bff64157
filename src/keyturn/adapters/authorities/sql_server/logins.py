"""SQL logins as the server's catalogue has them, and the statements that change one."""

import re
from dataclasses import dataclass

from keyturn.adapters.authorities.sql_server.names import identifier, text
from keyturn.adapters.authorities.sql_server.tds.session import Session
from keyturn.adapters.authorities.sql_server.tds.tokens import Row


@dataclass(frozen=True, slots=True)
class SqlLogin:
    """`sid` as the server writes it, `0x…`. `mark` is another one after every set of the password; None where the
    server does not show it. `barred`: denied CONNECT SQL. Moments are seconds since the epoch. `bad_count` None: the
    server tells nothing of wrong passwords."""

    sid: str
    name: str
    database: str
    language: str
    disabled: bool
    checks_policy: bool
    checks_expiration: bool
    barred: bool
    mark: int | None
    set_at: float
    bad_count: int | None
    bad_at: float | None
    locked: bool
    in_use_at: float | None


def named(session: Session, name: str) -> SqlLogin | None:
    return _first(session, f"l.name = {text(name)}")


def by_sid(session: Session, sid: str) -> SqlLogin | None:
    """A sid that is none of SQL Server's finds nobody."""
    return _first(session, f"l.sid = {sid}") if _SID.fullmatch(sid) else None


def create(session: Session, name: str, hashed: str, like: SqlLogin | None) -> None:
    """HASHED and CHECK_POLICY exclude each other, so the policy comes second; a new login has it unless `like` not."""
    options = ["CHECK_POLICY = OFF"]
    if like:
        options += [
            f"DEFAULT_DATABASE = {identifier(like.database)}",
            f"DEFAULT_LANGUAGE = {identifier(like.language)}",
        ]
    made = f"CREATE LOGIN {identifier(name)} WITH PASSWORD = {hashed} HASHED, {', '.join(options)};"
    checked = _checked(name, like is not None and like.checks_expiration)
    _all_or_nothing(session, made + checked if like is None or like.checks_policy else made)


def set_password(session: Session, login: SqlLogin, hashed: str) -> None:
    """While the policy is off the server takes a hash, and forgets lock, count and history."""
    new = f"PASSWORD = {hashed} HASHED"
    if login.checks_policy:
        _all_or_nothing(session, _unchecked(login.name, new) + _checked(login.name, login.checks_expiration))
    else:
        session.rows(f"ALTER LOGIN {identifier(login.name)} WITH {new};")


def unlock(session: Session, login: SqlLogin) -> None:
    """UNLOCK itself asks for the clear password; the policy turned off and on does the same without."""
    if login.checks_policy and (login.locked or login.bad_count != 0):
        _all_or_nothing(session, _unchecked(login.name) + _checked(login.name, login.checks_expiration))


def bar(session: Session, login: SqlLogin, barred: bool) -> None:
    session.rows(f"ALTER LOGIN {identifier(login.name)} {'DISABLE' if barred else 'ENABLE'};")


def drop(session: Session, login: SqlLogin) -> None:
    session.rows(f"DROP LOGIN {identifier(login.name)};")


def _unchecked(name: str, *others: str) -> str:
    options = ", ".join((*others, "CHECK_POLICY = OFF", "CHECK_EXPIRATION = OFF"))
    return f"ALTER LOGIN {identifier(name)} WITH {options};"


def _checked(name: str, expiration: bool) -> str:
    return f"ALTER LOGIN {identifier(name)} WITH CHECK_POLICY = ON, CHECK_EXPIRATION = {'ON' if expiration else 'OFF'};"


def _all_or_nothing(session: Session, statements: str) -> None:
    session.rows(f"BEGIN TRANSACTION;{statements}COMMIT TRANSACTION;")


_SID = re.compile(r"0x(?:[0-9A-F]{2}){1,85}")
_CHOSEN = """
SELECT CONVERT(nvarchar(172), l.sid, 1), l.name, l.default_database_name, l.default_language_name,
    CAST(l.is_disabled AS int), CAST(l.is_policy_checked AS int), CAST(l.is_expiration_checked AS int),
    (SELECT COUNT(*) FROM sys.server_permissions AS p
        WHERE p.grantee_principal_id = l.principal_id AND p.permission_name = 'CONNECT SQL' AND p.state = 'D'),
    CAST(SUBSTRING(HASHBYTES('SHA2_256', l.password_hash), 1, 7) AS bigint),
    DATEDIFF_BIG(millisecond, '19700101',
        DATEADD(minute, z.west, CAST(LOGINPROPERTY(l.name, 'PasswordLastSetTime') AS datetime))),
    CAST(LOGINPROPERTY(l.name, 'BadPasswordCount') AS int),
    DATEDIFF_BIG(millisecond, '19700101',
        DATEADD(minute, z.west, CAST(LOGINPROPERTY(l.name, 'BadPasswordTime') AS datetime))),
    CAST(LOGINPROPERTY(l.name, 'IsLocked') AS int),
    (SELECT TOP (1) DATEDIFF_BIG(microsecond, '19700101', SYSUTCDATETIME()) FROM sys.dm_exec_sessions AS s
        WHERE s.original_security_id = l.sid)
FROM sys.sql_logins AS l CROSS JOIN (SELECT -DATEPART(tzoffset, SYSDATETIMEOFFSET()) AS west) AS z
WHERE {};"""
"""The server keeps moments in its local time; `west` are the minutes from there to UTC."""


def _first(session: Session, condition: str) -> SqlLogin | None:
    found = session.rows(_CHOSEN.format(condition))
    return _login(found[0]) if found else None


def _login(row: Row) -> SqlLogin:
    sid, name, database, language = map(str, row[:4])
    numbers = [value if isinstance(value, int) else None for value in row[4:]]
    disabled, policy, expiration, denied, mark, set_ms, bad_count, bad_ms, locked, used_us = numbers
    return SqlLogin(
        sid,
        name,
        database,
        language,
        disabled=bool(disabled),
        checks_policy=bool(policy),
        checks_expiration=bool(expiration),
        barred=bool(denied),
        mark=mark,
        set_at=(set_ms or 0) / 1000,
        bad_count=None if bad_ms is None else bad_count,
        bad_at=bad_ms / 1000 if bad_ms is not None and bad_ms > 0 else None,  # a moment that never was is in 1900
        locked=bool(locked),
        in_use_at=used_us / 1_000_000 if used_us else None,
    )
