"""crypt(5) hashes made and checked by the machine's own libcrypt, so that what it takes is what a logon takes."""

import ctypes
import ctypes.util
import hmac

from keyturn.model.errors import AuthorityError
from keyturn.model.secret import Secret

_YESCRYPT = b"$y$"
_DEFAULT_COST = 0
_CRYPT_DATA_BYTES = 32768  # sizeof (struct crypt_data), crypt.h of libxcrypt
_SETTING_BYTES = 192  # CRYPT_GENSALT_OUTPUT_SIZE


def yescrypt(secret: Secret) -> str:
    """Under a salt of the system's own chance. AuthorityError, permanent, without a libcrypt that knows yescrypt."""
    setting = ctypes.create_string_buffer(_SETTING_BYTES)
    made = _libcrypt().crypt_gensalt_rn(_YESCRYPT, ctypes.c_ulong(_DEFAULT_COST), None, 0, setting, _SETTING_BYTES)
    hashed = _crypt(secret, setting.value) if made else None
    if hashed is None:
        raise AuthorityError("this machine's libcrypt makes no yescrypt hash", permanent=True)
    return hashed.decode()


def matches(secret: Secret, hashed: str) -> bool:
    """Takes as long as a logon: some tens of milliseconds."""
    found = _crypt(secret, hashed.encode()) if hashed else None
    return found is not None and hmac.compare_digest(found, hashed.encode())


def _crypt(secret: Secret, setting: bytes) -> bytes | None:
    """None for a setting that libcrypt does not know: it answers with a token that starts with an asterisk."""
    room = ctypes.create_string_buffer(_CRYPT_DATA_BYTES)
    try:
        found: bytes | None = _libcrypt().crypt_r(secret.reveal().encode(), setting, room)
    finally:
        ctypes.memset(room, 0, _CRYPT_DATA_BYTES)  # the clear password is in it
    return found if found and not found.startswith(b"*") else None


def _libcrypt() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(ctypes.util.find_library("crypt") or "libcrypt.so.1")
    except OSError as error:
        raise AuthorityError(f"this machine has no libcrypt: {error}", permanent=True) from None
    library.crypt_r.restype = ctypes.c_char_p
    library.crypt_r.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p)
    library.crypt_gensalt_rn.restype = ctypes.c_char_p
    return library
