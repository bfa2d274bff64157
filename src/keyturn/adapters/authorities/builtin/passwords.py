"""Passwords as the realm keeps them: keyed digests, newest first, and what it refuses to take.

The digest is fast: generated passwords need no slow one, and an access point checks one at every poll. The key lies
in the realm's own file, so whoever has that file can try guesses at full speed: weak passwords are not safe in it.
"""

import hmac
from collections.abc import Sequence

from keyturn.adapters.authorities.builtin.units import Entry, Passwords
from keyturn.model.accounts import canonical
from keyturn.model.policy import RealmPolicy
from keyturn.model.secret import Secret

SALT_BYTES = 16
_NOBODYS = (Entry(0, bytes(SALT_BYTES), bytes(32)),) * 24
"""No password has this digest. They pad every check to the same number of digests: an unknown account, one with a
short history and one with the default history of 24 cost the same."""


def changed(old: Passwords, secret: Secret, policy: RealmPolicy, now: float, *, key: bytes, salt: bytes) -> Passwords:
    """The history keeps what the policy says now. Setting the same password again moves the others down all the
    same, as measured: the previous one becomes the one before the previous."""
    version = old.version + 1
    entry = Entry(version, salt, _digest(key, salt, _bytes(secret)))
    return Passwords(version, now, (entry, *old.entries)[: max(1, policy.history)])


def behind(secret: Secret, entries: Sequence[Entry], key: bytes) -> int | None:
    """How old the presented password is: 0 the current one, 1 the one before it; None: not in the history."""
    presented = _bytes(secret)
    found = None
    for number, entry in enumerate((*entries, *_NOBODYS[len(entries) :])):
        same = hmac.compare_digest(_digest(key, entry.salt, presented), entry.digest)
        if same and found is None:
            found = number
    return found


def objection(secret: Secret, name: str, policy: RealmPolicy) -> str | None:
    """Why the realm does not take this password for that account, or None.

    Complexity is Windows's: three of four classes of characters, and without the account's name (unless that is
    shorter than three characters).
    """
    text = secret.reveal()
    if len(text) < policy.min_length:
        return f"shorter than {policy.min_length} characters"
    if not policy.complexity:
        return None
    if len({_class(character) for character in text}) < 3:
        return "not of three classes of characters (upper case, lower case, digits, others)"
    if len(name) >= 3 and canonical(name) in canonical(text):
        return "it contains the account's name"
    return None


def _class(character: str) -> str:
    if character.isupper():
        return "upper case"
    if character.islower():
        return "lower case"
    return "digit" if character.isdigit() else "other"


def _digest(key: bytes, salt: bytes, presented: bytes) -> bytes:
    return hmac.digest(key, salt + presented, "sha256")


def _bytes(secret: Secret) -> bytes:
    # A lone surrogate passes, because the error that it would raise otherwise carries the password.
    return secret.reveal().encode("utf-8", "surrogatepass")
