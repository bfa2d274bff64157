"""What a site says to its clients under its own key, whoever carries it."""

from collections.abc import Callable
from typing import TypeAlias

from keyturn.operations.parts import Parts

Sign: TypeAlias = Callable[[bytes, bytes], bytes]
"""A purpose and a body. Ed25519 over both: with a purpose of its own, what is signed for one thing is worth nothing for
another."""


def signer(parts: Parts) -> Sign:
    """For one thing or for many: the site's key is read once."""
    key = parts.store.site_keys().signing
    return lambda purpose, body: key.sign(purpose + body)


def verify_key(parts: Parts) -> bytes:
    return parts.store.site_keys().verify_key
