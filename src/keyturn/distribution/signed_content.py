"""A manifest as it lies at a distribution point: with its site's signature, so that a point can only withhold it.

JSON, so that a person can read it there.
"""

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from keyturn.distribution.content import MAX_MANIFEST, BadContent, canonical, read_manifest
from keyturn.model.software import Manifest

PURPOSE = b"keyturn manifest 1\n"
"""Stands before what is signed: a signature over one kind of thing is worth nothing on another."""

MAX_SIGNED = 2 * MAX_MANIFEST + 1024
"""Bytes of the file: every character of a name may be escaped."""


class SignedManifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`manifest` is the canonical form itself, as text."""

    manifest: str
    signature: bytes
    """Ed25519 over PURPOSE and the canonical form."""


def write_signed(manifest: Manifest, signature: bytes) -> bytes:
    return msgspec.json.encode(SignedManifest(canonical(manifest).decode(), signature))


def read_signed(content: bytes, verify_key: bytes | None) -> Manifest:
    """BadContent for what the site did not sign. None: its key is not known, and the digest alone tells."""
    if len(content) > MAX_SIGNED:
        raise BadContent("the manifest is too long")
    try:
        signed = msgspec.json.decode(content, type=SignedManifest)
        body = signed.manifest.encode()
        if verify_key is not None:
            Ed25519PublicKey.from_public_bytes(verify_key).verify(signed.signature, PURPOSE + body)
    except (InvalidSignature, ValueError, RecursionError):
        raise BadContent("this manifest is not signed by the site") from None
    return read_manifest(body)
