"""A ticket for a password, from one controller. The password does not leave this process; neither it nor the ticket
touches a disk."""

import socket
import struct
from dataclasses import dataclass
from functools import partial

from keyturn.adapters.authorities.active_directory import libkrb5
from keyturn.adapters.authorities.directories.tunnel import CONNECT_S, OPERATION_S
from keyturn.model.accounts import RealmName
from keyturn.model.errors import AuthorityError, Refused
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret

KERBEROS = 88
_LARGEST = 1 << 20
"""Bytes of an answer that are waited for."""

_UNKNOWN, _REVOKED, _KEY_EXPIRED, _WRONG = 6, 18, 23, 24
_ANSWERS = {_UNKNOWN: Answer.UNKNOWN_ACCOUNT, _WRONG: Answer.WRONG_PASSWORD}
"""RFC 4120, 7.5.9."""
_BARRED = (_REVOKED, _KEY_EXPIRED)
"""Locked, disabled or expired; password expired or to be changed."""


@dataclass(frozen=True, slots=True)
class Barred:
    """Kerberos will not have the account, and does not say why."""

    words: str


def refuse_without_kerberos(realm: RealmName) -> None:
    """Before anything is set that could then not be proven."""
    if not libkrb5.is_installed():
        raise Refused(f"realm {realm}: libkrb5 is not installed here", hint="apt-get install libkrb5-3")


def ask_for_ticket(host: str, name: str, realm: str, secret: Secret, port: int = KERBEROS) -> Answer | Barred:
    doing = f"a Kerberos logon of {name}@{realm} to {host}"
    if "\0" in secret.reveal():
        raise AuthorityError(f"{doing}: Kerberos takes no password with the character NUL", permanent=True)
    refusal, fault = None, ""
    try:
        refusal = libkrb5.refusal(name, realm, secret, partial(_carry, host, port))
    except OSError as error:
        fault = str(error)
    if fault:  # outside of `except`, so that no traceback leads to what was sent
        raise AuthorityError(f"{doing}: {fault}", permanent=False)
    if refusal is None:
        return Answer.ACCEPTED
    if refusal.number in _ANSWERS:
        return _ANSWERS[refusal.number]
    if refusal.number in _BARRED:
        return Barred(refusal.words)
    raise AuthorityError(f"{doing}: {refusal.words}", permanent=False)


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
