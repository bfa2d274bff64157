"""The message that asks to be let in (MS-TDS 2.2.6.4)."""

import struct

from keyturn.adapters.authorities.reaching import Login

_TDS_7_4 = 0x74000004
_PACKET = 4096
_DATABASE_OR_NOTHING, _ODBC = 0xE0, 0x02
"""A database that cannot be entered ends the logon; settings are those of ODBC, quoted identifiers among them."""
_ENGLISH = 0x409
_FIXED = struct.Struct("<IIIIIIBBBBiI")
_PLACE = struct.Struct("<HH")
_STATION = 6
_MOST = 128
"""Characters of each field."""


def request(login: Login, *, database: str, server: str) -> bytes:
    """ValueError for a name or a password of more characters than the message has room for."""
    fields = ("", login.name, login.secret.reveal(), "keyturn", server[:_MOST], "", "keyturn", "", database)
    values = [_utf16(field) for field in fields]
    values[2] = disguised(values[2])
    start = _FIXED.size + _PLACE.size * (len(values) + 3) + _STATION + 4
    places, body = bytearray(), bytearray()
    for value in values:
        places += _PLACE.pack(start + len(body), len(value) // 2)
        body += value
    nothing = _PLACE.pack(start + len(body), 0)
    rest = bytes(places) + bytes(_STATION) + nothing * 3 + bytes(4)  # no SSPI, no file to attach, no new password
    length = _FIXED.size + len(rest) + len(body)
    fixed = _FIXED.pack(length, _TDS_7_4, _PACKET, 0, 0, 0, _DATABASE_OR_NOTHING, _ODBC, 0, 0, 0, _ENGLISH)
    return fixed + rest + bytes(body)


def disguised(password: bytes) -> bytes:
    """Halves of each byte swapped, then 0xA5 over it: no protection, the format's own."""
    return bytes((byte << 4 & 0xF0 | byte >> 4) ^ 0xA5 for byte in password)


def _utf16(text: str) -> bytes:
    encoded = text.encode("utf-16-le")
    if len(encoded) > 2 * _MOST:
        raise ValueError(f"of a name or a password, TDS takes {_MOST} characters")
    return encoded
