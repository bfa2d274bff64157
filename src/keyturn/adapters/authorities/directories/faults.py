"""The one place where errors of LDAP become errors of ours.

Raised outside of `except`, so that no traceback leads to the library's frames: they hold what was sent.
"""

from collections.abc import Callable
from typing import TypeVar

import ldap

from keyturn.model.errors import AuthorityError

_T = TypeVar("_T")

_MAY_PASS = (
    ldap.SERVER_DOWN,
    ldap.CONNECT_ERROR,
    ldap.TIMEOUT,
    ldap.TIMELIMIT_EXCEEDED,
    ldap.ADMINLIMIT_EXCEEDED,
    ldap.BUSY,
    ldap.UNAVAILABLE,
    ldap.OPERATIONS_ERROR,
    ldap.NO_SUCH_ATTRIBUTE,  # what was read a moment ago has been changed since
    ldap.NO_SUCH_OBJECT,  # renamed, moved or deleted between two requests: the next look will tell
    ldap.LOCAL_ERROR,
)
_LONGEST = 300


def asked(doing: str, ask: Callable[[], _T]) -> _T:
    """What `ask` says. AuthorityError with the server's own words; `doing` names account and server."""
    try:
        return ask()
    except ldap.LDAPError as error:
        said, may_pass = words(error), isinstance(error, _MAY_PASS)
    raise AuthorityError(f"{doing}: {said}", permanent=not may_pass)


def words(error: ldap.LDAPError) -> str:
    """The kind of error and what the server says of it: attributes and rules, never a value of ours."""
    told = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
    text = ": ".join(str(told[key]) for key in ("desc", "info") if told.get(key)) or type(error).__name__
    return "".join(letter for letter in text if letter.isprintable())[:_LONGEST]
