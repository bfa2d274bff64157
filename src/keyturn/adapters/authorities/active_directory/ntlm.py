"""NTLM, by which no password crosses the network: as clients of a share use it, the set-up of an SMB session, left at
once; and as those of a directory do."""

import struct
import threading
import uuid

import spnego
from ldap.ldapobject import SimpleLDAPObject
from smbprotocol.connection import Connection
from smbprotocol.exceptions import SMBException, SMBResponseException
from smbprotocol.session import Session
from spnego import ContextReq
from spnego.exceptions import SpnegoError

from keyturn.adapters.authorities.active_directory.answers import bind_answer
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


def bind(doing: str, connection: SimpleLDAPObject, name: str, secret: Secret) -> Answer:
    """`name` is `DOMAIN\\name`. A controller that demands a seal is promised one (MS-NLMP 2.2.2.5), and nothing
    follows that would need it."""
    try:
        return bind_answer(doing, lambda: _bind(connection, name, secret))
    except (SpnegoError, ValueError, struct.error, IndexError) as error:  # what the library says of no NTLM
        fault = f"{type(error).__name__}: {error}"
    raise AuthorityError(f"{doing}: {fault}", permanent=False)


def _bind(connection: SimpleLDAPObject, name: str, secret: Secret) -> None:
    promised = ContextReq.integrity | ContextReq.confidentiality
    logon = spnego.client(name, secret.reveal(), protocol="ntlm", context_req=promised)
    challenge: object = connection.sasl_bind_s("", "GSS-SPNEGO", logon.step())
    if not isinstance(challenge, bytes):
        raise ValueError("no challenge")
    if isinstance(connection.sasl_bind_s("", "GSS-SPNEGO", logon.step(challenge)), bytes):
        raise ValueError("a second challenge")


def _close(connection: Connection) -> None:
    try:
        connection.disconnect(close=True, timeout=OPERATION_S)
    except (SMBException, OSError, ValueError):
        return
