"""One logon on one controller, by the protocol that is asked for."""

from dataclasses import dataclass

from keyturn.adapters.authorities.active_directory.domain import Domain
from keyturn.adapters.authorities.active_directory.kerberos import ask_for_ticket, realm_of, reason
from keyturn.adapters.authorities.active_directory.lines import line_to
from keyturn.adapters.authorities.active_directory.ntlm import set_up_session
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
    with line_to(attempt.domain, attempt.host) as line:
        return line.try_password(str(attempt), attempt.name, attempt.secret)


def _by_ntlm(attempt: Attempt) -> Answer:
    return set_up_session(str(attempt), attempt.host, attempt.domain.logon_name(attempt.name), attempt.secret)


def _by_kerberos(attempt: Attempt) -> Answer:
    said = ask_for_ticket(attempt.host, attempt.name, realm_of(attempt.base), attempt.secret)
    return said if isinstance(said, Answer) else reason(str(attempt), said, lambda: _by_ldap(attempt))
