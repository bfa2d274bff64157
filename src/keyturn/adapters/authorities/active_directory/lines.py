"""A connection to one controller by either way: proven and encrypted by TLS, or by Kerberos."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from ldap.ldapobject import SimpleLDAPObject

from keyturn.adapters.authorities.active_directory.answers import bind_answer
from keyturn.adapters.authorities.active_directory.domain import Domain
from keyturn.adapters.authorities.directories.channel import through
from keyturn.adapters.authorities.directories.tunnel import dug
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret


class Line(Protocol):
    """Each logon spends one bad attempt where the password is wrong, and shows it to nobody on the way."""

    @property
    def connection(self) -> SimpleLDAPObject: ...

    def log_on(self, doing: str, name: str, secret: Secret) -> Answer:
        """As whom everything that follows is asked."""

    def try_password(self, doing: str, name: str, secret: Secret) -> Answer:
        """Nothing follows on this line."""


@contextmanager
def line_to(domain: Domain, host: str) -> Iterator[Line]:
    """Nobody is logged on yet."""
    if domain.certificate_authority is not None:
        with through(dug(host, domain.port, domain.certificate_authority)) as connection:
            yield _ByTls(connection, domain)
        return
    from keyturn.adapters.authorities.active_directory.sealed_line import sealed_line  # needs an extra of its own

    with sealed_line(domain, host) as line:
        yield line


@dataclass(frozen=True, slots=True)
class _ByTls:
    connection: SimpleLDAPObject
    _domain: Domain

    def log_on(self, doing: str, name: str, secret: Secret) -> Answer:
        written = self._domain.written(name)
        return bind_answer(doing, lambda: self.connection.simple_bind_s(written, secret.reveal()))

    def try_password(self, doing: str, name: str, secret: Secret) -> Answer:
        return self.log_on(doing, name, secret)
