"""A real realm as the access point asks it: a client's logon is passed on, as a file server passes it to its domain."""

from keyturn.lifecycle.execution import PROOF
from keyturn.lifecycle.ports import Authority
from keyturn.model.errors import NotFound
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.secret import Secret
from keyturn.operations.access import Logon


class PassThrough:
    """Whatever protocol the machine speaks, its password is tried by the one that takes no earlier password, so that
    what is accepted is current. The attempt is the machine's own, as on any share: it is in nobody's budget."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority

    def logon(
        self, name: str, secret: Secret, *, protocol: LogonProtocol, replica: str | None = None, source: str
    ) -> Logon:
        account = self._authority.find(name)
        if account is None:
            return Logon(Answer.UNKNOWN_ACCOUNT)
        try:
            answer = self._authority.try_logon(account, secret, protocol=PROOF, replica=replica)
        except NotFound:
            return Logon(Answer.UNKNOWN_ACCOUNT)
        return Logon(answer, current=answer is Answer.ACCEPTED)
