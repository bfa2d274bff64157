"""What a server's refusal means for the caller, by its error number (MariaDB error codes)."""

import ssl

import pymysql

from keyturn.adapters.authorities.mariadb.servers import ClearPasswordWanted
from keyturn.model.errors import AuthorityError

ACCESS_DENIED = 1045
MUST_CHANGE = 1820
PASSWORD_EXPIRED = 1862
BLOCKED = 4150
ACCOUNT_LOCKED = 4151

_LASTING = frozenset(
    {
        1044,  # no right to a database
        ACCESS_DENIED,
        1064,  # syntax
        1130,  # our host is not let in
        1133,  # no such account
        1142,  # no right to a command
        1227,  # a privilege lacking
        1290,  # read-only
        1370,  # no right to a routine
        1396,  # CREATE USER: it exists; ALTER USER: it does not
        1410,  # no right to grant
        1524,  # an unknown authentication plugin
        1698,  # let in by another plugin only
        1819,  # against the password policy
        1959,  # no such role
        1976,  # a role is not granted
        ACCOUNT_LOCKED,
        BLOCKED,
    }
)
_HINTS = {
    1290: "the first of the realm's replicas is the primary",
    1819: "a password that is set as a hash cannot be judged: strict_password_validation = OFF",
}


def number(error: Exception) -> int:
    """0 where the error comes from no server."""
    first = error.args[0] if error.args else 0
    return first if isinstance(first, int) else 0


def translated(error: Exception, what: str) -> AuthorityError:
    if isinstance(error, ClearPasswordWanted):
        return AuthorityError(f"{what}: the server asks for the clear password, and does not get it", permanent=True)
    said = str(error.args[1]) if len(error.args) > 1 else type(error).__name__
    unproven = isinstance(error, ssl.SSLCertVerificationError) or "certificate verify failed" in said
    lasting = number(error) in _LASTING or unproven or isinstance(error, pymysql.err.ProgrammingError)
    return AuthorityError(f"{what}: {said}", permanent=lasting, hint=_HINTS.get(number(error), ""))
