"""What a server's refusal means for the caller, by its SQLSTATE (PostgreSQL manual, appendix A)."""

import psycopg

from keyturn.model.errors import AuthorityError

_MAY_PASS = (
    "08",  # the connection
    "40",  # serialization, deadlock
    "53",  # too many connections, disk full
    "55P03",  # a lock not granted in time
    "57",  # cancelled, shut down, starting up
    "58",  # the machine below it
    "XX000",  # "tuple concurrently updated": two administrators at once
)


def transient(state: str | None) -> bool:
    """No state at all comes with a connection that broke."""
    return not state or state.startswith(_MAY_PASS)


def translated(error: psycopg.Error, what: str) -> AuthorityError:
    """The server's first sentence alone: what follows may quote the statement."""
    if isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
        return AuthorityError(
            f"{what}: this server is a standby", permanent=True, hint="the first of the realm's replicas is the primary"
        )
    said = error.diag.message_primary or (str(error).splitlines() or ["no answer"])[0]
    hints = (error.diag.message_detail or "").splitlines()
    return AuthorityError(f"{what}: {said}", permanent=not transient(error.sqlstate), hint=", ".join(hints[:5]))
