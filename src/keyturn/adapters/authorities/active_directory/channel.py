"""A connection to one controller: LDAPS, proven by the realm's certificate authority, each wait with an end."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import ldap
from ldap.ldapobject import SimpleLDAPObject

from keyturn.adapters.authorities.active_directory.domain import Domain
from keyturn.adapters.authorities.active_directory.faults import asked
from keyturn.adapters.authorities.active_directory.tunnel import OPERATION_S, dug

_NOWHERE = "ldapi://%2Fnonexistent%2Fkeyturn"
"""What libldap would connect to by itself, should the tunnel break: nothing, and never in clear."""


@contextmanager
def connected(domain: Domain, host: str) -> Iterator[SimpleLDAPObject]:
    """Nobody is logged on yet."""
    connection = SimpleLDAPObject(_NOWHERE, fileno=dug(domain, host))
    try:
        connection.set_option(ldap.OPT_TIMEOUT, OPERATION_S)
        # A referral would take our logon to a controller that nobody named.
        connection.set_option(ldap.OPT_REFERRALS, ldap.OPT_OFF)
        yield connection
    finally:
        with suppress(ldap.LDAPError):
            connection.unbind_s()


def base_of(connection: SimpleLDAPObject, host: str) -> str:
    """The distinguished name of the domain, which a controller tells everybody."""
    found = asked(
        f"connecting to {host}", lambda: connection.search_s("", ldap.SCOPE_BASE, attrlist=["defaultNamingContext"])
    )
    return str(found[0][1]["defaultNamingContext"][0], "utf-8")
