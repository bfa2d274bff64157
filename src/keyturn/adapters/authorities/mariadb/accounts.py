"""Accounts as Keyturn's view of the server's table shows them (docs/how-to/realm-mariadb.md)."""

from dataclasses import dataclass

from keyturn.adapters.authorities.mariadb.names import UserAtHost
from keyturn.adapters.authorities.mariadb.servers import Session

_TRACE_BITS = 28


@dataclass(frozen=True, slots=True)
class Entry:
    """`set_at` in whole seconds; `trace` is a digest of how the account is let in, of 28 bits."""

    who: UserAtHost
    set_at: int
    trace: int
    disabled: bool
    in_use_at: float | None

    @property
    def version(self) -> int:
        """Rises with every set of ours (`after`), and with every other that is not in the same second."""
        return self.set_at << _TRACE_BITS | self.trace


def entry(session: Session, who: UserAtHost) -> Entry | None:
    with session.cursor() as cursor:
        cursor.execute(
            "SELECT user, host, set_at, trace, locked,"
            " IF(keyturn.sessions(user, host) > 0, unix_timestamp(now(6)), NULL)"
            " FROM keyturn.accounts WHERE user = BINARY %s AND host = %s",
            (who.user, who.host),
        )
        row = cursor.fetchone()
    if row is None:
        return None
    user, host, set_at, trace, locked, in_use_at = row
    used = None if in_use_at is None else float(in_use_at)
    return Entry(UserAtHost(user, host), int(set_at), int(trace), bool(locked), used)


def reached_from_here(session: Session, user: str) -> tuple[UserAtHost, ...]:
    """The accounts of that user among which the server would choose for a logon from where we are."""
    with session.cursor() as cursor:
        cursor.execute(
            "SELECT user, host FROM keyturn.accounts"
            " WHERE user IN (BINARY %s, '') AND substring_index(user(), '@', -1) LIKE host",
            (user,),
        )
        return tuple(UserAtHost(name, host) for name, host in cursor.fetchall())


def threshold(session: Session) -> int:
    """How many wrong passwords block an account; 0 where the server has no limit that anybody reaches."""
    with session.cursor() as cursor:
        cursor.execute("SELECT @@global.max_password_errors")
        row = cursor.fetchone()
    limit = int(row[0]) if row else 0
    return 0 if limit >= 1 << 31 else limit


def after(session: Session, earlier: int) -> None:
    """Lets what this session does next be later than `earlier`: the server keeps the moment of a password in whole
    seconds, and one set twice within a second would show no difference."""
    execute(session, f"SET timestamp = greatest(unix_timestamp(now()), {earlier + 1:d})")


def execute(session: Session, statement: str) -> None:
    with session.cursor() as cursor:
        cursor.execute(statement)
