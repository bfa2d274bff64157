"""One logon on one controller, by the protocol that is asked for."""

from dataclasses import dataclass

from keyturn.adapters.authorities.active_directory.answers import bind_answer
from keyturn.adapters.authorities.active_directory.domain import Domain
from keyturn.adapters.authorities.active_directory.kerberos import ask_for_ticket
from keyturn.adapters.authorities.active_directory.ntlm import set_up_session
from keyturn.adapters.authorities.directories.channel import connected
from keyturn.model.errors import AuthorityError
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.secret import Secret


@dataclass(frozen=True, slots=True)
class Attempt:
    """`name` as the controller has it now; `base` the distinguished name of its domain."""

    domain: Domain
    host: str
    base: str
    name: str
    secret: Secret

    def __str__(self) -> str:
        return f"a logon of {self.name} to {self.host}"


def log_on(attempt: Attempt, protocol: LogonProtocol) -> Answer:
    if not attempt.secret.reveal():
        return Answer.WRONG_PASSWORD  # a bind without a password would be nobody's, and succeed
    match protocol:
        case LogonProtocol.LDAP:
            return _by_ldap(attempt)
        case LogonProtocol.NTLM:
            return _by_ntlm(attempt)
        case LogonProtocol.KERBEROS:
            return _by_kerberos(attempt)


def _by_ldap(attempt: Attempt) -> Answer:
    name = attempt.domain.logon_name(attempt.name)
    with connected(attempt.domain, attempt.host) as connection:
        return bind_answer(str(attempt), lambda: connection.simple_bind_s(name, attempt.secret.reveal()))


def _by_ntlm(attempt: Attempt) -> Answer:
    return set_up_session(str(attempt), attempt.host, attempt.domain.logon_name(attempt.name), attempt.secret)


def _by_kerberos(attempt: Attempt) -> Answer:
    """A ticket is refused without the reason why an account is barred. A bind tells it, and spends nothing where the
    password is right."""
    said = ask_for_ticket(attempt.host, attempt.name, _kerberos_realm(attempt.base), attempt.secret)
    if isinstance(said, Answer):
        return said
    answer = _by_ldap(attempt)
    if answer is Answer.ACCEPTED:
        raise AuthorityError(f"{attempt} has no clear answer: Kerberos says {said.words}, LDAP yes", permanent=False)
    return answer


def _kerberos_realm(base: str) -> str:
    return base.upper().removeprefix("DC=").replace(",DC=", ".")
