"""A server's accounts, as Keyturn's view shows them. It cannot tell people from programs."""

import pymysql

from keyturn.adapters.authorities.mariadb.errors import number
from keyturn.adapters.authorities.mariadb.names import UserAtHost
from keyturn.adapters.authorities.mariadb.servers import Session
from keyturn.operations.surveys import Candidate, LeftOut, Survey

_ACCOUNTS = "SELECT user, host, set_at, locked FROM keyturn.accounts ORDER BY user, host"
_OF_THE_SERVER = {UserAtHost("mariadb.sys", "localhost"), UserAtHost("mysql", "localhost"), UserAtHost("", "localhost")}
_NO_SUCH_GRANT = 1141
_MAY_EVERYTHING = "GRANT ALL PRIVILEGES ON *.* TO"


def survey(session: Session, servers: tuple[str, ...], now: float) -> Survey:
    with session.cursor() as cursor:
        cursor.execute(_ACCOUNTS)
        rows = cursor.fetchall()
    found = [(UserAtHost(user, host), *rest) for user, host, *rest in rows]
    own = tuple(who.name for who, *_ in found if who in _OF_THE_SERVER)
    candidates = tuple(
        Candidate(
            name=who.name,
            enabled=not locked,
            nature="is a login of a database, as programs have",
            strong_groups=("ALL PRIVILEGES",) if _may_everything(session, who) else (),
            password_age_s=max(0.0, now - int(set_at)) if int(set_at) else None,
        )
        for who, set_at, locked in found
        if who not in _OF_THE_SERVER
    )
    return Survey(candidates, servers, left_out=(LeftOut("the server's own", len(own), own),))


def _may_everything(session: Session, who: UserAtHost) -> bool:
    """The lines hold hashes: nothing of them leaves this function. A server that resolves no names keeps accounts of
    named hosts in its table, and knows no grants of theirs."""
    try:
        with session.cursor() as cursor:
            cursor.execute("CALL keyturn.grants(%s, %s)", (who.user, who.host))
            return any(line.startswith(_MAY_EVERYTHING) for (line,) in cursor.fetchall())
    except pymysql.err.Error as error:
        if number(error) != _NO_SUCH_GRANT:
            raise
        return False
