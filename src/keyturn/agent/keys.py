"""The agent's two keys: one to sign its requests, one to which its passwords are sealed."""

from dataclasses import dataclass
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from keyturn.agent.records import Damaged
from keyturn.model.secret import Secret
from keyturn.wire.sealed import BadSealed, new_identity, recipient_of


@dataclass(frozen=True, slots=True)
class Keys:
    signing: Ed25519PrivateKey
    identity: Secret

    @property
    def verify_key(self) -> bytes:
        """The raw public key, 32 bytes."""
        return self.signing.public_key().public_bytes_raw()

    @property
    def recipient(self) -> str:
        return recipient_of(self.identity)


def new_keys() -> Keys:
    return Keys(Ed25519PrivateKey.generate(), new_identity())


def to_file(keys: Keys) -> bytes:
    """For a file that only its owner can read."""
    return msgspec.json.encode(_Form(keys.signing.private_bytes_raw(), keys.identity.reveal()))


def from_file(data: bytes) -> Keys:
    try:
        form = msgspec.json.decode(data, type=_Form)
        recipient_of(Secret(form.age))
        return Keys(Ed25519PrivateKey.from_private_bytes(form.ed25519), Secret(form.age))
    except (ValueError, RecursionError, BadSealed):
        raise Damaged("the agent's keys are damaged", "keyturn agent enrol, with a new token") from None


class _Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    ed25519: bytes
    age: str

    def __repr__(self) -> str:
        return "<keys>"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """msgspec makes one of its own, which shows every field."""
        return []
