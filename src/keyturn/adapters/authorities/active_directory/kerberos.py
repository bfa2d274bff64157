"""A ticket for a password, from one controller. The password does not leave this process; neither it nor the ticket
touches a disk."""

import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import TypeVar

from keyturn.adapters.authorities.active_directory import libkrb5
from keyturn.adapters.authorities.directories.tunnel import CONNECT_S, OPERATION_S
from keyturn.model.accounts import RealmName
from keyturn.model.errors import AuthorityError, Refused
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret

_T = TypeVar("_T")

KERBEROS = 88
_LARGEST = 1 << 20
"""Bytes of an answer that are waited for."""

_UNKNOWN, _REVOKED, _KEY_EXPIRED, _WRONG = 6, 18, 23, 24
_ANSWERS = {_UNKNOWN: Answer.UNKNOWN_ACCOUNT, _WRONG: Answer.WRONG_PASSWORD}
"""RFC 4120, 7.5.9."""
_BARRED = (_REVOKED, _KEY_EXPIRED)
"""Locked, disabled or expired; password expired or to be changed."""
_NO_SUCH_SERVICE, _SKEW = 7, 37
_WAYS_OUT = {
    _NO_SUCH_SERVICE: "name the controller in the realm's replicas as its domain does: dc1.corp.example",
    _SKEW: "set this machine's clock by the domain's",
}


@dataclass(frozen=True, slots=True)
class Barred:
    """Kerberos will not have the account, and does not say why."""

    words: str


def refuse_without_kerberos(realm: RealmName, *, sealed: bool) -> None:
    """Before anything is set that could then not be proven; before anything is said that would not be `sealed`."""
    if not libkrb5.is_installed():
        raise Refused(f"realm {realm}: libkrb5 is not installed here", hint="apt-get install libkrb5-3")
    if sealed and not find_spec("gssapi"):
        raise Refused(f"realm {realm}: gssapi is not installed here", hint="pip install 'keyturn[directory,kerberos]'")


def ask_for_ticket(host: str, name: str, realm: str, secret: Secret, port: int = KERBEROS) -> Answer | Barred:
    doing = _doing(host, name, realm, secret)
    refusal = _tried(doing, lambda: libkrb5.refusal(name, realm, secret, partial(_carry, host, port)))
    return Answer.ACCEPTED if refusal is None else _answer(doing, refusal)


@contextmanager
def ticket_for_ldap(host: str, name: str, realm: str, secret: Secret) -> Iterator[str | Answer | Barred]:
    """The name of a cache that holds a ticket for LDAP on this controller, as long as this lasts; else why there is
    none."""
    doing = _doing(host, name, realm, secret)
    asking = libkrb5.service_ticket(name, realm, secret, ("ldap", host), partial(_carry, host, KERBEROS))
    with ExitStack() as stack:
        found = _tried(doing, lambda: stack.enter_context(asking))
        yield found if isinstance(found, str) else _answer(doing, found)


def reason(doing: str, barred: Barred, ask_by_ldap: Callable[[], Answer]) -> Answer:
    """A bind tells it, and spends nothing where the password is right."""
    answer = ask_by_ldap()
    if answer is Answer.ACCEPTED:
        raise AuthorityError(f"{doing} has no clear answer: Kerberos says {barred.words}, LDAP yes", permanent=False)
    return answer


def realm_of(base: str) -> str:
    """As Kerberos calls the domain with this distinguished name."""
    return base.upper().removeprefix("DC=").replace(",DC=", ".")


def _doing(host: str, name: str, realm: str, secret: Secret) -> str:
    doing = f"a Kerberos logon of {name}@{realm} to {host}"
    if "\0" in secret.reveal():
        raise AuthorityError(f"{doing}: Kerberos takes no password with the character NUL", permanent=True)
    return doing


def _tried(doing: str, ask: Callable[[], _T]) -> _T:
    """Raises outside of `except`, so that no traceback leads to what was sent."""
    try:
        return ask()
    except OSError as error:
        fault = str(error)
    raise AuthorityError(f"{doing}: {fault}", permanent=False, hint=f"Kerberos is asked on port {KERBEROS}, over TCP")


def _answer(doing: str, refusal: libkrb5.Refusal) -> Answer | Barred:
    if refusal.number in _ANSWERS:
        return _ANSWERS[refusal.number]
    if refusal.number in _BARRED:
        return Barred(refusal.words)
    hint, misnamed = _WAYS_OUT.get(refusal.number, ""), refusal.number == _NO_SUCH_SERVICE
    raise AuthorityError(f"{doing}: {refusal.words}", permanent=misnamed, hint=hint)


def _carry(host: str, port: int, request: bytes) -> bytes:
    """Over TCP (RFC 4120, 7.2.2) and to this controller alone, so that one wrong password is one bad attempt, on the
    controller that was meant."""
    with socket.create_connection((host, port), timeout=CONNECT_S) as connection:
        connection.settimeout(OPERATION_S)
        connection.sendall(struct.pack(">I", len(request)) + request)
        with connection.makefile("rb") as answers:
            [length] = struct.unpack(">I", _exactly(answers.read(4), 4))
            if not 0 < length <= _LARGEST:
                raise OSError(f"an answer of {length} bytes")
            return _exactly(answers.read(length), length)


def _exactly(read: bytes, length: int) -> bytes:
    if len(read) < length:
        raise OSError("it ended in the middle of its answer")
    return read
