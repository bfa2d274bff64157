"""People: who they are, and which of them may do what. Passwords with argon2id, tokens as hashes."""

import hashlib
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from keyturn.model.errors import KeyturnError, Refused
from keyturn.model.secret import Secret
from keyturn.operations.parts import Parts
from keyturn.operations.ports import Person, PersonRole

SHORTEST_PASSPHRASE = 12


class NotAllowed(KeyturnError):
    """Somebody known asks for what their roles do not cover."""


class NotKnown(KeyturnError):
    """Nobody who could be known: a wrong password, an unknown name, an expired token, told alike."""


def add(parts: Parts, person: Person, passphrase: Secret, *, by: str) -> None:
    if len(passphrase.reveal()) < SHORTEST_PASSPHRASE:
        raise Refused(f"a person's password has at least {SHORTEST_PASSPHRASE} characters", hint="take a sentence")
    parts.store.people.add(person, _hasher().hash(passphrase.reveal()))
    parts.store.tell(by, "person-added", person.name, ", ".join(sorted(person.roles)))


def remove(parts: Parts, name: str, *, by: str) -> None:
    if name == by:
        raise Refused(f"{name} cannot remove themselves", hint="somebody else can")
    parts.store.people.remove(name)
    parts.store.tell(by, "person-removed", name)


def log_in(parts: Parts, name: str, passphrase: Secret) -> Secret:
    """A token for the settings' time. An unknown name costs as much time as a known one."""
    known = parts.store.people.password_hash(name)
    try:
        _hasher().verify(known or _nobody(), passphrase.reveal())
    except VerificationError:
        known = None
    if known is None:
        raise NotKnown("the name or the password is wrong")
    return issue(parts, name, parts.settings.token_s)


def issue(parts: Parts, name: str, lasts_s: float) -> Secret:
    token = Secret(parts.token())
    parts.store.people.issue(name, _digest(token), parts.now() + lasts_s)
    return token


def bearer(parts: Parts, token: Secret) -> Person:
    person = parts.store.people.bearer(_digest(token), parts.now())
    if person is None:
        raise NotKnown("the token is unknown or has expired", hint="keyturn login")
    return person


def require(person: Person, role: PersonRole) -> None:
    if role not in person.roles:
        raise NotAllowed(f"{person.name} is no {role}", hint="ask somebody who is")


def _digest(token: Secret) -> bytes:
    return hashlib.sha256(token.reveal().encode()).digest()


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _nobody() -> str:
    return _hasher().hash("nobody has this password")
