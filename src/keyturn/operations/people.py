"""People: who they are, and which of them may do what. Passwords with argon2id, tokens as hashes."""

import hashlib
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from keyturn.model.accounts import same_name
from keyturn.model.errors import KeyturnError, Refused
from keyturn.model.names import refuse_no_name
from keyturn.model.secret import Secret
from keyturn.operations.parts import Parts
from keyturn.operations.ports import Person, PersonRole

SHORTEST_PASSPHRASE = 12


class NotAllowed(KeyturnError):
    """Somebody known asks for what their roles do not cover."""


class NotKnown(KeyturnError):
    """Nobody who could be known: a wrong password, an unknown name, an expired token, told alike."""


def add(parts: Parts, person: Person, passphrase: Secret, *, by: str) -> None:
    refuse_no_name(person.name, "a person")
    if len(passphrase.reveal()) < SHORTEST_PASSPHRASE:
        raise Refused(f"a person's password has at least {SHORTEST_PASSPHRASE} characters", hint="take a sentence")
    password_hash = _hasher().hash(_bytes(passphrase))
    with parts.store.whole():
        parts.store.people.add(person, password_hash)
        parts.store.tell(by, "person-added", person.name, ", ".join(sorted(person.roles)))


def remove(parts: Parts, name: str, *, by: str) -> None:
    if same_name(name, by):
        raise Refused(f"{by} cannot remove themselves", hint="somebody else can")
    person = parts.store.people.person(name)
    with parts.store.whole():
        parts.store.people.remove(person.name)
        parts.store.tell(by, "person-removed", person.name)


def log_in(parts: Parts, name: str, passphrase: Secret) -> Secret:
    """A token for the settings' time. An unknown name costs as much time as a known one."""
    known = parts.store.people.password_hash(name)
    try:
        _hasher().verify(known or _nobody(), _bytes(passphrase))
    except VerificationError:
        known = None
    if known is None:
        _tell_refusal(parts, name)
        raise NotKnown("the name or the password is wrong")
    return issue(parts, name, parts.settings.token_s)


def issue(parts: Parts, name: str, lasts_s: float, *, by: str | None = None) -> Secret:
    """To the person themselves, who has logged in, unless it is said `by` whom it is handed out."""
    token = Secret(parts.token())
    person = parts.store.people.person(name)
    with parts.store.whole():
        parts.store.people.issue(person.name, _digest(token), parts.now() + lasts_s)
        parts.store.tell(by or person.name, "token-issued", person.name, f"for {lasts_s:.0f} s")
    return token


def bearer(parts: Parts, token: Secret) -> Person:
    person = parts.store.people.bearer(_digest(token), parts.now())
    if person is None:
        raise NotKnown("the token is unknown or has expired", hint="keyturn login")
    return person


def require(person: Person, role: PersonRole) -> None:
    if role not in person.roles:
        raise NotAllowed(f"{person.name} is no {role}", hint="ask somebody who is")


def _tell_refusal(parts: Parts, name: str) -> None:
    """An unknown name is not repeated: people type their password there by mistake."""
    known = next((p.name for p in parts.store.people.people() if same_name(p.name, name)), "")
    parts.store.tell(known or "somebody unknown", "login-refused", known)


def _bytes(passphrase: Secret) -> bytes:
    """JSON can carry half a character; a codec that refused it would raise an error that holds the whole passphrase."""
    return passphrase.reveal().encode("utf-8", "surrogatepass")


def _digest(token: Secret) -> bytes:
    return hashlib.sha256(token.reveal().encode()).digest()


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _nobody() -> str:
    return _hasher().hash("nobody has this password")
