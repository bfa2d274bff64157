"""The key that seals every password of a store. It lives outside the database, or in somebody's head."""

import base64
import binascii
import os
import secrets
import stat
import unicodedata
from pathlib import Path
from typing import NoReturn, Self

from argon2.low_level import Type, hash_secret_raw

from keyturn.model.errors import NotFound, Refused
from keyturn.model.secret import Secret

_BYTES = 32
_LABEL = b"keyturn-seal-key-1 "


class SealKey:
    """32 bytes that are never shown. The file has one line: a label and the key in Base64."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        if len(key) != _BYTES:
            raise ValueError(f"a seal key has {_BYTES} bytes")
        self._key = key

    @classmethod
    def create(cls, path: Path) -> Self:
        """A new random key, durable in a new file that only its owner may read. Refused where a file exists."""
        key = cls(secrets.token_bytes(_BYTES))
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise Refused(f"{path} exists already: a seal key is never overwritten") from None
        try:
            with open(descriptor, "wb") as file:
                file.write(_LABEL + base64.b64encode(key.reveal()) + b"\n")
                file.flush()
                os.fsync(file.fileno())
            _sync_folder(path.parent)
        except OSError:
            path.unlink()
            raise
        return key

    @classmethod
    def load(cls, path: Path) -> Self:
        """NotFound without the file; Refused if anyone but the owner may read it, or if it holds no whole key."""
        try:
            file = path.open("rb")
        except FileNotFoundError:
            raise NotFound(f"no seal key at {path}", hint="restore it from where you keep it") from None
        with file:
            # The opened file is asked, not the path: the path may lead elsewhere a moment later.
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise Refused(f"others may read the seal key {path}", hint=f"chmod 600 {path}")
            line = file.read(len(_LABEL) + 2 * _BYTES)
        return cls(_parsed(line, path))

    @classmethod
    def from_passphrase(cls, passphrase: Secret, salt: bytes) -> Self:
        """argon2id, 64 MiB, 3 passes, 4 lanes (RFC 9106, section 4, second choice). `salt` has 16 bytes or more,
        is no secret, and must be kept: another salt is another key."""
        text = unicodedata.normalize("NFC", passphrase.reveal())
        if not text or len(salt) < 16:
            raise Refused("a seal key needs a passphrase, and a salt of at least 16 bytes")
        raw = hash_secret_raw(
            text.encode("utf-8", "surrogatepass"),
            salt,
            time_cost=3,
            memory_cost=64 * 1024,
            parallelism=4,
            hash_len=_BYTES,
            type=Type.ID,
        )
        return cls(raw)

    def reveal(self) -> bytes:
        return self._key

    def __repr__(self) -> str:
        return "<seal key>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a SealKey is never pickled")


def _parsed(line: bytes, path: Path) -> bytes:
    try:
        if not line.startswith(_LABEL):
            raise ValueError
        key = base64.b64decode(line.removeprefix(_LABEL).strip(), validate=True)
        if len(key) != _BYTES:
            raise ValueError
    except (ValueError, binascii.Error):
        raise Refused(f"{path} holds no whole seal key", hint="restore it from where you keep it") from None
    return key


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
