"""What Keyturn's role may do on the server of what it needs (docs/how-to/realm-postgresql.md)."""

from collections.abc import Iterator

from psycopg import sql

from keyturn.adapters.authorities.postgresql.door import Session
from keyturn.operations.delegation import MissingRight

_OWN = """
SELECT rolname, rolsuper OR rolcreaterole, current_setting('server_version_num')::int,
       (SELECT has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
        FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = 'keyturn' AND relname = 'passwords')
FROM pg_roles WHERE rolname = current_user
"""
_OUT_OF_REACH = """
SELECT a.rolname FROM pg_roles a JOIN pg_roles k ON k.rolname = current_user
WHERE a.rolname = ANY(%s) AND NOT k.rolsuper AND (a.rolsuper OR %s AND NOT EXISTS (
    SELECT FROM pg_auth_members m WHERE m.roleid = a.oid AND m.member = k.oid AND m.admin_option)) ORDER BY a.rolname
"""
_FROM_16_ON = 160000
_SEE, _VIEW = "see that a password has changed", "keyturn.passwords"
_SUPERUSER = "no other role reaches a superuser; from version 16 on, the admin option on each role is needed"


def missing(session: Session, names: list[str]) -> Iterator[MissingRight]:
    """Names of roles that are to be changed. A superuser is out of everybody's reach but another one's."""
    found = session.execute(_OWN).fetchone()
    assert found is not None, "a session is some role's"
    own, creates, version, reads = found
    me = sql.Identifier(own).as_string(session)
    if not creates:
        yield MissingRight("change roles", own, (f"ALTER ROLE {me} CREATEROLE;",))
    if reads is None:
        yield MissingRight(_SEE, _VIEW, (), why="there is no such view: docs/how-to/realm-postgresql.md makes it")
    elif not reads:
        yield MissingRight(_SEE, _VIEW, (f"GRANT USAGE ON SCHEMA keyturn TO {me}; GRANT SELECT ON {_VIEW} TO {me};",))
    for (name,) in session.execute(_OUT_OF_REACH, (names, version >= _FROM_16_ON)).fetchall():
        role = sql.Identifier(name).as_string(session)
        yield MissingRight("set its password", name, (f"GRANT {role} TO {me} WITH ADMIN OPTION;",), why=_SUPERUSER)
