"""A site's own two keys: one that signs what it sends, one to which others seal what is meant for it."""

from dataclasses import dataclass

import pyrage
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from keyturn.model.secret import Secret


@dataclass(frozen=True, slots=True)
class SiteKeys:
    """`identity` is an age X25519 identity in its own text form."""

    signing: Ed25519PrivateKey
    identity: Secret

    @property
    def verify_key(self) -> bytes:
        return self.signing.public_key().public_bytes_raw()

    @property
    def recipient(self) -> str:
        return str(pyrage.x25519.Identity.from_str(self.identity.reveal()).to_public())

    def text(self) -> Secret:
        """For a place where secrets are kept."""
        return Secret(f"{self.signing.private_bytes_raw().hex()} {self.identity.reveal()}")

    @classmethod
    def from_text(cls, text: Secret) -> "SiteKeys":
        signing, _, identity = text.reveal().partition(" ")
        return cls(Ed25519PrivateKey.from_private_bytes(bytes.fromhex(signing)), Secret(identity))


def new_keys() -> SiteKeys:
    return SiteKeys(Ed25519PrivateKey.generate(), Secret(str(pyrage.x25519.Identity.generate())))
