"""Stands between us and the first controller, hears what passes, and cuts a connection once a password is set and
before its answer."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field

from tests.samba import Samba

_LDAPS, _KERBEROS = 636, 88
_CHUNK = 65536


@dataclass
class Proxy:
    """`landed` says whether what the next cut waits for has happened; the answer that follows is withheld."""

    address: str
    target: str
    landed: Callable[[], bool] | None = None
    cuts: int = 0
    heard: bytearray = field(default_factory=bytearray)
    """What passed over LDAP, both ways."""
    listeners: list[socket.socket] = field(default_factory=list)

    def serve(self, listener: socket.socket, port: int) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            server = socket.create_connection((self.target, port), timeout=60)
            for source, sink, answers in ((client, server, False), (server, client, True)):
                threading.Thread(target=self._carry, args=(source, sink, answers, port), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket, answers: bool, port: int) -> None:
        with closing(source), suppress(OSError):
            while chunk := source.recv(_CHUNK):
                if port != _KERBEROS:
                    self.heard += chunk
                if answers and self.landed is not None and self.landed():
                    self.landed = None
                    self.cuts += 1
                    break
                sink.sendall(chunk)
            sink.shutdown(socket.SHUT_RDWR)


@contextmanager
def proxied(samba: Samba, address: str | None = None, ldap_port: int = _LDAPS) -> Iterator[Proxy]:
    """At the loopback address that the controller's certificate names, unless said."""
    proxy = Proxy(address or samba.hosts[0].replace("10.", "127.", 1), samba.hosts[0])
    for port in (ldap_port, _KERBEROS):
        listener = socket.create_server((proxy.address, port))
        proxy.listeners.append(listener)
        threading.Thread(target=proxy.serve, args=(listener, port), daemon=True).start()
    try:
        yield proxy
    finally:
        for listener in proxy.listeners:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
