"""A password as statements have it: hashed here, so that no trace of the server's can hold a clear one."""

import hashlib
import secrets

from keyturn.model.accounts import AnyAccount
from keyturn.model.errors import AuthorityError
from keyturn.model.secret import Secret

_SHA_512 = b"\x02\x00"
_SALT = 4
_MOST = 128


def hashed(account: AnyAccount, secret: Secret) -> str:
    """What the server itself would store since 2012: a version, a new salt, SHA-512 of the password and the salt."""
    clear = secret.reveal()
    if not fit(clear):
        raise AuthorityError(
            f"{account.realm} does not take this password for {account.name}: it is empty, longer than {_MOST} "
            "characters, or has a control character",
            permanent=True,
        )
    return literal(clear, secrets.token_bytes(_SALT))


def literal(clear: str, salt: bytes) -> str:
    return "0x" + (_SHA_512 + salt + hashlib.sha512(clear.encode("utf-16-le") + salt).digest()).hex().upper()


def fit(clear: str) -> bool:
    """Whether every client sends this password alike."""
    return bool(clear) and clear.isprintable() and len(clear.encode("utf-16-le")) <= 2 * _MOST
