"""A store in a PostgreSQL database, which many processes on many machines may share.

Writers of all of them take turns, as they do in a file: each begins with one advisory lock of the database. So whatever
is proven over one kind of store holds over the other, and the audit log has one last event to follow.
"""

import ipaddress
import time
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DisconnectionError

from keyturn.adapters.store.errors import NotAStore
from keyturn.adapters.store.login import StoreLogins, logging_on, name_of

_WRITES = "keyturn_writes"
_TURN = "SELECT pg_advisory_xact_lock(7526752397651505)"
"""The number means nothing but that it is ours; advisory locks of other databases are others."""

ABANDONED_S = 5
"""A writer that says nothing for so long, as one that was stopped or whose machine is gone, loses its turn: before
those who wait for theirs give up."""

CLOCK_S = 5.0
"""How far a machine's clock may be from the database's. Leases of plans compare moments of several machines; their
fence, not the clock, is what keeps a late worker's writes out."""

_CONNECTION = {
    "application_name": "keyturn",
    # A machine that vanished is noticed, and not waited for as long as the system's own two hours.
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
}


def engines(url: URL, busy_s: int, logins: StoreLogins | None) -> tuple[Engine, Engine]:
    """To read and to write. A writer waits `busy_s` for its turn.

    Raises NotAStore for an address that shows a password, or that would reach a machine without proof of which it is.
    """
    _refuse_unsafe(url)
    session = {
        "lock_timeout": f"{busy_s}s",
        "idle_in_transaction_session_timeout": f"{ABANDONED_S}s",
        "synchronous_commit": "on",
        "client_encoding": "UTF8",
    }
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        hide_parameters=True,
        connect_args={**_CONNECTION, "connect_timeout": busy_s},
        pool_size=5,
        max_overflow=15,
        pool_timeout=busy_s,
        pool_pre_ping=True,  # a server that was restarted is found out before a transaction begins
    )

    @event.listens_for(engine, "do_connect")
    def log_on(_dialect: object, _record: object, _args: object, parameters: dict[str, Any]) -> None:
        parameters.update(logging_on(url, logins, session))

    @event.listens_for(engine, "checkout")
    def renew(connection: Any, _record: object, _proxy: object) -> None:
        # So that an account which another one follows falls quiet, and may be retired.
        if logins is not None and connection.info.user != name_of(url, logins):
            raise DisconnectionError

    event.listen(engine, "connect", _refuse_unfit)
    event.listen(engine, "begin", _begin)
    reading = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return reading, engine.execution_options(isolation_level="READ COMMITTED", **{_WRITES: True})


def reached_as(connection: Connection) -> str | None:
    sid: str = connection.exec_driver_sql(_REACHED_AS).scalar_one()
    return sid


_REACHED_AS = """
SELECT system_identifier || '/' || oid FROM pg_catalog.pg_control_system(), pg_catalog.pg_roles
WHERE rolname = session_user
"""


def _begin(connection: Connection) -> None:
    # READ COMMITTED: the statements after this one see what the writer before us has written.
    if connection.get_execution_options().get(_WRITES):
        connection.exec_driver_sql(_TURN)


def _refuse_unsafe(url: URL) -> None:
    if url.password is not None or "password" in url.query:
        raise NotAStore("the store's address holds a password", hint="leave it out; the site keeps it in a file apart")
    proven = url.query.get("sslmode") in ("verify-full", "verify-ca")
    if not proven and not _here(url.host or str(url.query.get("host", ""))):
        raise NotAStore(
            f"the store's address would reach {url.host} without proof that it is that machine",
            hint="add ?sslmode=verify-full&sslrootcert=/path/to/ca.pem",
        )


def _here(host: str) -> bool:
    """A socket in the file system, or the loopback."""
    if not host or host.startswith("/") or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _refuse_unfit(connection: Any, _record: object) -> None:
    """A server that could lose what it has acknowledged, or whose clock is another."""
    asked = time.time()
    row = connection.execute(
        "SELECT current_setting('fsync'), current_setting('full_page_writes'), current_setting('server_encoding'),"
        " extract(epoch FROM clock_timestamp())::float8"
    ).fetchone()
    connection.rollback()
    fsync, full_pages, encoding, theirs = row
    ahead = (asked + time.time()) / 2 - theirs
    if (fsync, full_pages) != ("on", "on"):
        raise NotAStore(
            "the PostgreSQL server may lose what it has acknowledged", hint="fsync and full_page_writes: on"
        )
    if encoding != "UTF8":
        raise NotAStore(f"the database keeps text as {encoding}", hint="CREATE DATABASE … ENCODING UTF8")
    if abs(ahead) > CLOCK_S:
        side = "ahead of" if ahead > 0 else "behind"
        raise NotAStore(
            f"the clock of this machine is {abs(ahead):.0f} s {side} the database's", hint="let NTP set both clocks"
        )
