import subprocess
from itertools import combinations
from pathlib import Path
from shutil import which

import pyrage
import pytest

from keyturn.escrow.envelope import Custodian, Custody, EnvelopeError, open_envelope, opened_by, seal
from keyturn.model.accounts import Account, RealmName
from keyturn.model.secret import Secret

ACCOUNT = Account(RealmName("CORP"), "S-1", "svc-web")
KEYS = {name: pyrage.x25519.Identity.generate() for name in ("alice", "bob", "carol")}
CUSTODIANS = tuple(Custodian(name, str(key.to_public())) for name, key in KEYS.items())
IDENTITIES = {name: str(key) for name, key in KEYS.items()}


def envelope(needed: int) -> bytes:
    return seal(ACCOUNT, 3, Secret("Maple7Rain-42x"), Custody(CUSTODIANS, needed))


@pytest.mark.parametrize("needed", [1, 2, 3])
def test_every_set_of_enough_custodians_opens_it_and_no_smaller_one(needed: int) -> None:
    sealed = envelope(needed)
    for chosen in combinations(KEYS, needed):
        content, names = open_envelope(sealed, {name: IDENTITIES[name] for name in chosen})
        assert content.password == Secret("Maple7Rain-42x")
        assert (content.account, content.generation, names) == ("CORP\\svc-web", 3, chosen)
    for chosen in combinations(KEYS, needed - 1):
        with pytest.raises(EnvelopeError, match="do not open"):
            open_envelope(sealed, {name: IDENTITIES[name] for name in chosen})


def test_the_envelope_says_who_can_open_it_and_nothing_of_the_password() -> None:
    sealed = envelope(2)
    assert opened_by(sealed) == tuple(combinations(KEYS, 2))
    assert b"Maple7Rain" not in sealed


def test_a_strangers_key_under_a_custodians_name_names_the_layer() -> None:
    stranger = str(pyrage.x25519.Identity.generate())
    with pytest.raises(EnvelopeError, match="layer of bob"):
        open_envelope(envelope(2), {"alice": IDENTITIES["alice"], "bob": stranger})


def test_a_flipped_byte_is_found() -> None:
    sealed = bytearray(envelope(1))
    at = sealed.index(b"-----END") - 20
    sealed[at] = ord("A") if sealed[at] != ord("A") else ord("B")
    with pytest.raises(EnvelopeError):
        open_envelope(bytes(sealed), {"alice": IDENTITIES["alice"]})


def test_the_plain_age_tool_opens_it_without_keyturn(tmp_path: Path) -> None:
    age = which("age")
    if not age:
        pytest.skip("the age tool is not installed (Debian package: age)")
    sealed = envelope(2).decode()
    block = sealed.split("opens with: alice, bob\n")[1].split("\n\n")[0]
    data = block.encode()
    for name in ("alice", "bob"):
        key = tmp_path / name
        key.write_text(IDENTITIES[name])
        data = subprocess.run([age, "--decrypt", "-i", str(key)], input=data, capture_output=True, check=True).stdout
    assert b"Maple7Rain-42x" in data


@pytest.mark.parametrize(
    ("custodians", "needed"),
    [((), 1), (CUSTODIANS, 0), (CUSTODIANS, 4), ((CUSTODIANS[0], CUSTODIANS[0]), 1), ((Custodian("x", "age1no"),), 1)],
)
def test_a_custody_that_cannot_be_meant_is_refused(custodians: tuple[Custodian, ...], needed: int) -> None:
    with pytest.raises(ValueError, match=r"custodian|age recipient"):
        Custody(custodians, needed)


@pytest.mark.parametrize("junk", [b"", b"\xff\xfe", b"Keyturn envelope 1\n", b"hello"])
def test_what_is_no_envelope_is_told(junk: bytes) -> None:
    with pytest.raises(EnvelopeError):
        open_envelope(junk, {})
