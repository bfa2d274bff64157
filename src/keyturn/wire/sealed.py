"""Passwords on their way to one agent, and at rest with it: age, to the agent's own recipient.

age says nothing about what was sealed, so account and generation travel inside and are compared on opening:
a copy cannot be passed off as that of another account or as a newer generation. Who sealed it is not shown either;
that rests on the channel it came by.
"""

import pyrage

from keyturn.model.errors import KeyturnError
from keyturn.model.secret import Secret

MAX_SEALED = 64 * 1024
"""Bytes. Longer ones are refused unread."""

_FORM = "keyturn-credential/1"


class BadSealed(KeyturnError):
    """Damaged, sealed to another recipient, or not the credential it is taken for."""


def new_identity() -> Secret:
    """An age X25519 identity in its own text form, `AGE-SECRET-KEY-1…`."""
    return Secret(str(pyrage.x25519.Identity.generate()))


def recipient_of(identity: Secret) -> str:
    return str(_identity(identity).to_public())


def seal_for(recipient: str, account: str, generation: int, secret: Secret) -> bytes:
    """BadSealed for what is no recipient. `account` is `REALM\\name`, on one line."""
    try:
        to = pyrage.x25519.Recipient.from_str(recipient)
    except pyrage.RecipientError:
        raise BadSealed("this is no age recipient") from None
    if "\n" in account:
        raise BadSealed("an account's name is one line")
    return bytes(pyrage.encrypt((_heading(account, generation) + secret.reveal()).encode(), [to]))


def open_sealed(identity: Secret, account: str, generation: int, data: bytes) -> Secret:
    what = f"the sealed {account} generation {generation}"
    if len(data) > MAX_SEALED:
        raise BadSealed(f"{what} is too long")
    try:
        text = bytes(pyrage.decrypt(data, [_identity(identity)])).decode()
    except (pyrage.DecryptError, UnicodeDecodeError):
        raise BadSealed(f"{what} does not open") from None
    heading = _heading(account, generation)
    if not text.startswith(heading):
        raise BadSealed(f"{what} holds another credential")
    return Secret(text.removeprefix(heading))


def _heading(account: str, generation: int) -> str:
    return f"{_FORM}\n{account}\n{generation}\n"


def _identity(identity: Secret) -> pyrage.x25519.Identity:
    try:
        return pyrage.x25519.Identity.from_str(identity.reveal())
    except pyrage.IdentityError:
        raise BadSealed("this is no age identity") from None
