"""A logon by Kerberos against controllers that answer as real ones do not. The real ones: tests/contract."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from impacket.krb5.asn1 import AS_REQ, KRB_ERROR
from pyasn1.codec.der import decoder, encoder

from keyturn.adapters.authorities.active_directory import libkrb5
from keyturn.adapters.authorities.active_directory.kerberos import Barred, ask_for_ticket
from keyturn.adapters.authorities.active_directory.libkrb5 import refusal
from keyturn.model.errors import AuthorityError
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret

REALM = "CORP.EXAMPLE"
SECRET = Secret("Turn-the-key-0001")
FIVE_S = 5

pytestmark = pytest.mark.skipif(not libkrb5.is_installed(), reason="libkrb5 is not installed")


class Asked(Exception):
    pass


@pytest.mark.parametrize("name", ["svc-backup", "svc/backup", "svc@backup", r"svc\backup", "svc-bäckup"])
def test_a_request_names_the_account_as_it_is_written(name: str) -> None:
    asked: list[bytes] = []

    def carry(request: bytes) -> bytes:
        asked.append(request)
        raise Asked

    with pytest.raises(Asked):
        refusal(name, REALM, SECRET, carry)
    body = decoder.decode(asked[0], asn1Spec=AS_REQ())[0]["req-body"]
    assert [bytes(part).decode() for part in body["cname"]["name-string"]] == [name]
    assert str(body["realm"]) == REALM
    assert SECRET.reveal().encode() not in asked[0]


@pytest.mark.parametrize(
    ("number", "answer"), [(6, Answer.UNKNOWN_ACCOUNT), (24, Answer.WRONG_PASSWORD), (18, Barred), (23, Barred)]
)
def test_a_refusal_is_told_by_its_number(number: int, answer: Answer | type[Barred]) -> None:
    with _controller(_error(number)) as port:
        said = ask_for_ticket("127.0.0.1", "svc-backup", REALM, SECRET, port)
    assert (type(said) if isinstance(said, Barred) else said) is answer


def test_an_error_that_says_nothing_of_the_password_may_pass() -> None:
    with _controller(_error(37)) as port, pytest.raises(AuthorityError, match=r"svc-backup@CORP\.EXAMPLE") as raised:
        ask_for_ticket("127.0.0.1", "svc-backup", REALM, SECRET, port)
    assert not raised.value.permanent
    assert "clock" in raised.value.hint


@pytest.mark.parametrize(
    "sent",
    [
        struct.pack(">I", 0),
        struct.pack(">I", 2**31),
        struct.pack(">I", 100) + b"half of it",
        b"\0",
        b"",
        struct.pack(">I", 7) + b"nothing",
    ],
)
def test_what_is_no_answer_is_no_verdict_on_the_password(sent: bytes) -> None:
    with _controller(sent) as port, pytest.raises(AuthorityError) as raised:
        ask_for_ticket("127.0.0.1", "svc-backup", REALM, SECRET, port)
    assert not raised.value.permanent


def test_a_password_that_kerberos_cannot_say_is_refused_before_it_is_cut_short() -> None:
    with pytest.raises(AuthorityError, match="NUL"):
        ask_for_ticket("127.0.0.1", "svc-backup", REALM, Secret("Turn\0the-key"), port=9)


@contextmanager
def _controller(says: bytes) -> Iterator[int]:
    """Gives `says` to each that asks it, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        ended = threading.Event()
        listening.settimeout(0.05)

        def answer() -> None:
            while not ended.is_set():
                try:
                    connection, _ = listening.accept()
                except TimeoutError:
                    continue
                with connection:
                    connection.settimeout(FIVE_S)
                    connection.recv(1 << 16)
                    connection.sendall(says)

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            ended.set()
            thread.join()


def _error(number: int) -> bytes:
    """With its length before it, as over TCP."""
    said = KRB_ERROR()
    said["pvno"], said["msg-type"], said["error-code"] = 5, 30, number
    said["stime"], said["susec"] = "20260101000000Z", 0
    said["realm"] = REALM
    said["sname"]["name-type"] = 2
    said["sname"]["name-string"][0], said["sname"]["name-string"][1] = "krbtgt", REALM
    encoded: bytes = encoder.encode(said)
    return struct.pack(">I", len(encoded)) + encoded
