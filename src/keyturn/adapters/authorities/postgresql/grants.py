"""Rights that are granted to a role itself, as names, and how each is given to another role.

A name is the statement that gives the right, without its end. Names are looked up among what somebody holds before
they are carried out, so no text from elsewhere is ever run.
"""

from collections.abc import Collection
from typing import LiteralString

import psycopg
from psycopg import sql

from keyturn.adapters.authorities.postgresql.door import Session
from keyturn.adapters.authorities.postgresql.roles import Role

_OF_THE_ROLE: LiteralString = """
SELECT DISTINCT name, before, after FROM (
SELECT r.oid AS role, 'ALTER ROLE WITH ' || option AS name, 'ALTER ROLE ' AS before, ' ' || option AS after
FROM pg_roles r CROSS JOIN LATERAL (VALUES ('SUPERUSER', rolsuper), ('CREATEDB', rolcreatedb),
    ('CREATEROLE', rolcreaterole), ('REPLICATION', rolreplication), ('BYPASSRLS', rolbypassrls),
    ('NOINHERIT', NOT rolinherit), ('CONNECTION LIMIT ' || rolconnlimit, rolconnlimit >= 0)) o (option, on_) WHERE on_
UNION ALL
SELECT setrole, 'ALTER ROLE' || place || ' SET ' || setting,
       'ALTER ROLE ', format('%s SET %I TO %s', place, parameter,
           CASE WHEN parameter IN ('search_path', 'temp_tablespaces', 'local_preload_libraries',
               'session_preload_libraries') AND value <> '""' THEN value
               WHEN value = '""' THEN quote_literal('') ELSE quote_literal(value) END)
FROM pg_db_role_setting LEFT JOIN pg_database d ON d.oid = setdatabase CROSS JOIN unnest(setconfig) setting
CROSS JOIN LATERAL (SELECT coalesce(format(' IN DATABASE %I', datname), '')) at (place)
CROSS JOIN LATERAL (SELECT split_part(setting, '=', 1), substr(setting, strpos(setting, '=') + 1))
    pair (parameter, value)
WHERE setrole <> 0
UNION ALL
SELECT member, format('GRANT %s WITH ADMIN OPTION', roleid::regrole),
       format('GRANT %s TO ', roleid::regrole), ' WITH ADMIN OPTION'
FROM pg_auth_members WHERE admin_option
) AS known WHERE role = coalesce($1, role) AND name = ANY(coalesce($2::text[], ARRAY[name]))
"""

"""The four parameters named are lists, whose elements the server keeps quoted already (GUC_LIST_QUOTE)."""

_OF_A_DATABASE: LiteralString = """
WITH here AS (SELECT oid, datname FROM pg_database WHERE datname = current_database()),
objects (owner, acl, place) AS (
    SELECT relowner, relacl, CASE relkind WHEN 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END || oid::regclass FROM pg_class
    UNION ALL SELECT proowner, proacl, 'ROUTINE ' || oid::regprocedure FROM pg_proc
    UNION ALL SELECT nspowner, nspacl, format('SCHEMA %I', nspname) FROM pg_namespace
    UNION ALL SELECT typowner, typacl, 'TYPE ' || oid::regtype FROM pg_type
    UNION ALL SELECT lanowner, lanacl, format('LANGUAGE %I', lanname) FROM pg_language
    UNION ALL SELECT srvowner, srvacl, format('FOREIGN SERVER %I', srvname) FROM pg_foreign_server
    UNION ALL SELECT datdba, datacl, format('DATABASE %I', d.datname) FROM pg_database d JOIN here USING (oid)
),
given (role, what, passed_on) AS (
    SELECT grantee, format('GRANT %s ON %s', privilege_type, place), is_grantable
    FROM objects CROSS JOIN aclexplode(acl) WHERE grantee <> owner
    UNION ALL
    SELECT grantee, format('GRANT %s (%I) ON TABLE %s', privilege_type, attname, attrelid::regclass), is_grantable
    FROM pg_attribute CROSS JOIN aclexplode(attacl)
    UNION ALL
    SELECT grantee, format('ALTER DEFAULT PRIVILEGES FOR ROLE %s%s GRANT %s ON %s', defaclrole::regrole,
               CASE WHEN defaclnamespace <> 0 THEN ' IN SCHEMA ' || defaclnamespace::regnamespace ELSE '' END,
               privilege_type, CASE defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES'
                   WHEN 'f' THEN 'ROUTINES' WHEN 'T' THEN 'TYPES' ELSE 'SCHEMAS' END), is_grantable
    FROM pg_default_acl CROSS JOIN aclexplode(defaclacl) WHERE grantee <> defaclrole
)
SELECT DISTINCT name, before, after FROM (
SELECT role, format('%s: %s%s', datname, what, after) AS name, what || ' TO ' AS before, after
FROM given CROSS JOIN here
CROSS JOIN LATERAL (SELECT CASE WHEN passed_on THEN ' WITH GRANT OPTION' ELSE '' END) e (after)
UNION ALL
SELECT refobjid, CASE deptype WHEN 'o' THEN format('%s: OWNER OF ', datname) ELSE format('%s: ACL OF ', datname) END
       || pg_describe_object(classid, objid, objsubid), NULL, NULL
FROM pg_shdepend CROSS JOIN here
WHERE dbid IN (0, here.oid) AND refclassid = 'pg_authid'::regclass AND (deptype = 'o' OR deptype = 'a'
      AND classid NOT IN ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_namespace'::regclass, 'pg_type'::regclass,
          'pg_language'::regclass, 'pg_foreign_server'::regclass, 'pg_database'::regclass, 'pg_default_acl'::regclass))
      AND (dbid <> 0 OR classid <> 'pg_database'::regclass OR objid = here.oid)
) AS known WHERE role = coalesce($1, role) AND name = ANY(coalesce($2::text[], ARRAY[name]))
"""
"""The last part is whatever the server records and the rest does not name; it cannot be given by a statement."""


def held(session: Session, role: int) -> set[str]:
    """What belongs to the role in all databases."""
    return _held(session, _OF_THE_ROLE, role)


def held_here(session: Session, role: int) -> set[str]:
    """What the role has in the database of this session."""
    return _held(session, _OF_A_DATABASE, role)


def databases(session: Session, role: int) -> tuple[str, ...]:
    found = session.execute(
        """SELECT DISTINCT datname FROM pg_shdepend JOIN pg_database d
           ON d.oid = dbid OR dbid = 0 AND (classid <> 'pg_database'::regclass AND datname = current_database()
                                            OR classid = 'pg_database'::regclass AND objid = d.oid)
           WHERE refclassid = 'pg_authid'::regclass AND refobjid = %s AND deptype IN ('a', 'o')""",
        (role,),
    )
    return tuple(name for (name,) in found)


def all_databases(session: Session) -> tuple[str, ...]:
    found = session.execute("SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate")
    return tuple(name for (name,) in found)


def give(session: Session, role: Role, wanted: Collection[str]) -> set[str]:
    """Those of `wanted` that were given."""
    return _give(session, _OF_THE_ROLE, role, wanted)


def give_here(session: Session, role: Role, wanted: Collection[str]) -> set[str]:
    return _give(session, _OF_A_DATABASE, role, wanted)


def _held(session: Session, rights: LiteralString, role: int) -> set[str]:
    return {name for name, _, _ in psycopg.RawCursor(session).execute(rights, [role, None])}


def _give(session: Session, rights: LiteralString, role: Role, wanted: Collection[str]) -> set[str]:
    """Both halves of a statement come from the server, quoted by it."""
    found = psycopg.RawCursor(session).execute(rights, [None, list(wanted)]).fetchall() if wanted else []
    grantee = sql.Identifier(role.name).as_string(session)
    given = [row for row in found if row[1] is not None]
    for _, before, after in given:
        session.execute(f"{before}{grantee}{after}".encode())
    return {name for name, _, _ in given}
