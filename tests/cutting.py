"""Stands between a client and a server on a socket, and cuts the connection right before an answer."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

_CHUNK = 65536


@dataclass
class Cut:
    """Once a client has sent `before`, the server's next answer is withheld. Only the first time."""

    before: bytes | None = None
    cuts: int = 0
    due: set[int] = field(default_factory=set)

    def serve(self, listener: socket.socket, target: Path) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(str(target))
            for source, sink, asks in ((client, server, True), (server, client, False)):
                threading.Thread(target=self._carry, args=(source, sink, asks, id(server)), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket, asks: bool, pair: int) -> None:
        with closing(source):
            try:
                while chunk := source.recv(_CHUNK):
                    if asks and self.before is not None and self.before in chunk:
                        self.before = None
                        self.due.add(pair)
                    if not asks and pair in self.due:
                        self.due.discard(pair)
                        self.cuts += 1
                        break
                    sink.sendall(chunk)
                sink.shutdown(socket.SHUT_RDWR)
            except OSError:
                return


@contextmanager
def cutting(listening: Path, target: Path) -> Iterator[Cut]:
    cut = Cut()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(listening))
        listener.listen()
        thread = threading.Thread(target=cut.serve, args=(listener, target), daemon=True)
        thread.start()
        try:
            yield cut
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(60)
