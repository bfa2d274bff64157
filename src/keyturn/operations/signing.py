"""What a site says to its clients under its own key, whoever carries it."""

from keyturn.operations.parts import Parts


def sign(parts: Parts, purpose: bytes, body: bytes) -> bytes:
    """Ed25519 over both: with a purpose of its own, what is signed for one thing is worth nothing for another."""
    return parts.store.site_keys().signing.sign(purpose + body)


def verify_key(parts: Parts) -> bytes:
    return parts.store.site_keys().verify_key
