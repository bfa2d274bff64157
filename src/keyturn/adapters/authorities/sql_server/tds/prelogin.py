"""What is agreed before the logon: that the whole connection is encrypted (MS-TDS 2.2.6.5)."""

import struct

from keyturn.adapters.authorities.sql_server.tds.channel import Malformed

_VERSION, _ENCRYPTION, _END = 0x00, 0x01, 0xFF
_ON, _REQUIRED = 0x01, 0x03
_OPTION = struct.Struct("!BHH")  # which, where from the start, how long


def offer() -> bytes:
    """Our version, which nobody heeds, and encryption of everything."""
    options = ((_VERSION, bytes(6)), (_ENCRYPTION, bytes((_ON,))))
    head, values = bytearray(), bytearray()
    start = len(options) * _OPTION.size + 1
    for which, value in options:
        head += _OPTION.pack(which, start + len(values), len(value))
        values += value
    return bytes(head) + bytes((_END,)) + bytes(values)


def encrypts(answer: bytes) -> bool:
    """Whether the server agrees; one that would encrypt the logon alone, or nothing, does not."""
    at = 0
    while at + _OPTION.size <= len(answer) and answer[at] != _END:
        which, start, length = _OPTION.unpack_from(answer, at)
        if which == _ENCRYPTION:
            if length != 1 or start >= len(answer):
                raise Malformed("the server's word on encryption cannot be read")
            return answer[start] in (_ON, _REQUIRED)
        at += _OPTION.size
    return False
