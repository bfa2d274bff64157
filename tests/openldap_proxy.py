"""Stands between us and the provider, and cuts the connection once a password is set and before its answer arrives."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

from tests.openldap import PROXY, Directory

_CHUNK = 65536


@dataclass
class Proxy:
    directory: Directory
    cutting: bool = False
    cuts: int = 0
    listener: socket.socket = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.listener = socket.create_server((PROXY, self.directory.provider.port))

    def serve(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            provider = self.directory.provider
            server = socket.create_connection((provider.address, provider.port), timeout=60)
            for source, target, answers in ((client, server, False), (server, client, True)):
                threading.Thread(target=self._carry, args=(source, target, answers), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket, answers: bool) -> None:
        begun_at = sets(self.directory)
        with closing(source), closing(target):
            try:
                while chunk := source.recv(_CHUNK):
                    if answers and self.cutting and sets(self.directory) > begun_at:
                        self.cuts += 1
                        target.shutdown(socket.SHUT_RDWR)
                        source.shutdown(socket.SHUT_RDWR)
                        return
                    target.sendall(chunk)
                target.shutdown(socket.SHUT_WR)
            except OSError:
                return


@contextmanager
def proxied(directory: Directory) -> Iterator[Proxy]:
    proxy = Proxy(directory)
    thread = threading.Thread(target=proxy.serve, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.listener.shutdown(socket.SHUT_RDWR)
        proxy.listener.close()
        thread.join(60)


def sets(directory: Directory) -> int:
    """Passwords set so far. The server writes its audit log before it answers."""
    return (directory.provider.folder / "audit.ldif").read_text().count("replace: userPassword")
