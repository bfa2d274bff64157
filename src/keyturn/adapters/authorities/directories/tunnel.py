"""TLS to one server, proven and timed here instead of by libldap.

libldap over GnuTLS waits without end, at full load, for a server that accepts a connection and then says nothing; and
how it is told its authority differs by what it was built with. So it speaks through a pair of sockets inside this
process, and this module carries the bytes. A server that the realm's authority has not signed for its name hears
nothing of us.
"""

import socket
import ssl
import threading
from pathlib import Path
from select import POLLIN, poll

from keyturn.model.errors import AuthorityError

CONNECT_S = 5
"""For the connection, and once more for the handshake."""
OPERATION_S = 10
_AT_ONCE = 1 << 16


def dug(host: str, port: int, certificate_authority: Path) -> int:
    """The file number of our end, which the caller owns. Closing it closes everything."""
    outer = _proven(host, port, certificate_authority)
    ours, inner = socket.socketpair()
    threading.Thread(target=_carry, args=(outer, inner), name=f"ldaps-{host}", daemon=True).start()
    return ours.detach()


def reached(host: str, port: int) -> socket.socket:
    """Nothing is said yet. OSError where nobody listens."""
    connection = socket.create_connection((host, port), timeout=CONNECT_S)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # a request waits for no other
    return connection


def readable(*ends: socket.socket) -> set[socket.socket]:
    """Those that have something, as soon as one has. select(2) would end at the process's 1,024th open file."""
    waiting = poll()
    for end in ends:
        waiting.register(end, POLLIN)
    found = {number for number, _ in waiting.poll()}
    return {end for end in ends if end.fileno() in found}


def _proven(host: str, port: int, certificate_authority: Path) -> ssl.SSLSocket:
    fault, permanent = "", False
    try:
        trusted = ssl.create_default_context(cafile=str(certificate_authority))
        plain = reached(host, port)
        try:
            return trusted.wrap_socket(plain, server_hostname=host)
        except BaseException:
            plain.close()
            raise
    except ssl.SSLCertVerificationError as error:
        fault, permanent = f"its certificate is not good: {error.verify_message}", True
    except FileNotFoundError:
        fault, permanent = f"no file {certificate_authority}", True
    except OSError as error:
        fault = str(error)
    raise AuthorityError(f"connecting to {host}:{port}: {fault}", permanent=permanent)


def _carry(outer: ssl.SSLSocket, inner: socket.socket) -> None:
    """Until one side closes. One thread for both ways: a TLS connection is no two threads' business."""
    with outer, inner:
        try:
            while _passed(outer, inner):
                pass
        except OSError:
            return  # whoever waits on our end sees it closed


def _passed(outer: ssl.SSLSocket, inner: socket.socket) -> bool:
    ready = {outer} if outer.pending() else readable(outer, inner)
    if inner in ready:
        sent = inner.recv(_AT_ONCE)
        outer.settimeout(OPERATION_S)
        outer.sendall(sent)
        return bool(sent)
    outer.settimeout(0)
    try:
        received = outer.recv(_AT_ONCE)
    except ssl.SSLWantReadError:
        return True  # a record of TLS itself
    inner.sendall(received)
    return bool(received)
