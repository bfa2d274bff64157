"""What is sent to a SQL Server byte by byte, and what is made of its answers, whole, cut off or hostile."""

import contextlib
import hashlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyturn.adapters.authorities.reaching import Login
from keyturn.adapters.authorities.sql_server.errors import translated
from keyturn.adapters.authorities.sql_server.passwords import fit, hashed, literal
from keyturn.adapters.authorities.sql_server.tds import login, prelogin, tokens
from keyturn.adapters.authorities.sql_server.tds.channel import Malformed
from keyturn.adapters.authorities.sql_server.tds.session import Denied
from keyturn.model.accounts import AccountToBe, RealmName
from keyturn.model.errors import AuthorityError
from keyturn.model.secret import Secret
from tests.tds_fake import wire

ACCOUNT = AccountToBe(RealmName("LEDGER"), "app")


class TestPasswords:
    def test_a_hash_is_the_one_that_sql_server_2012_made(self) -> None:
        """The published example of the format, as hashcat lists it for its mode 1731: the password is `hashcat`."""
        published = (
            "0x02000102030434ea1b17802fd95ea6316bd61d2c94622ca3812793e8fb1672487b5c904a45a31b2ab4a78890d563d2fcf5663e"
            "46fe797d71550494be50cf4915d3f4d55ec375"
        )
        assert literal("hashcat", bytes.fromhex("01020304")).lower() == published

    def test_a_hash_is_of_utf_16_and_its_salt_is_new_each_time(self) -> None:
        one, other = (hashed(ACCOUNT, Secret("Schlüssel-€-🔑")) for _ in range(2))
        assert one != other
        stored = bytes.fromhex(one.removeprefix("0x"))
        assert stored[:2] == b"\x02\x00"
        assert stored[6:] == hashlib.sha512("Schlüssel-€-🔑".encode("utf-16-le") + stored[2:6]).digest()

    @pytest.mark.parametrize("unfit", ["", "Tab\there", "zero\0", "x" * 129, "🔑" * 65])
    def test_a_password_that_clients_would_send_differently_is_refused_and_not_told(self, unfit: str) -> None:
        assert not fit(unfit)
        with pytest.raises(AuthorityError) as raised:
            hashed(ACCOUNT, Secret(unfit))
        assert raised.value.permanent
        assert not unfit or unfit not in str(raised.value)

    def test_a_password_is_disguised_as_the_format_says(self) -> None:
        """MS-TDS 2.2.6.4: halves swapped, then 0xA5; `a` is 0x61."""
        assert login.disguised(b"a\0") == bytes((0x16 ^ 0xA5, 0xA5))
        assert sorted(login.disguised(bytes(range(256)))) == list(range(256))


class TestLogon:
    def test_a_server_reads_name_password_and_database(self) -> None:
        sent = login.request(Login("app]'", Secret("Pä55-€🔑")), database="master", server="sql1.example")
        assert wire.logon_of(sent) == ("app]'", "Pä55-€🔑", "master")
        assert "Pä55".encode("utf-16-le") not in sent

    def test_what_does_not_fit_is_not_sent(self) -> None:
        with pytest.raises(ValueError, match="128"):
            login.request(Login("app", Secret("x" * 129)), database="master", server="sql1")

    def test_encryption_of_everything_is_asked_for(self) -> None:
        assert wire.asked_encryption(prelogin.offer()) == 1

    @pytest.mark.parametrize(("word", "agreed"), [(0, False), (1, True), (2, False), (3, True)])
    def test_only_encryption_of_everything_will_do(self, word: int, agreed: bool) -> None:
        assert prelogin.encrypts(wire.prelogin_answer(word)) is agreed

    @pytest.mark.parametrize("answer", [b"", b"\xff", b"\x00\x00\x06\x00\x00\xff"])
    def test_no_word_on_encryption_is_none(self, answer: bytes) -> None:
        assert not prelogin.encrypts(answer)

    @pytest.mark.parametrize("answer", [b"\x01\x00\x06\x00\x00\xff\x01", b"\x01\xff\xff\x00\x01\xff\x01"])
    def test_a_word_on_encryption_that_is_not_there_is_malformed(self, answer: bytes) -> None:
        with pytest.raises(Malformed):
            prelogin.encrypts(answer)


class TestAnswers:
    def test_rows_are_read_with_their_nulls(self) -> None:
        rows = [("a€🔑", 1, -(2**62)), (None, 2, None), ("", None, 0)]
        assert tokens.read(wire.table(["text", "int", "bigint"], rows)).rows == rows

    def test_numbers_that_cannot_be_null_are_read(self) -> None:
        kinds = [(0x30, "<B", 200), (0x32, "<B", 1), (0x34, "<h", -2), (0x38, "<i", -3), (0x7F, "<q", -4)]
        columns = b"".join(struct.pack("<IHBB", 0, 0, kind, 0) for kind, _, _ in kinds)
        row = b"".join(struct.pack(how, value) for _, how, value in kinds)
        assert tokens.read(b"\x81\x05\x00" + columns + b"\xd1" + row).rows == [(200, 1, -2, -3, -4)]

    def test_a_logon_is_acknowledged(self) -> None:
        reply = tokens.read(wire.welcome("master"))
        assert reply.let_in
        assert not reply.errors
        assert not reply.moved

    def test_errors_are_kept_with_their_numbers_in_order_and_messages_are_none(self) -> None:
        reply = tokens.read(wire.info(5701, "Changed") + wire.error(4060, 11, "no") + wire.error(18456, 14, "né"))
        assert reply.errors == [tokens.Told(4060, 1, 11, "no"), tokens.Told(18456, 1, 14, "né")]

    def test_being_sent_elsewhere_is_noticed(self) -> None:
        assert tokens.read(wire.routed("elsewhere") + wire.done()).moved

    @pytest.mark.parametrize(
        "hostile",
        [
            pytest.param(b"\x00", id="an unknown token"),
            pytest.param(b"\xd1", id="a row without columns"),
            pytest.param(b"\x81\x00\x00", id="no column at all"),
            pytest.param(b"\x81\xfe\xff", id="65534 columns"),
            pytest.param(b"\x81\x01\x00" + bytes(6) + b"\xe7\xff\xff" + bytes(6), id="a text without bounds"),
            pytest.param(b"\x81\x01\x00" + bytes(6) + b"\x24\x10\x00", id="a type that nobody asked for"),
            pytest.param(b"\x81\x01\x00" + bytes(6) + b"\x26\x04\x00\xd1\x09" + bytes(9), id="a number of 9 bytes"),
            pytest.param(b"\xaa\xff\xff" + bytes(20), id="an error longer than the answer"),
            pytest.param(b"\xaa\x02\x00\x01\x00", id="an error without its number"),
        ],
    )
    def test_a_hostile_answer_is_malformed(self, hostile: bytes) -> None:
        with pytest.raises(Malformed):
            tokens.read(hostile)

    @given(st.data())
    def test_an_answer_cut_off_anywhere_is_malformed_or_shorter(self, data: st.DataObject) -> None:
        whole = wire.welcome("master") + wire.table(["text", "int"], [("a", 1), (None, 2)]) + wire.error(208, 16, "no")
        cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
        try:
            reply = tokens.read(cut)
        except Malformed:
            return
        assert not reply.errors
        assert len(reply.rows) <= 2

    @given(st.binary(max_size=200))
    def test_no_answer_breaks_anything_else(self, noise: bytes) -> None:
        for start in (b"", b"\x81\x01\x00" + bytes(6)):
            with contextlib.suppress(Malformed):
                tokens.read(start + noise)


class TestErrors:
    def test_a_refusal_never_quotes_a_hash(self) -> None:
        stored = hashed(ACCOUNT, Secret("Turn-the-key"))
        told = tokens.Told(102, 1, 15, f"Incorrect syntax near '{stored}'.")
        error = translated(Denied((told,)), "LEDGER\\app")
        assert stored not in str(error)
        assert "102" in str(error)

    @pytest.mark.parametrize(
        ("number", "severity", "lasting"), [(15151, 16, True), (1205, 13, False), (15434, 16, False), (9002, 17, False)]
    )
    def test_what_may_pass_is_told_from_what_lasts(self, number: int, severity: int, lasting: bool) -> None:
        assert translated(Denied((tokens.Told(number, 1, severity, "x"),)), "y").permanent is lasting
