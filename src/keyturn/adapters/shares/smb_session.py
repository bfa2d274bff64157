"""The way into an SMB share: SMB 3, encrypted, and a logon of its own each time."""

import socket
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from smbprotocol.connection import Connection, Dialects
from smbprotocol.exceptions import SMBException, SMBResponseException
from smbprotocol.session import Session
from smbprotocol.structure import Structure
from smbprotocol.tree import TreeConnect

from keyturn.adapters.shares import kerberos
from keyturn.adapters.shares.smb_answers import LOGON, SHARE
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.secret import Secret

CONNECT_S = 5
_CREDITS_S = 0.001


class Dated(Connection):  # type: ignore[misc]  # the library has no types
    """`ahead_s`: by how much the server's clock is ahead of ours, so far as its first answer shows, which may have been
    on its way for a while: no more than it really is."""

    ahead_s = 0.0

    def _send_smb2_negotiate(self, *asked: Any) -> Structure:
        answer: Structure = super()._send_smb2_negotiate(*asked)
        self.ahead_s = answer["system_time"].get_value().timestamp() - time.time()  # MS-SMB2 2.2.4
        return answer


class Unreached(Exception):
    """Nobody was logged on: no attempt was made."""


@dataclass(frozen=True, slots=True)
class Place:
    host: str
    share: str
    folders: tuple[str, ...]

    @property
    def root(self) -> str:
        return rf"\\{self.host}\{self.share}"


def place_of(text: str) -> Place:
    r"""`\\host\share`, perhaps with folders below it."""
    host, share, *folders = text.removeprefix("\\\\").split("\\")
    return Place(host, share, tuple(folders))


@contextmanager
def connected(host: str, within_s: float) -> Iterator[Connection]:
    """`within_s` is for everything from the first packet to the last: the library itself waits for an answer without
    end. Raises Unreached before anything was presented."""
    connection = Connection(uuid.uuid4(), host)
    end = threading.Timer(within_s, connection.disconnect, kwargs={"close": False})
    end.start()
    try:
        _connect(connection, host)
        yield connection
    finally:
        end.cancel()
        end.join()
        # The logon ends with its connection. Taking leave first can be refused, and then nothing is closed.
        with suppress(SMBException, OSError):
            connection.disconnect(close=False)


def open_connection(host: str, answer_s: float) -> Dated:
    """For as long as the caller likes, who disconnects it; `answer_s` is for each answer of the server. Raises
    Unreached before anything was presented."""
    connection = Dated(uuid.uuid4(), host)
    try:
        _connect(connection, host)
    except Unreached:
        close(connection)
        raise
    connection.receive = partial(connection.receive, timeout=answer_s)
    _wait_for_credits(connection, answer_s)
    # No public way to it. A server that takes nothing more would otherwise keep a sender, and whoever closes, for ever.
    connection.transport._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(answer_s * 1000))
    return connection


def credits_of(connection: Connection) -> int:
    """What may be sent before an answer has come (MS-SMB2 3.2.4.1.2)."""
    window = connection.sequence_window
    free: int = window["high"] - window["low"]
    return free


def close(connection: Connection) -> None:
    """The logon ends with its connection. Taking leave first can be refused, and then nothing is closed."""
    with suppress(SMBException, OSError, AttributeError):  # AttributeError: it was never open
        connection.disconnect(close=False)


def log_on(connection: Connection, account: str, secret: Secret, protocol: LogonProtocol) -> Session | Answer:
    try:
        return session_of(connection, account, secret, protocol)
    except SMBResponseException as error:
        if error.status in LOGON:
            return LOGON[error.status]
        raise
    except kerberos.errors() as error:
        return kerberos.answer_of(error)


def session_of(connection: Connection, account: str, secret: Secret, protocol: LogonProtocol) -> Session:
    """Raises what the server answers. One protocol, asked for by name: a client that may choose tries Kerberos and then
    NTLM, and one wrong password counts twice."""
    by_kerberos = protocol is LogonProtocol.KERBEROS
    name, asked_for = (account.partition("\\")[2], "kerberos") if by_kerberos else (account, "ntlm")
    session = Session(connection, name, secret.reveal(), require_encryption=True, auth_protocol=asked_for)
    session.connect()
    return session


def enter(session: Session, share: str) -> TreeConnect | Answer:
    tree = TreeConnect(session, share)
    try:
        tree.connect()
    except SMBResponseException as error:
        if error.status in SHARE:
            return SHARE[error.status]
        raise
    return tree


def _wait_for_credits(connection: Connection, answer_s: float) -> None:
    """The library fails where what the server granted is used up by requests of other threads. Here who sends waits:
    every answer brings credits back."""
    one, several, turn = connection.send, connection.send_compound, threading.Lock()

    def waited(messages: Sequence[Structure]) -> None:
        needed = sum(connection._calculate_credit_charge(message) for message in messages)
        until = time.monotonic() + answer_s
        while credits_of(connection) < needed and time.monotonic() < until:
            time.sleep(_CREDITS_S)  # nobody is told when they come

    def send(message: Structure, *options: Any, **named: Any) -> Any:
        with turn:
            waited([message])
            return one(message, *options, **named)

    def send_compound(messages: Sequence[Structure], *options: Any, **named: Any) -> Any:
        with turn:
            waited(messages)
            return several(messages, *options, **named)

    connection.send, connection.send_compound = send, send_compound


def _connect(connection: Connection, host: str) -> None:
    """Nobody is logged on yet. An older dialect could be listened to, so it is left before a password is used."""
    try:
        connection.connect(timeout=CONNECT_S)
    except (SMBException, OSError, ValueError) as error:  # ValueError: a connection that could not be opened
        raise Unreached(_why(host, error)) from None
    if connection.dialect < Dialects.SMB_3_0_0 or not connection.supports_encryption:
        raise Unreached(f"file server {host} offers no encrypted SMB 3: nothing was presented to it")


def _why(host: str, error: Exception) -> str:
    cause = error.__cause__ or error
    if isinstance(cause, socket.gaierror):
        return f"no machine is called {host}: see to the name service, or to the share's name in the estate"
    return f"file server {host} does not answer on port 445: {str(cause)[:200]}"
