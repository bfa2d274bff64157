"""What a server's refusal means for the caller, by its error number (SQL Server, "Database Engine errors")."""

import re
import ssl

from keyturn.adapters.authorities.sql_server.tds.channel import Malformed
from keyturn.adapters.authorities.sql_server.tds.session import Denied, NoEncryption
from keyturn.model.errors import AuthorityError
from keyturn.model.logon import Answer

FOREIGN = (Denied, NoEncryption, Malformed, OSError, ValueError)
"""Whatever a connection may raise; ValueError for a password or a name that does not fit into a logon."""

LOGIN_FAILED, LOCKED_OUT = 18456, 18486

ANSWERS = {
    LOGIN_FAILED: Answer.WRONG_PASSWORD,
    LOCKED_OUT: Answer.LOCKED,  # to every password alike
    18470: Answer.DISABLED,  # these three to the right one only
    18487: Answer.PASSWORD_EXPIRED,
    18488: Answer.MUST_CHANGE,
    17892: Answer.ACCEPTED,  # a logon trigger refuses, which is asked once the password is proven
}
"""18456 comes with state 1 whatever the reason is: the server's own log alone tells it."""

_LASTING_BELOW = 17
"""Severities 11 to 16 are for whoever asked to set right; from 17 on the server lacks something."""
_MAY_PASS = frozenset(
    {
        1205,  # deadlock
        1222,  # a lock not granted in time
        15434,  # DROP LOGIN: it is logged on
        17142,  # paused
        18401,  # being upgraded
        18451,  # shutting down
        18461,  # for one user alone
    }
)
_HINTS = {
    229: "docs/how-to/realm-sql-server.md says what Keyturn needs",
    15128: "the account must change its password first, or have one set by hand without MUST_CHANGE",
    15151: "docs/how-to/realm-sql-server.md says what Keyturn needs",
    15247: "docs/how-to/realm-sql-server.md says what Keyturn needs",
    15174: "ALTER AUTHORIZATION ON DATABASE::… TO another login",
    15434: "its sessions end, or somebody ends them",
}
_HASH = re.compile(r"0x[0-9A-Fa-f]{40,}")


def told(error: Exception) -> int:
    """The number of the first error; 0 where it comes from no server."""
    return error.errors[0].number if isinstance(error, Denied) else 0


def translated(error: Exception, what: str) -> AuthorityError:
    match error:
        case Denied(errors=(first, *_)):
            lasting = first.severity < _LASTING_BELOW and first.number not in _MAY_PASS
            said = f"{_HASH.sub('0x…', first.text)} ({first.number})"  # a message may quote the statement
            return AuthorityError(f"{what}: {said}", permanent=lasting, hint=_HINTS.get(first.number, ""))
        case NoEncryption():
            return AuthorityError(f"{what}: the server has no TLS, and clear text is not used", permanent=True)
        case ssl.SSLCertVerificationError():
            return AuthorityError(f"{what}: {error}", permanent=True)
        case OSError():
            return AuthorityError(f"{what}: {error}", permanent=False)
        case UnicodeError():  # its own words would quote what cannot be written
            return AuthorityError(f"{what}: a name or a password that UTF-16 does not know", permanent=True)
        case _:
            return AuthorityError(f"{what}: {error}", permanent=True)
