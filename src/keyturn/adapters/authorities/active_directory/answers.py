"""What a controller says to a logon, read from the sub-code of its refusal."""

import re
from collections.abc import Callable

import ldap

from keyturn.adapters.authorities.directories.faults import asked, words
from keyturn.model.errors import AuthorityError
from keyturn.model.logon import Answer

_SUB_CODE = re.compile(r"\bdata ([0-9a-f]+)\b", re.IGNORECASE)

SUB_CODES = {
    "525": Answer.UNKNOWN_ACCOUNT,
    "52e": Answer.WRONG_PASSWORD,
    "532": Answer.PASSWORD_EXPIRED,
    "533": Answer.DISABLED,
    "701": Answer.ACCOUNT_EXPIRED,
    "773": Answer.MUST_CHANGE,
    "775": Answer.LOCKED,
}
"""The Win32 error in `AcceptSecurityContext error, data …` (KB 4012650 lists them for LDAP)."""


def bind_answer(doing: str, bind: Callable[[], object]) -> Answer:
    """AuthorityError for a refusal that says nothing about the password: logon hours, a workstation, no answer."""
    said = asked(doing, lambda: _refusal(bind))
    if said is None:
        return Answer.ACCEPTED
    found = _SUB_CODE.search(said)
    answer = SUB_CODES.get(found.group(1).lower()) if found else None
    if answer is None:
        raise AuthorityError(f"{doing}: {said}", permanent=True)
    return answer


def _refusal(bind: Callable[[], object]) -> str | None:
    try:
        bind()
    except ldap.INVALID_CREDENTIALS as error:
        return words(error)
    return None
