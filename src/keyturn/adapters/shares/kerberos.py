"""What Kerberos says to a password, before the file server has seen anything of the logon.

The ticket stays in this process's memory. Which controllers are asked, and for which Kerberos realm, is the machine's
own configuration (`krb5.conf`, the name service), as it is for everything else on it.
"""

from collections.abc import Mapping
from importlib.util import find_spec

from keyturn.model.errors import Refused
from keyturn.model.logon import Answer
from keyturn.wire.agent import NoAnswer

_ERROR_BASE = -1765328384
"""Where the numbers of RFC 4120 begin among those of MIT Kerberos."""

_ANSWERS: Mapping[int, Answer] = {
    6: Answer.UNKNOWN_ACCOUNT,  # KDC_ERR_C_PRINCIPAL_UNKNOWN
    12: Answer.RESTRICTED,  # KDC_ERR_POLICY: hours, workstations
    18: Answer.REVOKED,  # KDC_ERR_CLIENT_REVOKED
    23: Answer.PASSWORD_EXPIRED,  # KDC_ERR_KEY_EXPIRED; of one that must be changed too
    24: Answer.WRONG_PASSWORD,  # KDC_ERR_PREAUTH_FAILED
}
"""RFC 4120, 7.5.9."""


def refuse_without_libraries() -> None:
    if not (find_spec("krb5") and find_spec("gssapi")):
        raise Refused("this agent cannot log on by Kerberos", hint="pip install 'keyturn[kerberos]'")


def errors() -> tuple[type[Exception], ...]:
    """None where the libraries are missing: nobody logs on by Kerberos then."""
    if not find_spec("krb5"):
        return ()
    from krb5 import Krb5Error

    return (Krb5Error,)


def answer_of(error: Exception) -> Answer:
    """NoAnswer for everything that is no controller's word on the account."""
    number = number_of(error)
    if number in _ANSWERS:
        return _ANSWERS[number]
    raise NoAnswer(f"no controller of Kerberos answered: {str(error)[:200]}") from None


def number_of(error: Exception) -> int:
    """That of RFC 4120, or 0 for what no controller said."""
    number: int = getattr(error, "err_code", 0) - _ERROR_BASE
    return number if 0 < number < 128 else 0
