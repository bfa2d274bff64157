"""TLS to a server, made by Python and not by libldap: libldap's own handshake waits for ever for a server that accepts
the connection and then says nothing.

libldap gets one end of a pair of sockets inside this process, and a thread carries bytes between the other end and the
server. TLS from the first byte, and proven: a server whose certificate the realm's authority has not signed for its
name hears nothing of us.
"""

import contextlib
import select
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from keyturn.adapters.authorities.openldap.settings import Settings
from keyturn.model.errors import AuthorityError

CONNECT_S = 5.0
"""For the connection, and once more for the handshake."""
OPERATION_S = 10.0
_CHUNK = 65536


@contextmanager
def tunnel(settings: Settings, host: str) -> Iterator[socket.socket]:
    """Our end, for libldap to speak clear text into. AuthorityError where there is no proven server."""
    with _proven(settings, host) as server:
        ours, inner = socket.socketpair()
        carrier = threading.Thread(target=_carry, args=(inner, server), name=f"tunnel to {host}", daemon=True)
        carrier.start()
        try:
            yield ours
        finally:
            for end in (ours, inner):
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
            carrier.join()
            ours.close()
            inner.close()


def _proven(settings: Settings, host: str) -> ssl.SSLSocket:
    try:
        context = ssl.create_default_context(cafile=str(settings.ca_file))
    except OSError as error:
        raise AuthorityError(f"{host}: cannot read {settings.ca_file}: {error}", permanent=True) from None
    try:
        plain = socket.create_connection((host, settings.port), timeout=CONNECT_S)
    except OSError as error:
        raise AuthorityError(f"{host} cannot be reached: {error}", permanent=False) from None
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # a request waits for no other
    try:
        return context.wrap_socket(plain, server_hostname=host)
    except OSError as error:
        plain.close()
        unproven = isinstance(error, ssl.SSLCertVerificationError)
        raise AuthorityError(f"{host} is not proven by its certificate: {error}", permanent=unproven) from None


def _carry(inner: socket.socket, server: ssl.SSLSocket) -> None:
    """Until either side ends. One thread for both directions: a TLS connection is not to be used by two at once."""
    try:
        while True:
            ready, _, _ = select.select([inner, server], [], [])
            if inner in ready and not _send(inner, server):
                break
            if server in ready and not _receive(server, inner):
                break
    except OSError:
        pass  # libldap finds its end closed, and says that the server is down
    with contextlib.suppress(OSError):
        inner.shutdown(socket.SHUT_RDWR)


def _send(inner: socket.socket, server: ssl.SSLSocket) -> bool:
    chunk = inner.recv(_CHUNK)
    server.settimeout(OPERATION_S)
    server.sendall(chunk)
    return bool(chunk)


def _receive(server: ssl.SSLSocket, inner: socket.socket) -> bool:
    """All that has arrived: what TLS has unpacked already, `select` does not show."""
    server.settimeout(0)
    try:
        while chunk := server.recv(_CHUNK):
            inner.sendall(chunk)
    except ssl.SSLWantReadError:
        return True
    return False
