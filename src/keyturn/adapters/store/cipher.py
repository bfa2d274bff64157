"""Passwords at rest: sealed by a key that is not in the database, each to the one place it was made for."""

import secrets
from dataclasses import dataclass
from enum import StrEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from keyturn.adapters.store.errors import Tampered
from keyturn.adapters.store.seal_key import SealKey
from keyturn.model.secret import Secret

_FORMAT = b"\x01"
_NONCE = 12


class Purpose(StrEnum):
    GENERATION = "generation"
    GIVEN = "given"
    """Handed in by a person with a plan, not sealed as a generation yet."""
    CANARY = "canary"
    SITE_KEYS = "site-keys"
    FROM_SITE = "from-site"
    """A password that another site gave to this one."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sealed record belongs. Moved to any other place it does not open.

    `account` is the stable key of the account's row, which survives a change of name. `plan` is empty for a password
    that came by no plan.
    """

    purpose: Purpose
    account: str = ""
    generation: int = 0
    plan: str = ""

    def associated_data(self) -> bytes:
        """The fields with their lengths, so that no two places have the same bytes."""
        fields = [text.encode() for text in (self.purpose, self.account, str(self.generation), self.plan)]
        return b"keyturn store 1" + b"".join(len(field).to_bytes(4, "big") + field for field in fields)


class Cipher:
    """AES-256-GCM with a random 96-bit nonce a record: good for 2^32 records under one key (NIST SP 800-38D, 8.3)."""

    def __init__(self, key: SealKey) -> None:
        self._aead = AESGCM(key.reveal())

    def seal(self, place: Place, secret: Secret) -> bytes:
        nonce = secrets.token_bytes(_NONCE)
        # Not every password is well-formed Unicode, and an encoding error would quote the one that is not.
        clear = secret.reveal().encode("utf-8", "surrogatepass")
        return _FORMAT + nonce + self._aead.encrypt(nonce, clear, place.associated_data())

    def open(self, place: Place, sealed: bytes, name: str) -> Secret:
        """`name` says in the error whose record it is. Raises Tampered."""
        nonce, ciphertext = sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :]
        try:
            if sealed[:1] != _FORMAT or len(nonce) != _NONCE:
                raise InvalidTag
            clear = self._aead.decrypt(nonce, ciphertext, place.associated_data())
        except InvalidTag:
            raise Tampered(
                f"the sealed record of {name} was altered, or belongs elsewhere",
                hint="restore this record from a backup, or open its envelope",
            ) from None
        return Secret(clear.decode("utf-8", "surrogatepass"))
