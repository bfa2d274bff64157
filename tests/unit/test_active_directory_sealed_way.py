"""The bytes between libldap and a controller, once a seal is set. Real seals: tests/contract."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import NamedTuple

import pytest

from keyturn.adapters.authorities.active_directory.sealed_way import LARGEST, Seal, SealedWay
from keyturn.model.errors import AuthorityError

WAITS_S = 30


class Wrapped(NamedTuple):
    message: bytes
    encrypted: bool


@dataclass
class Mirroring:
    """Turns what it is given around in place of encrypting it, so that a test can read it."""

    encrypts: bool = True

    def wrap(self, clear: bytes, encrypt: bool) -> Wrapped:
        return Wrapped(clear[::-1], encrypt and self.encrypts)

    def unwrap(self, sealed: bytes) -> Wrapped:
        return Wrapped(sealed[::-1], not sealed.startswith(b"clear"))


@dataclass
class Ends:
    """Ours, where libldap would be, and the server's."""

    way: SealedWay
    ours: socket.socket
    server: socket.socket

    def seal(self, at_once: int = 1 << 16, *, encrypts: bool = True) -> None:
        self.way.set_seal(Seal(Mirroring(encrypts), at_once))  # type: ignore[arg-type]


@pytest.fixture
def ends() -> Iterator[Ends]:
    with ExitStack() as stack:
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        way = SealedWay("127.0.0.1", listening.getsockname()[1])
        ours = stack.enter_context(closing(socket.socket(fileno=way.end)))
        server = stack.enter_context(closing(listening.accept()[0]))
        for end in (ours, server):
            end.settimeout(WAITS_S)
        yield Ends(way, ours, server)


def test_before_the_seal_everything_passes_as_it_is(ends: Ends) -> None:
    ends.ours.sendall(b"who are you")
    assert _read(ends.server, 11) == b"who are you"
    ends.server.sendall(b"dc1")
    assert _read(ends.ours, 3) == b"dc1"


def test_what_is_asked_goes_out_in_frames_that_the_server_takes(ends: Ends) -> None:
    ends.seal(at_once=3)
    ends.ours.sendall(b"abcde")
    assert _read(ends.server, 13) == b"\0\0\0\3cba\0\0\0\2ed"


def test_an_answer_is_put_together_however_it_arrives(ends: Ends) -> None:
    ends.seal()
    for piece in (b"\0", b"\0\0\3c", b"ba\0\0\0\2e", b"d"):
        ends.server.sendall(piece)
    assert _read(ends.ours, 5) == b"abcde"


@pytest.mark.parametrize(
    "sent",
    [b"\0\0\0\7clear!!", b"0\x0c\2\1\2a\7\n\1\0\4\0\4\0", b"\xff\xff\xff\xff", (LARGEST + 1).to_bytes(4)],
    ids=["a frame in clear", "LDAP in clear", "no end", "too long"],
)
def test_an_answer_that_is_not_sealed_ends_the_connection(ends: Ends, sent: bytes) -> None:
    ends.seal()
    ends.server.sendall(sent)
    assert ends.ours.recv(1) == b""
    assert ends.server.recv(1) == b""


def test_nothing_leaves_where_the_seal_does_not_encrypt(ends: Ends) -> None:
    ends.seal(encrypts=False)
    ends.ours.sendall(b"unicodePwd")
    assert ends.server.recv(1) == b""


def test_a_server_that_hangs_up_is_seen_at_our_end(ends: Ends) -> None:
    ends.seal()
    ends.server.close()
    assert ends.ours.recv(1) == b""


def test_our_hanging_up_is_seen_by_the_server(ends: Ends) -> None:
    ends.seal()
    ends.ours.close()
    assert ends.server.recv(1) == b""


def test_a_server_that_nobody_listens_on_may_come_back() -> None:
    with pytest.raises(AuthorityError, match=r"127\.0\.0\.1:1") as raised:
        SealedWay("127.0.0.1", 1)
    assert not raised.value.permanent


def _read(end: socket.socket, length: int) -> bytes:
    with end.makefile("rb") as file:
        return file.read(length)
