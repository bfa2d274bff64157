"""A connection without certificates: Kerberos proves the controller and encrypts all that follows."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ldap.ldapobject import SimpleLDAPObject

from keyturn.adapters.authorities.active_directory.domain import Domain
from keyturn.adapters.authorities.active_directory.kerberos import Barred, realm_of, reason, ticket_for_ldap
from keyturn.adapters.authorities.active_directory.ntlm import bind
from keyturn.adapters.authorities.active_directory.sealed_logon import seal
from keyturn.adapters.authorities.active_directory.sealed_way import SealedWay
from keyturn.adapters.authorities.active_directory.session import base_of
from keyturn.adapters.authorities.directories.channel import through
from keyturn.model.errors import Refused
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret


@contextmanager
def sealed_line(domain: Domain, host: str) -> Iterator["SealedLine"]:
    way = SealedWay(host, domain.port)
    with through(way.end) as connection:
        yield SealedLine(connection, domain, host, way)


@dataclass(frozen=True, slots=True)
class SealedLine:
    connection: SimpleLDAPObject
    _domain: Domain
    _host: str
    _way: SealedWay

    def log_on(self, doing: str, name: str, secret: Secret) -> Answer:
        """What is read before, in clear, says only in which realm of Kerberos to ask: whoever forges it has no ticket
        to prove himself by."""
        realm = realm_of(base_of(self.connection, self._host))
        account = _account(name, realm)
        with ticket_for_ldap(self._host, account, realm, secret) as said:
            if isinstance(said, Barred):
                return reason(doing, said, lambda: self.try_password(doing, account, secret))
            if isinstance(said, Answer):
                return said
            self._way.set_seal(seal(doing, self.connection, f"ldap/{self._host}@{realm}", said))
        return Answer.ACCEPTED

    def try_password(self, doing: str, name: str, secret: Secret) -> Answer:
        """By NTLM, since a simple bind would show the password; the directory checks it by the same rules. Unlike a
        ticket, its answer proves no controller: nothing is taken for proven by it (`execution.PROOF`)."""
        return bind(doing, self.connection, self._domain.logon_name(name), secret)


def _account(name: str, realm: str) -> str:
    """`DOMAIN\\name` and `name@domain` are taken for `name`."""
    account, _, domain = name.rpartition("\\")[2].partition("@")
    if "=" in account or domain.casefold() not in ("", realm.casefold()):
        raise Refused(
            f"Keyturn cannot log on to {realm} by Kerberos as {name}",
            hint="write bind_account as its sAMAccountName: svc-keyturn",
        )
    return account
