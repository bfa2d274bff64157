"""Reads of an open file, several on their way at once: one at a time, a server is idle while its answer travels."""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from smbprotocol.connection import Connection
from smbprotocol.exceptions import SMBResponseException
from smbprotocol.open import Open

from keyturn.adapters.shares.smb_session import credits_of

PIECE = 1024 * 1024
"""In bytes; the most that every server of today answers at once."""
AHEAD = 4
"""Reads on their way; more gains nothing here and holds more memory."""

_CREDIT = 64 * 1024
"""What one credit pays for (MS-SMB2 3.1.5.2)."""
_OTHERS = 64
"""Credits that are left for everything else meanwhile."""
_END_OF_FILE = 0xC0000011


def widen(connection: Connection, session_id: int) -> None:
    """Ask for the credits that so many reads take. To be called once on a connection, after the logon."""
    wanted = AHEAD * PIECE // _CREDIT + _OTHERS - credits_of(connection)
    if wanted > 0:
        connection.echo(sid=session_id, credit_request=wanted)


def width(connection: Connection) -> tuple[int, int]:
    """How many reads may be on their way, and of how many bytes each, with the credits that were given."""
    if not connection.supports_multi_credit:
        return 1, _CREDIT
    piece = min(PIECE, connection.max_read_size)
    reads = (credits_of(connection) - _OTHERS) * _CREDIT // piece
    return (min(reads, AHEAD), piece) if reads > 0 else (1, _CREDIT)


def ask(file: Open, offset: int, length: int) -> Callable[[], bytes]:
    """Sends it. What it returns waits for the answer: fewer bytes than were asked for at the end of the file, none
    behind it."""
    message, received = file.read(offset, length, send=False)
    tree = file.tree_connect
    request = file.connection.send(message, tree.session.session_id, tree.tree_connect_id)
    return lambda: _until_end(received, request)


def pieces(file: Open, offset: int) -> Iterator[bytes]:
    """Up to the end of the file as it was when it was opened; less where it has become shorter since."""
    ahead, piece = width(file.connection)
    starts = iter(range(offset, file.end_of_file, piece))
    asked = deque(ask(file, at, piece) for _, at in zip(range(ahead), starts, strict=False))
    while asked:
        content = asked.popleft()()
        if not content:
            return
        yield content
        asked.extend(ask(file, at, piece) for _, at in zip(range(1), starts, strict=False))


def _until_end(received: Callable[[Any], bytes], request: Any) -> bytes:
    try:
        return received(request)
    except SMBResponseException as error:
        if error.status == _END_OF_FILE:
            return b""
        raise
