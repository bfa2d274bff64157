"""What a login may do on the server and in its databases, as names, and how each is given to another login.

A name is looked up among what SQL logins have before the statement that stands for it is carried out, so no text from
elsewhere is ever run.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from keyturn.adapters.authorities.sql_server.logins import SqlLogin
from keyturn.adapters.authorities.sql_server.names import identifier
from keyturn.adapters.authorities.sql_server.tds.session import Session
from keyturn.adapters.authorities.sql_server.tds.tokens import Row
from keyturn.model.errors import AuthorityError


@dataclass(frozen=True, slots=True)
class Right:
    """`statement` gives it to a grantee, already quoted; None for what cannot be given. `user` is the holder's name in
    `database`, where that is what the right is about."""

    holder: str
    name: str
    statement: Callable[[str], str] | None = None
    database: str = ""
    user: str = ""


def groups(session: Session, sid: str) -> set[str]:
    return {str(role) for holder, role in session.rows(_SERVER_ROLES) if holder == sid}


def join(session: Session, name: str, wanted: Iterable[str]) -> None:
    for role in wanted:
        session.rows(f"ALTER SERVER ROLE {identifier(role)} ADD MEMBER {identifier(name)};")


def held(session: Session, sid: str) -> set[str]:
    return {right.name for right in _all(session) if right.holder == sid}


def give(session: Session, login: SqlLogin, wanted: Collection[str]) -> None:
    """AuthorityError, permanent, for what cannot be given, before anything is."""
    known = list(_all(session)) if wanted else []
    users = {right.database: right.user for right in known if right.user and right.holder == login.sid}
    chosen = {right.name: right for right in known if right.name in wanted and right.statement}
    beyond = sorted(set(wanted) - chosen.keys())
    if beyond:
        raise AuthorityError(
            f"{login.name} cannot be given: {', '.join(beyond)}",
            permanent=True,
            hint="let a role own objects and schemas, and both logins be members of it",
        )
    for right in chosen.values():  # in the order of `_all`: a user is made before it is given anything
        assert right.statement
        session.rows(right.statement(identifier(users.get(right.database, login.name))))


def _all(session: Session) -> Iterator[Right]:
    """Of every SQL login. AuthorityError where the server would show less than there is, without a word."""
    if session.rows(_SEES_ALL) != [(1,)]:
        raise AuthorityError(
            "the server does not show Keyturn who may do what",
            permanent=True,
            hint="GRANT VIEW ANY DEFINITION TO Keyturn's login",
        )
    yield from _permissions("", "master", session.rows("USE [master];" + _SERVER_PERMISSIONS))
    for holder, database in session.rows(_OWNED_DATABASES):
        yield Right(str(holder), f"OWNER OF DATABASE::{identifier(str(database))}")
    for database, entered in session.rows(_DATABASES):
        if not entered:
            raise AuthorityError(
                f"database {database} does not let Keyturn see who may do what there",
                permanent=True,
                hint="GRANT CONNECT ANY DATABASE TO Keyturn's login",
            )
        yield from _of_a_database(session, str(database))


def _of_a_database(session: Session, database: str) -> Iterator[Right]:
    place = f"{identifier(database)}: "
    use = f"USE {identifier(database)};"
    for holder, user, schema in session.rows(use + _USERS):
        default = f" WITH DEFAULT_SCHEMA = {identifier(str(schema))}" if schema is not None else ""
        yield Right(str(holder), f"{place}USER{default}", _user(use, default), database, str(user))
    for holder, role in session.rows(use + _ROLES):
        member = f"ALTER ROLE {identifier(str(role))} ADD MEMBER "
        yield Right(str(holder), f"{place}MEMBER OF {identifier(str(role))}", _ending(use + member, ";"), database)
    yield from _permissions(place, database, session.rows(use + _PERMISSIONS))
    for holder, what in session.rows(use + _OWNED):
        yield Right(str(holder), f"{place}OWNER OF {what}")


_SECURABLES = {
    "SERVER": "",
    "SQL_LOGIN": "LOGIN",
    "WINDOWS_LOGIN": "LOGIN",
    "WINDOWS_GROUP": "LOGIN",
    "SERVER_ROLE": "SERVER ROLE",
    "ENDPOINT": "ENDPOINT",
    "AVAILABILITY_GROUP": "AVAILABILITY GROUP",
    "DATABASE": "",
    "OBJECT_OR_COLUMN": "OBJECT",
    "SCHEMA": "SCHEMA",
    "TYPE": "TYPE",
    "SQL_USER": "USER",
    "WINDOWS_USER": "USER",
    "DATABASE_ROLE": "ROLE",
    "APPLICATION_ROLE": "APPLICATION ROLE",
}
"""How GRANT names what sys.server_permissions and sys.database_permissions know by these words."""
_GIVEN = {
    "GRANT": ("GRANT", ""),
    "GRANT_WITH_GRANT_OPTION": ("GRANT", " WITH GRANT OPTION"),
    "DENY": ("DENY", ""),
}


def _permissions(place: str, database: str, rows: Iterable[Row]) -> Iterator[Right]:
    """A denial is no favour, but a second login without it would be allowed more than the first. `place` is empty for
    the server's own, which are given in `master`, to logins."""
    for holder, state, permission, kind, one, two, three in rows:
        verb, option = _GIVEN.get(str(state), (str(state), ""))
        securable = _SECURABLES.get(str(kind))
        parts = ".".join(identifier(str(part)) for part in (one, two) if part is not None)
        column = f" ({identifier(str(three))})" if three is not None else ""
        on = "" if securable == "" else f" ON {securable or kind}::{parts}{column}"
        what = f"{verb} {permission}{on}"
        known = state in _GIVEN and (securable == "" or (securable and parts))
        statement = _ending(f"USE {identifier(database)};{what} TO ", f"{option};") if known else None
        yield Right(str(holder), f"{place}{what}{option}", statement, database if place else "")


def _ending(before: str, after: str) -> Callable[[str], str]:
    return lambda grantee: before + grantee + after


def _user(use: str, default: str) -> Callable[[str], str]:
    return lambda grantee: f"{use}CREATE USER {grantee} FOR LOGIN {grantee}{default};"


_SEES_ALL = """
SELECT HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW ANY DEFINITION');"""
_SERVER_ROLES = """
SELECT CONVERT(nvarchar(172), l.sid, 1), r.name FROM sys.server_role_members AS m
JOIN sys.sql_logins AS l ON l.principal_id = m.member_principal_id
JOIN sys.server_principals AS r ON r.principal_id = m.role_principal_id;"""
_SERVER_PERMISSIONS = """
SELECT CONVERT(nvarchar(172), l.sid, 1), p.state_desc, p.permission_name,
    COALESCE(s.type_desc, CASE p.class WHEN 108 THEN N'AVAILABILITY_GROUP' ELSE p.class_desc END),
    COALESCE(s.name, e.name, g.name), CAST(NULL AS nvarchar(128)), CAST(NULL AS nvarchar(128))
FROM sys.server_permissions AS p
JOIN sys.sql_logins AS l ON l.principal_id = p.grantee_principal_id
LEFT JOIN sys.server_principals AS s ON p.class = 101 AND s.principal_id = p.major_id
LEFT JOIN sys.endpoints AS e ON p.class = 105 AND e.endpoint_id = p.major_id
LEFT JOIN (sys.availability_replicas AS a JOIN sys.availability_groups AS g ON g.group_id = a.group_id)
    ON p.class = 108 AND a.replica_metadata_id = p.major_id;"""
_OWNED_DATABASES = """
SELECT CONVERT(nvarchar(172), l.sid, 1), d.name FROM sys.databases AS d
JOIN sys.sql_logins AS l ON l.sid = d.owner_sid;"""
_DATABASES = """
SELECT name, HAS_DBACCESS(name) FROM sys.databases WHERE state = 0;"""
_USERS = """
SELECT CONVERT(nvarchar(172), u.sid, 1), u.name, u.default_schema_name FROM sys.database_principals AS u
WHERE u.type = 'S' AND u.principal_id > 4;"""
_ROLES = """
SELECT CONVERT(nvarchar(172), u.sid, 1), r.name FROM sys.database_role_members AS m
JOIN sys.database_principals AS u ON u.principal_id = m.member_principal_id
JOIN sys.database_principals AS r ON r.principal_id = m.role_principal_id
WHERE u.type = 'S' AND u.principal_id > 4;"""
_PERMISSIONS = """
SELECT CONVERT(nvarchar(172), u.sid, 1), p.state_desc, p.permission_name, COALESCE(w.type_desc, p.class_desc),
    COALESCE(OBJECT_SCHEMA_NAME(o.object_id), h.name, SCHEMA_NAME(t.schema_id), w.name),
    COALESCE(o.name, t.name), c.name
FROM sys.database_permissions AS p
JOIN sys.database_principals AS u ON u.principal_id = p.grantee_principal_id
LEFT JOIN sys.all_objects AS o ON p.class = 1 AND o.object_id = p.major_id
LEFT JOIN sys.all_columns AS c ON p.class = 1 AND c.object_id = p.major_id AND c.column_id = p.minor_id
LEFT JOIN sys.schemas AS h ON p.class = 3 AND h.schema_id = p.major_id
LEFT JOIN sys.types AS t ON p.class = 6 AND t.user_type_id = p.major_id
LEFT JOIN sys.database_principals AS w ON p.class = 4 AND w.principal_id = p.major_id
WHERE u.type = 'S' AND u.principal_id > 4;"""
_OWNED = """
SELECT CONVERT(nvarchar(172), u.sid, 1), CAST(x.what AS nvarchar(300)) FROM (
    SELECT principal_id, N'SCHEMA::' + QUOTENAME(name) FROM sys.schemas
    UNION ALL
    SELECT principal_id, N'OBJECT::' + QUOTENAME(SCHEMA_NAME(schema_id)) + N'.' + QUOTENAME(name) FROM sys.objects
    UNION ALL SELECT owning_principal_id, N'ROLE::' + QUOTENAME(name) FROM sys.database_principals
) AS x (owner, what) JOIN sys.database_principals AS u ON u.principal_id = x.owner
WHERE u.type = 'S' AND u.principal_id > 4;"""
"""The first four principals of a database are dbo, guest, INFORMATION_SCHEMA and sys."""
