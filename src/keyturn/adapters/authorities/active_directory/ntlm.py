"""NTLM as clients of a share use it: the set-up of an SMB session, left at once. No password crosses the network."""

import threading
import uuid

from smbprotocol.connection import Connection
from smbprotocol.exceptions import SMBException, SMBResponseException
from smbprotocol.session import Session

from keyturn.adapters.authorities.directories.tunnel import CONNECT_S, OPERATION_S
from keyturn.model.errors import AuthorityError
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret

STATUSES = {
    0xC0000064: Answer.UNKNOWN_ACCOUNT,
    0xC000006A: Answer.WRONG_PASSWORD,
    0xC000006D: Answer.WRONG_PASSWORD,
    0xC0000071: Answer.PASSWORD_EXPIRED,
    0xC0000072: Answer.DISABLED,
    0xC0000193: Answer.ACCOUNT_EXPIRED,
    0xC0000224: Answer.MUST_CHANGE,
    0xC0000234: Answer.LOCKED,
}
"""NTSTATUS by number (MS-ERREF 2.3.1): the library has no name for some of them."""


def set_up_session(doing: str, host: str, name: str, secret: Secret) -> Answer:
    """`name` is `DOMAIN\\name`. Refusals that say nothing about the password are AuthorityErrors."""
    said, permanent = "", False
    connection = Connection(uuid.uuid4(), host)
    # The library waits for an answer without end, until its connection is cut.
    end = threading.Timer(OPERATION_S, connection.disconnect, kwargs={"close": False})
    end.start()
    try:
        connection.connect(timeout=CONNECT_S)
        # Encrypting would add nothing: nothing follows the set-up.
        Session(connection, name, secret.reveal(), require_encryption=False, auth_protocol="ntlm").connect()
        return Answer.ACCEPTED
    except SMBResponseException as error:
        if error.status in STATUSES:
            return STATUSES[error.status]
        said, permanent = f"status {error.status:#010x}", True
    except (SMBException, OSError, TimeoutError) as error:
        said = str(error)
    except ValueError as error:  # what the library says of a connection it could not open
        said = str(error)
    finally:
        end.cancel()
        _close(connection)
    raise AuthorityError(f"{doing}: {said}", permanent=permanent)


def _close(connection: Connection) -> None:
    try:
        connection.disconnect(close=True, timeout=OPERATION_S)
    except (SMBException, OSError, ValueError):
        return
