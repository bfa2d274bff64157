"""The bytes between libldap and one controller, sealed by Kerberos once a seal is set: frames of RFC 4422, 3.7.

Until then they pass as they are, so that nothing secret may be asked before. From then on nothing leaves that the
ticket's key has not encrypted, and nothing else is believed.
"""

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from gssapi import SecurityContext
from gssapi.raw.misc import GSSError

from keyturn.adapters.authorities.directories.tunnel import OPERATION_S, reached, readable
from keyturn.model.errors import AuthorityError

LARGEST = (1 << 24) - 1
"""Bytes of a sealed frame that we take: as many as its logon can announce (RFC 4752, 3.1)."""
_AT_ONCE = 1 << 16


@dataclass(frozen=True, slots=True)
class Seal:
    """`at_once`: how many bytes the server takes in one frame, before they are sealed."""

    context: SecurityContext
    at_once: int

    def frames(self, clear: bytes) -> bytes:
        parts = (clear[at : at + self.at_once] for at in range(0, len(clear), self.at_once))
        sealed = (self.context.wrap(part, True) for part in parts)
        return b"".join(len(frame.message).to_bytes(4) + frame.message for frame in sealed if _kept(frame.encrypted))

    def opened(self, frame: bytes) -> bytes:
        found = self.context.unwrap(frame)
        return bytes(found.message) if _kept(found.encrypted) else b""


class SealedWay:
    """`end` is the file number of our end, which the caller owns: closing it closes everything. AuthorityError where
    nobody listens."""

    def __init__(self, host: str, port: int) -> None:
        self._seal: Seal | None = None
        outer = _connected(host, port)
        ours, inner = socket.socketpair()
        threading.Thread(target=self._carry, args=(outer, inner), name=f"ldap-{host}", daemon=True).start()
        self.end = ours.detach()

    def set_seal(self, seal: Seal) -> None:
        """After the last answer in clear has come, and before anything else is asked."""
        self._seal = seal

    def _carry(self, outer: socket.socket, inner: socket.socket) -> None:
        """Until one side closes, or a frame is not as it must be."""
        received = bytearray()
        with outer, inner:
            try:
                while self._passed(outer, inner, received):
                    pass
            except (OSError, GSSError):
                return  # whoever waits on our end sees it closed

    def _passed(self, outer: socket.socket, inner: socket.socket, received: bytearray) -> bool:
        ready = readable(outer, inner)
        if inner in ready:
            sent = inner.recv(_AT_ONCE)
            outer.sendall(self._seal.frames(sent) if self._seal else sent)
            return bool(sent)
        arrived = outer.recv(_AT_ONCE)
        if self._seal is None:
            inner.sendall(arrived)
            return bool(arrived)
        received += arrived
        for frame in _whole(received):
            inner.sendall(self._seal.opened(frame))
        return bool(arrived)


def _whole(received: bytearray) -> Iterator[bytes]:
    """Those that have come in full, taken out of `received`."""
    while len(received) >= 4:
        end = 4 + int.from_bytes(received[:4])
        if end > 4 + LARGEST:
            raise OSError("a frame that is too long")
        if len(received) < end:
            return
        frame = bytes(received[4:end])
        del received[:end]
        yield frame


def _kept(encrypted: bool) -> bool:
    if not encrypted:
        raise OSError("a frame that is not encrypted")
    return True


def _connected(host: str, port: int) -> socket.socket:
    try:
        connection = reached(host, port)
        connection.settimeout(OPERATION_S)
        return connection
    except OSError as error:
        fault = str(error)
    raise AuthorityError(f"connecting to {host}:{port}: {fault}", permanent=False)
