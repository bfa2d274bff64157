"""A small SQL Server: what Microsoft documents of logons, logins and TDS, as far as Keyturn uses it.

It shares no code with Keyturn. Nobody could compare it with a real server; freetds, pymssql, python-tds and Microsoft's
ODBC driver log on to it.
"""

import copy
import select
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.tds_fake import wire
from tests.tds_fake.instance import Instance, Login, SqlError
from tests.tds_fake.questions import Asked, asked
from tests.tds_fake.statements import Doing, split

_NONE, _ON = 2, 1


@dataclass
class Fake:
    """`encrypts`: whether it has TLS at all. `instead`: raw tokens that answer every logon. `written` is its trace:
    every batch, and every logon that failed."""

    instance: Instance
    tls: ssl.SSLContext
    port: int
    encrypts: bool = True
    instead: bytes = b""
    written: list[str] = field(default_factory=list)
    logons: int = 0
    out_of_memory_at: str = "nothing"
    """No statement with these words is carried out."""
    after: Callable[[str], bool] = lambda batch: True
    """Asked once a batch has been carried out, whether it is answered."""
    _sessions: list[tuple[socket.socket, Login]] = field(default_factory=list)
    _turn: threading.RLock = field(default_factory=threading.RLock)

    def serve(self, link: socket.socket) -> None:
        with link, suppress(OSError, wire.Gone):
            client = wire.Wire(link)
            kind, body = client.receive()
            wants = wire.asked_encryption(body)
            assert kind == wire.PRELOGIN
            client.send(wire.prelogin_answer(_ON if self.encrypts else _NONE))
            if not self.encrypts or wants == _NONE:
                return
            client.start_tls(self.tls)
            login, database = self._log_on(client)
            if login is None:
                return
            doing = Doing(self.instance, login, database, set())
            while True:
                kind, body = client.receive()
                if kind != wire.SQL_BATCH:  # a call, an interruption, a transaction of the protocol's own
                    raise wire.Gone
                headers = int.from_bytes(body[:4], "little")
                client.send(self._batch(body[headers:].decode("utf-16-le"), doing))

    def administer(self, batch: str, database: str = "master") -> None:
        """As somebody who may do everything; SqlError where it fails."""
        with self._turn:
            doing = Doing(self.instance, self._god(), database, set())
            for statement in split(batch):
                doing.carry_out(statement)

    def _god(self) -> Login:
        login = self.instance.login("sa")
        assert login
        return login

    def _log_on(self, client: wire.Wire) -> tuple[Login | None, str]:
        kind, body = client.receive()
        assert kind == wire.LOGIN7
        name, password, database = wire.logon_of(body)
        with self._turn:
            self.logons += 1
            if self.instead:
                client.send(self.instead)
                return None, ""
            try:
                login = self.instance.log_on(name, password)
            except SqlError as refused:
                self.written.append(f"Logon: {refused.text} Error: {refused.number}")
                client.send(wire.error(refused.number, refused.severity, refused.text) + wire.done(wire.DONE_ERROR))
                return None, ""
            self._sessions.append((client.link, login))
        client.send(wire.welcome(database or login.database))
        return login, database or login.database

    def _batch(self, batch: str, doing: Doing) -> bytes:
        """XACT_ABORT: what fails takes its transaction with it, and the rest of the batch."""
        with self._turn:
            self.written.append(batch)
            doing.online = self._online()
            before, answer = None, b""
            try:
                for statement in split(batch):
                    if statement == "BEGIN TRANSACTION":
                        before = copy.deepcopy(self.instance)
                    elif statement == "COMMIT TRANSACTION":
                        before = None
                    elif self.out_of_memory_at in statement:
                        raise SqlError(701, "There is insufficient system memory to run this query.", 17)
                    else:
                        answer += self._statement(statement, doing)
            except SqlError as error:
                if before is not None:
                    vars(self.instance).update(vars(before))
                answer += wire.error(error.number, error.severity, error.text) + wire.done(wire.DONE_ERROR)
            if not self.after(batch):
                raise wire.Gone
            return answer or wire.done()

    def _statement(self, statement: str, doing: Doing) -> bytes:
        question = asked(statement)
        if question is not None:
            answer, literals = question
            if answer is None:
                return wire.done()
            return wire.table(*answer(Asked(self.instance, doing.by, doing.place, doing.online, literals)))
        before = doing.database
        doing.carry_out(statement)
        return (wire.changed_database(doing.database) if doing.database != before else b"") + wire.done()

    def _online(self) -> set[bytes]:
        self._sessions[:] = [(link, login) for link, login in self._sessions if _open(link)]
        return {login.sid for _, login in self._sessions}


def _open(link: socket.socket) -> bool:
    """Whether the client is still there; what it sent is left to be read."""
    try:
        waiting = select.poll()
        waiting.register(link, select.POLLIN)
        return not waiting.poll(0) or link.recv(1, socket.MSG_PEEK) != b""
    except (OSError, ValueError):
        return False


@contextmanager
def running(instance: Instance, chain: Path, key: Path) -> Iterator[Fake]:
    """On a port of its own of `localhost`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # as every server that speaks TDS 7
    context.load_cert_chain(chain, key)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        fake = Fake(instance, context, listener.getsockname()[1])
        links: list[tuple[socket.socket, threading.Thread]] = []

        def accept() -> None:
            with suppress(OSError):
                while True:
                    link, _ = listener.accept()
                    link.settimeout(60)
                    thread = threading.Thread(target=fake.serve, args=(link,), daemon=True)
                    links.append((link, thread))
                    thread.start()

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield fake
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join()
            for link, thread in links:
                with suppress(OSError):
                    link.shutdown(socket.SHUT_RDWR)
                thread.join()
