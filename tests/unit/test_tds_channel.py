"""Packets: messages of many, and servers that keep to none."""

import socket
import struct
from collections.abc import Iterator
from threading import Thread

import pytest

from keyturn.adapters.authorities.sql_server.tds.channel import BATCH, REPLY, Channel, Malformed
from tests.tds_fake.wire import Wire


@pytest.fixture
def pair() -> Iterator[tuple[Channel, socket.socket]]:
    ours, theirs = socket.socketpair()
    with theirs:
        channel = Channel(ours, 30)
        yield channel, theirs
        channel.close()


def test_a_long_message_takes_many_packets_both_ways(pair: tuple[Channel, socket.socket]) -> None:
    channel, theirs = pair
    sent, got = bytes(range(256)) * 5000, []

    def answer() -> None:
        server = Wire(theirs)
        got.append(server.receive())
        server.send(sent[::-1])

    answering = Thread(target=answer)
    answering.start()
    assert channel.ask(BATCH, sent) == sent[::-1]
    answering.join()
    assert got == [(BATCH, sent)]


@pytest.mark.parametrize(
    ("packet", "why"),
    [
        (struct.pack("!BBHHBB", 0x12, 1, 8, 0, 0, 0), "kind 18"),
        (struct.pack("!BBHHBB", REPLY, 1, 7, 0, 0, 0), "7 bytes"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "kind 72"),
    ],
)
def test_what_is_no_packet_is_malformed(pair: tuple[Channel, socket.socket], packet: bytes, why: str) -> None:
    channel, theirs = pair
    theirs.sendall(packet)
    with pytest.raises(Malformed, match=why):
        channel.ask(BATCH, b"")


def test_an_endless_message_ends(pair: tuple[Channel, socket.socket]) -> None:
    channel, theirs = pair
    packet = struct.pack("!BBHHBB", REPLY, 0, 0xFFFF, 0, 0, 0) + bytes(0xFFFF - 8)

    def flood() -> None:
        with theirs:
            try:
                while True:
                    theirs.sendall(packet)
            except OSError:
                pass

    flooding = Thread(target=flood)
    flooding.start()
    with pytest.raises(Malformed, match="after 83"):
        channel.ask(BATCH, b"")
    channel.close()
    flooding.join()


def test_a_server_that_trickles_does_not_keep_us() -> None:
    """However many bytes still come: the time is for the whole answer."""
    ours, theirs = socket.socketpair()
    with theirs:
        channel = Channel(ours, 0)
        with pytest.raises(TimeoutError):
            channel.ask(BATCH, b"")
        channel.close()


def test_a_server_that_hangs_up_is_said_to(pair: tuple[Channel, socket.socket]) -> None:
    channel, theirs = pair
    theirs.shutdown(socket.SHUT_WR)
    with pytest.raises(ConnectionResetError, match="hung up"):
        channel.ask(BATCH, b"")
