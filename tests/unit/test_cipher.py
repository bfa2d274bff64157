"""Sealing passwords at rest, and the key that does it."""

import base64
import copy
import json
import os
import pickle
import stat
import traceback
from itertools import product
from pathlib import Path

import pytest

from keyturn.adapters.store.cipher import Cipher, Place, Purpose
from keyturn.adapters.store.errors import Tampered
from keyturn.adapters.store.seal_key import SealKey
from keyturn.model.errors import NotFound, Refused
from keyturn.model.secret import Secret

KEY = SealKey(bytes(range(32)))
PLACE = Place(Purpose.GENERATION, "account-1", 3, "plan-1")
SECRET = Secret("Turn-the-key-1")
SALT = bytes(16)


def test_what_is_sealed_opens_in_its_place() -> None:
    sealed = Cipher(KEY).seal(PLACE, SECRET)
    assert Cipher(SealKey(bytes(range(32)))).open(PLACE, sealed, "it") == SECRET


def test_no_two_records_of_one_password_are_alike() -> None:
    cipher = Cipher(KEY)
    assert len({cipher.seal(PLACE, SECRET) for _ in range(100)}) == 100


def test_a_record_holds_nothing_of_the_password_but_its_length() -> None:
    sealed = Cipher(KEY).seal(PLACE, SECRET)
    assert SECRET.reveal().encode() not in sealed
    assert len(sealed) == 1 + 12 + len(SECRET.reveal()) + 16


@pytest.mark.parametrize(
    "elsewhere",
    [
        Place(Purpose.GIVEN, "account-1", 3, "plan-1"),
        Place(Purpose.GENERATION, "account-2", 3, "plan-1"),
        Place(Purpose.GENERATION, "account-1", 2, "plan-1"),
        Place(Purpose.GENERATION, "account-1", 3, "plan-2"),
        Place(Purpose.GENERATION, "account-1", 3, ""),
    ],
)
def test_a_record_opens_nowhere_else(elsewhere: Place) -> None:
    sealed = Cipher(KEY).seal(PLACE, SECRET)
    with pytest.raises(Tampered, match="CORP generation 3"):
        Cipher(KEY).open(elsewhere, sealed, "CORP generation 3")


def test_no_two_places_look_alike_to_the_cipher() -> None:
    texts = ["", "1", "11", "1\x00", "\x00\x00\x00\x01"]
    places = [Place(purpose, a, g, p) for purpose, a, g, p in product(Purpose, texts, (0, 1, 11), texts)]
    assert len({place.associated_data() for place in places}) == len(places)


def test_another_key_opens_nothing() -> None:
    with pytest.raises(Tampered):
        Cipher(SealKey(bytes(32))).open(PLACE, Cipher(KEY).seal(PLACE, SECRET), "it")


def test_a_record_of_another_format_is_not_opened() -> None:
    sealed = Cipher(KEY).seal(PLACE, SECRET)
    with pytest.raises(Tampered):
        Cipher(KEY).open(PLACE, b"\x02" + sealed[1:], "it")


@pytest.mark.parametrize("text", ["", "ü", "\U0001f511", "\ud800", "a\x00b", "x" * 10_000])
def test_a_password_of_any_characters_is_sealed(text: str) -> None:
    assert Cipher(KEY).open(PLACE, Cipher(KEY).seal(PLACE, Secret(text)), "it").reveal() == text


# The key.


def test_a_key_shows_itself_nowhere() -> None:
    assert f"{KEY!r} {KEY} {[KEY]}" == "<seal key> <seal key> [<seal key>]"
    for write in (pickle.dumps, json.dumps, copy.copy):
        with pytest.raises(TypeError):
            write(KEY)  # type: ignore[operator]


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_key_of_another_length_is_none(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        SealKey(bytes(length))


def test_a_created_key_is_loaded_again(tmp_path: Path) -> None:
    made = SealKey.create(tmp_path / "seal.key")
    assert SealKey.load(tmp_path / "seal.key").reveal() == made.reveal()


def test_no_two_created_keys_are_alike(tmp_path: Path) -> None:
    assert len({SealKey.create(tmp_path / f"{n}").reveal() for n in range(5)}) == 5


def test_a_key_is_for_its_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        SealKey.create(tmp_path / "seal.key")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "seal.key").stat().st_mode) == 0o600


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    made = SealKey.create(tmp_path / "seal.key")
    with pytest.raises(Refused, match="never overwritten"):
        SealKey.create(tmp_path / "seal.key")
    (tmp_path / "link").symlink_to("elsewhere")
    with pytest.raises(Refused):
        SealKey.create(tmp_path / "link")
    assert SealKey.load(tmp_path / "seal.key").reveal() == made.reveal()
    assert not (tmp_path / "elsewhere").exists()


def test_a_key_that_could_not_be_written_whole_is_not_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "no space left")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        SealKey.create(tmp_path / "seal.key")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o602, 0o777])
def test_a_key_that_others_may_reach_is_not_loaded(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "seal.key"
    SealKey.create(path)
    path.chmod(mode)
    with pytest.raises(Refused, match="others") as refusal:
        SealKey.load(path)
    assert refusal.value.hint == f"chmod 600 {path}"


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_key_of_its_owner_alone_is_loaded(tmp_path: Path, mode: int) -> None:
    SealKey.create(tmp_path / "seal.key")
    (tmp_path / "seal.key").chmod(mode)
    SealKey.load(tmp_path / "seal.key")


def test_without_a_file_there_is_no_key(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"seal\.key"):
        SealKey.load(tmp_path / "seal.key")


GOOD = b"keyturn-seal-key-1 " + base64.b64encode(KEY.reveal())


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", KEY.reveal(), GOOD[:-5], GOOD + b"AAAA", GOOD.replace(b"key-1", b"key-2"), GOOD[:-4] + b"!!!!"],
    ids=["empty", "a line", "raw bytes", "cut short", "too long", "another version", "no Base64"],
)
def test_a_file_that_holds_no_whole_key_is_refused_without_quoting_it(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "seal.key"
    path.touch(mode=0o600)
    path.write_bytes(content)
    with pytest.raises(Refused, match="no whole seal key") as refusal:
        SealKey.load(path)
    told = "".join(traceback.format_exception(refusal.value))
    assert base64.b64encode(KEY.reveal()).decode()[:12] not in told


def test_a_passphrase_makes_the_same_key_every_time() -> None:
    one, again = (SealKey.from_passphrase(Secret("correct horse"), SALT) for _ in range(2))
    assert one.reveal() == again.reveal()


def test_a_passphrase_typed_on_another_keyboard_is_the_same() -> None:
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    keys = {SealKey.from_passphrase(Secret(text), SALT).reveal() for text in (composed, decomposed)}
    assert len(keys) == 1


def test_another_passphrase_or_salt_makes_another_key() -> None:
    keys = {
        SealKey.from_passphrase(Secret(text), salt).reveal()
        for text, salt in (("correct horse", SALT), ("Correct horse", SALT), ("correct horse", bytes([1] * 16)))
    }
    assert len(keys) == 3


def test_a_passphrase_key_is_argon2id_as_the_rfc_says() -> None:
    from argon2.low_level import Type, hash_secret_raw

    raw = hash_secret_raw(b"correct horse", SALT, 3, 65536, 4, 32, Type.ID)
    assert SealKey.from_passphrase(Secret("correct horse"), SALT).reveal() == raw


@pytest.mark.parametrize(("text", "salt"), [("", SALT), ("correct horse", bytes(15))])
def test_no_passphrase_or_too_little_salt_makes_no_key(text: str, salt: bytes) -> None:
    with pytest.raises(Refused):
        SealKey.from_passphrase(Secret(text), salt)
