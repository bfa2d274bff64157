"""Logons without a password of ours: by the key of the machine's computer account, or by a user's own tickets."""

import os
import pwd
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from smbprotocol.connection import Connection
from smbprotocol.exceptions import SMBException
from smbprotocol.session import Session

# NTSTATUS (MS-ERREF 2.3.1): what a Windows machine says in the same place.
NO_TRUST = 0xC000018A
"""STATUS_NO_TRUST_LSA_SECRET: this machine has no key of a computer account."""
NO_LOGON_SESSION = 0xC000005F
"""STATUS_NO_SUCH_LOGON_SESSION: nothing is there to log on with."""

_TICKETS = "/tmp/krb5cc_{uid}"  # noqa: S108  # where MIT Kerberos keeps them unless told otherwise


class NoTicket(Exception):
    """Nothing was presented to anybody."""

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status:#010x}")
        self.status = status


def session_of_machine(connection: Connection) -> Session:
    """By the system's own keytab. NoTicket where it holds no computer account."""
    keytab, principal = _computer_account()
    from spnego import KerberosKeytab

    return _session(connection, KerberosKeytab(keytab, principal))


def session_of_user(connection: Connection, user: str) -> Session:
    """By the tickets in the file of MIT Kerberos. NoTicket where the user has none there."""
    if not _libraries():
        raise NoTicket(NO_LOGON_SESSION)
    from spnego import KerberosCCache

    with _tickets_of(user) as cache:
        return _session(connection, KerberosCCache(cache))


def _session(connection: Connection, credential: object) -> Session:
    session = Session(connection, credential, None, require_encryption=True, auth_protocol="kerberos")
    try:
        session.connect()
    except SMBException as error:
        if isinstance(error.__cause__, Exception) and type(error.__cause__).__module__.startswith("spnego"):
            raise NoTicket(NO_LOGON_SESSION) from None  # no ticket for this server: it was told nothing
        raise
    return session


def _computer_account() -> tuple[str, str]:
    """The keytab and the principal in it: `HOST$@REALM`."""
    if not _libraries():
        raise NoTicket(NO_TRUST)
    import krb5

    context = krb5.init_context()
    try:
        keytab = krb5.kt_default(context)
        names = [str(entry.principal) for entry in keytab]
        path = (keytab.name or b"").decode()
    except krb5.Krb5Error:
        raise NoTicket(NO_TRUST) from None
    for name in names:
        if name.partition("@")[0].endswith("$"):
            return path, name
    raise NoTicket(NO_TRUST)


@contextmanager
def _tickets_of(user: str) -> Iterator[str]:
    """Opened once, so that what is looked at is what is used: whoever may write to the folder could put another user's
    tickets in their place."""
    try:
        uid = pwd.getpwnam(user).pw_uid
        file = os.open(_TICKETS.format(uid=uid), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except (KeyError, OSError):
        raise NoTicket(NO_LOGON_SESSION) from None
    try:
        found = os.fstat(file)
        if found.st_uid != uid or not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
            raise NoTicket(NO_LOGON_SESSION)
        yield f"FILE:/proc/self/fd/{file}"
    finally:
        os.close(file)


def _libraries() -> bool:
    return bool(find_spec("krb5") and find_spec("gssapi"))
