"""The shapes between agent and site, and the passwords sealed into them."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyturn.model.logon import Answer
from keyturn.model.secret import Secret
from keyturn.wire.agent import (
    Adopt,
    BadMessage,
    CheckIn,
    Directions,
    Drop,
    Enrol,
    Enrolled,
    Held,
    Proof,
    Use,
    Wait,
    proof_path,
    read,
    share_path,
    write,
)
from keyturn.wire.sealed import MAX_SEALED, BadSealed, new_identity, open_sealed, recipient_of, seal_for

ACCOUNT = "PHX\\SMSClient_PHX"
IDENTITY = new_identity()
RECIPIENT = recipient_of(IDENTITY)
PASSWORD = Secret("a password: with \\ and ünicode\nand a line")

MESSAGES = [
    (CheckIn((Held(ACCOUNT, 3),), "0.1.0"), {"holds": [{"account": ACCOUNT, "generation": 3}], "version": "0.1.0"}),
    (Proof(2, Answer.WRONG_PASSWORD), {"generation": 2, "answer": "wrong-password"}),
    (
        Directions(
            (Use(ACCOUNT, 1), Adopt("PHX\\b", 2, b"age"), Wait("PHX\\c", 5.0, "busy"), Drop("PHX\\d")), 60.0, 1.5
        ),
        {
            "directions": [
                {"do": "use", "account": ACCOUNT, "generation": 1},
                {"do": "adopt", "account": "PHX\\b", "generation": 2, "sealed": "YWdl"},
                {"do": "wait", "account": "PHX\\c", "retry_s": 5.0, "reason": "busy"},
                {"do": "drop", "account": "PHX\\d"},
            ],
            "contact_s": 60.0,
            "server_time": 1.5,
        },
    ),
    (
        Enrolled("PHX", "PC-0001", "/cap", 3600.0, 1.5),
        {"site": "PHX", "name": "PC-0001", "access_point": "/cap", "contact_s": 3600.0, "server_time": 1.5},
    ),
]


@pytest.mark.parametrize(("message", "form"), MESSAGES, ids=lambda value: type(value).__name__)
def test_the_form_on_the_wire_is_fixed(message, form):
    assert json.loads(write(message)) == form
    assert read(type(message), json.dumps(form).encode()) == message


def test_the_token_travels_and_shows_itself_nowhere_else():
    message = Enrol(Secret("a token"), "PC-0001", b"k" * 32, RECIPIENT)
    assert json.loads(write(message))["token"] == "a token"
    assert read(Enrol, write(message)) == message
    assert "a token" not in repr(message)


@pytest.mark.parametrize(
    ("shape", "body"),
    [
        (Proof, b'{"generation": 1, "answer": "perhaps"}'),
        (Proof, b'{"generation": 0, "answer": "locked"}'),
        (Proof, b'{"generation": "1", "answer": "locked"}'),
        (Proof, b'{"generation": 1, "answer": "locked", "more": 1}'),
        (Proof, b'{"generation": 1}'),
        (Held, b'{"account": "no realm", "generation": 1}'),
        (Held, b'{"account": "PHX\\\\a:b", "generation": 1}'),
        (Held, b'{"account": "PHX\\\\a\\n", "generation": 1}'),
        (Directions, b'{"directions": [{"do": "dance"}], "contact_s": 1, "server_time": 1}'),
        (Directions, b'{"directions": [], "contact_s": -1, "server_time": 1}'),
        (Enrolled, b'{"site":"PHX","name":"../x","access_point":"/cap","contact_s":1,"server_time":1}'),
        (Enrolled, b'{"site":"PHX","name":"PC","access_point":"https://x","contact_s":1,"server_time":1}'),
        (CheckIn, b"[" * 100_000),
        (CheckIn, b"\xff\xfe"),
        (CheckIn, b""),
    ],
)
def test_everything_else_is_refused(shape, body):
    with pytest.raises(BadMessage):
        read(shape, body)


def test_a_body_over_the_limit_is_refused_unread():
    with pytest.raises(BadMessage, match="longer than 10"):
        read(Proof, b" " * 11, limit=10)


@given(st.binary(max_size=200) | st.text('{}[]":,0account\\directions', max_size=200).map(str.encode))
def test_garbage_raises_bad_message_and_nothing_else(body):
    for shape in (Enrol, Enrolled, CheckIn, Directions):
        with pytest.raises(BadMessage):
            read(shape, body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from([form for _, form in MESSAGES]), st.data())
def test_a_field_of_another_kind_is_read_or_refused(form, data):
    changed = dict(form) | {data.draw(st.sampled_from(sorted(form))): data.draw(JSON)}
    for shape in (Enrolled, CheckIn, Directions, Proof):
        with contextlib.suppress(BadMessage):
            assert isinstance(read(shape, json.dumps(changed).encode()), shape)


def test_names_are_one_segment_of_a_path():
    assert proof_path("PC-0001", "PHX\\a/../b") == "/agent/v1/clients/PC-0001/credentials/PHX%5Ca%2F..%2Fb"
    assert share_path("/cap/", "site.json") == "/cap/clidata.box/site.json"


def sealed(account=ACCOUNT, generation=2):
    return seal_for(RECIPIENT, account, generation, PASSWORD)


SEALED = sealed()
"""Once: age adds stanzas of random length, and drawn examples want to be repeatable."""


def test_a_sealed_password_opens_for_its_recipient():
    assert open_sealed(IDENTITY, ACCOUNT, 2, sealed()) == PASSWORD
    assert PASSWORD.reveal().encode() not in sealed()


@pytest.mark.parametrize(
    ("account", "generation"),
    [(ACCOUNT, 1), (ACCOUNT, 20), (ACCOUNT + "2", 2), ("PHX\\SMSClient", 2)],
)
def test_a_sealed_password_is_no_other_credential(account, generation):
    with pytest.raises(BadSealed, match="another credential"):
        open_sealed(IDENTITY, account, generation, sealed())


def test_nobody_else_opens_it():
    with pytest.raises(BadSealed, match="does not open"):
        open_sealed(new_identity(), ACCOUNT, 2, sealed())


def test_an_account_cannot_smuggle_a_generation():
    with pytest.raises(BadSealed):
        seal_for(RECIPIENT, ACCOUNT + "\n2", 1, PASSWORD)


@pytest.mark.parametrize(
    "recipient", ["", "age1", RECIPIENT[:-1] + "b", "ssh-ed25519 AAAA"], ids=["empty", "prefix", "misspelt", "ssh"]
)
def test_nothing_is_sealed_to_what_is_no_recipient(recipient):
    with pytest.raises(BadSealed):
        seal_for(recipient, ACCOUNT, 1, PASSWORD)


def test_a_sealed_password_without_end_is_refused_unread():
    with pytest.raises(BadSealed, match="too long"):
        open_sealed(IDENTITY, ACCOUNT, 2, b"x" * (MAX_SEALED + 1))


@given(st.data())
def test_one_flipped_byte_anywhere_is_found(data):
    whole = bytearray(SEALED)
    whole[data.draw(st.integers(0, 9999)) % len(whole)] ^= data.draw(st.integers(1, 255))
    with pytest.raises(BadSealed):
        open_sealed(IDENTITY, ACCOUNT, 2, bytes(whole))


@given(st.binary(max_size=400) | st.binary(max_size=200).map(lambda tail: b"age-encryption.org/v1\n-> " + tail))
def test_what_was_never_sealed_raises_bad_sealed_and_nothing_else(data):
    with pytest.raises(BadSealed):
        open_sealed(IDENTITY, ACCOUNT, 2, data)


def test_an_identity_shows_itself_nowhere():
    assert "AGE-SECRET" not in f"{IDENTITY} {IDENTITY!r}"
    with pytest.raises(BadSealed):
        recipient_of(Secret("AGE-SECRET-KEY-1NOTONE"))
