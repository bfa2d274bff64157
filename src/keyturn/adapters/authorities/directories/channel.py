"""A connection to one server of a directory: LDAPS, proven by the realm's certificate authority, each wait with an
end."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

import ldap
from ldap.ldapobject import SimpleLDAPObject

from keyturn.adapters.authorities.directories.tunnel import OPERATION_S, dug

_NOWHERE = "ldapi://%2Fnonexistent%2Fkeyturn"
"""What libldap would connect to by itself, should the tunnel break: nothing, and never in clear."""


class Proof(Protocol):
    """How the servers of a realm are reached, and what proves that they are they."""

    @property
    def port(self) -> int: ...

    @property
    def certificate_authority(self) -> Path:
        """The one that signed the servers' certificates, and no other."""


@contextmanager
def connected(proof: Proof, host: str) -> Iterator[SimpleLDAPObject]:
    """Nobody is logged on yet. AuthorityError where there is no proven server."""
    with through(dug(host, proof.port, proof.certificate_authority)) as connection:
        yield connection


@contextmanager
def through(tunnel: int) -> Iterator[SimpleLDAPObject]:
    """`tunnel` is the file number of its near end, which is closed at the end."""
    connection = SimpleLDAPObject(_NOWHERE, fileno=tunnel)
    try:
        connection.set_option(ldap.OPT_TIMEOUT, OPERATION_S)
        # A referral would take our logon to a server that nobody named.
        connection.set_option(ldap.OPT_REFERRALS, ldap.OPT_OFF)
        yield connection
    finally:
        with suppress(ldap.LDAPError):
            connection.unbind_s()
