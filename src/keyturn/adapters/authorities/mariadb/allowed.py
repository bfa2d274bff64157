"""What Keyturn's account may do on the server of what it needs (docs/how-to/realm-mariadb.md)."""

from collections.abc import Iterator
from dataclasses import dataclass

from keyturn.adapters.authorities.mariadb.names import parsed
from keyturn.adapters.authorities.mariadb.servers import Session
from keyturn.operations.delegation import MissingRight


@dataclass(frozen=True, slots=True)
class _Need:
    """`shown` finds one row where the right is there: the server shows what somebody may use, and no more."""

    right: str
    where: str
    shown: str
    command: str
    without: str = ""


def _routine(kind: str, name: str, right: str, without: str) -> _Need:
    return _Need(
        right,
        f"keyturn.{name}",
        f"SELECT 1 FROM information_schema.routines WHERE routine_schema = 'keyturn' AND routine_name = '{name}'",  # noqa: S608
        f"GRANT EXECUTE ON {kind} keyturn.{name} TO {{me}};",
        without,
    )


_NEEDS = (
    _Need(
        "change accounts",
        "*.*",
        "SELECT 1 FROM information_schema.user_privileges WHERE privilege_type = 'CREATE USER'",
        "GRANT CREATE USER ON *.* TO {me};",
    ),
    _Need(
        "see that a password has changed",
        "keyturn.accounts",
        "SELECT 1 FROM information_schema.tables WHERE table_schema = 'keyturn' AND table_name = 'accounts'",
        "GRANT SELECT ON keyturn.accounts TO {me};",
    ),
    _routine("FUNCTION", "sessions", "see who is connected", ""),
    _routine("PROCEDURE", "grants", "compare grants", "no second account is made"),
    _routine("PROCEDURE", "default_role", "set default roles", "a second account has no default role"),
)


def missing(session: Session) -> Iterator[MissingRight]:
    with session.cursor() as cursor:
        cursor.execute("SELECT current_user()")
        row = cursor.fetchone()
        assert row is not None, "a session is some account's"
        me = parsed(row[0]).quoted(session)
        for need in _NEEDS:
            if not cursor.execute(need.shown):
                command = need.command.format(me=me)
                yield MissingRight(need.right, need.where, (command,), vital=not need.without, without=need.without)
