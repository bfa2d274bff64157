"""The chain of the audit log: each event carries a keyed hash over itself and the hash of the one before it.

Without the key nobody can make a hash that fits, so whatever is taken out, altered, moved or put in breaks the chain at
that place. Only the end may be cut off unseen: what is left is a chain too.
"""

import hmac
import struct

from keyturn.operations.ports import Event

_LINK = "keyturn audit log 1: link"
_ORIGIN = "keyturn audit log 1: origin"
"""What a hash is for stands in it first, so that none can be passed off as another kind."""


class Chain:
    """HMAC-SHA-256 (RFC 2104) under a key of 32 bytes that is used for nothing else."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def origin(self, store: bytes) -> bytes:
        """What the first event follows. `store` is of this store alone, so that two stores under one key cannot
        exchange their logs."""
        return self._hash(_ORIGIN, store)

    def link(self, before: bytes, event: Event) -> bytes:
        """The hash of the event as the one after `before`: 32 bytes."""
        return self._hash(_LINK, before, event.number, event.at, event.actor, event.kind, event.subject, event.detail)

    def _hash(self, *values: object) -> bytes:
        return hmac.digest(self._key, canonical_bytes(*values), "sha256")

    def __repr__(self) -> str:
        return "<chain>"


def canonical_bytes(*values: object) -> bytes:
    """The values one after the other, each with its type and its length: no two rows of values have the same bytes.

    Whatever a database can hold has a form, since an altered record may hold anything. TypeError for anything else.
    """
    return b"".join(tag + len(data).to_bytes(8, "big") + data for tag, data in map(_typed, values))


def _typed(value: object) -> tuple[bytes, bytes]:
    match value:
        case str():
            return b"s", value.encode("utf-8", "surrogatepass")
        case int():
            return b"i", str(value).encode()
        case float():
            return b"f", struct.pack(">d", value)
        case bytes():
            return b"b", value
        case None:
            return b"n", b""
        case _:
            raise TypeError(f"a {type(value).__name__} has no place in the audit log")
