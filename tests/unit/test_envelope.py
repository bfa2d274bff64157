import re
import subprocess
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from shutil import which

import pyrage
import pytest

from keyturn.escrow.custody import Custodian, Custody, fingerprint, fingerprint_of_identity
from keyturn.escrow.drill import answer, is_answer
from keyturn.escrow.envelope import Content, open_envelope, refuse_other_keys, seal
from keyturn.escrow.outside import BEGIN, END, MOST_BYTES, EnvelopeError, read_outside
from keyturn.model.accounts import Account, RealmName
from keyturn.model.secret import Secret

ACCOUNT = Account(RealmName("CORP"), "S-1", "svc-web")
KEYS = {name: pyrage.x25519.Identity.generate() for name in ("alice", "bob", "carol")}
CUSTODIANS = tuple(Custodian(name, str(key.to_public())) for name, key in KEYS.items())
IDENTITIES = {name: str(key) for name, key in KEYS.items()}
PASSWORD = Secret("Maple7Rain-42x")


def envelope(needed: int, generation: int = 3) -> bytes:
    return seal(ACCOUNT, generation, PASSWORD, Custody(CUSTODIANS, needed), site="PHX")


def keys_of(*names: str) -> dict[str, str]:
    return {name: IDENTITIES[name] for name in names}


def damaged_in_block(sealed: bytes, names: str) -> bytes:
    """One character of the block's last line of data is another, and still Base64."""
    at = sealed.index(b"\n" + END.encode(), sealed.index(f"opens with: {names}\n".encode())) - 20
    return sealed[:at] + (b"B" if sealed[at : at + 1] == b"A" else b"A") + sealed[at + 1 :]


@pytest.mark.parametrize("needed", [1, 2, 3])
def test_every_set_of_enough_custodians_opens_it_and_no_smaller_one(needed: int) -> None:
    sealed = envelope(needed)
    for chosen in combinations(KEYS, needed):
        opened = open_envelope(sealed, keys_of(*chosen))
        assert opened.content == Content("CORP\\svc-web", 3, "PHX", PASSWORD)
        assert (opened.by, opened.damaged) == (chosen, ())
    for chosen in combinations(KEYS, needed - 1):
        with pytest.raises(EnvelopeError, match="do not open"):
            open_envelope(sealed, keys_of(*chosen))


def test_the_outside_says_what_it_is_for_and_who_opens_it_and_nothing_of_the_password() -> None:
    sealed = envelope(2)
    outside = read_outside(sealed)
    assert (outside.account, outside.generation, outside.site) == ("CORP\\svc-web", 3, "PHX")
    assert outside.opens_with == tuple(combinations(KEYS, 2))
    assert outside.needed == 2
    assert outside.custodians == {c.name: c.fingerprint for c in CUSTODIANS}
    assert outside.faults == ()
    assert b"Maple7Rain" not in sealed


def test_an_age_file_cut_short_at_a_whole_line_is_damaged() -> None:
    lines = envelope(1).decode().splitlines()
    end = lines.index(END)
    cut = "\n".join([*lines[: end - 4], *lines[end:]])
    assert read_outside(cut.encode()).faults == ("the block of alice is damaged",)


def test_two_sealings_of_the_same_have_two_digests() -> None:
    assert read_outside(envelope(1)).digest != read_outside(envelope(1)).digest


def test_a_fingerprint_is_the_same_from_the_recipient_and_from_the_identity() -> None:
    marks = [fingerprint(c.recipient) for c in CUSTODIANS]
    assert marks == [fingerprint_of_identity(identity) for identity in IDENTITIES.values()]
    assert len(set(marks)) == 3
    assert all(len(mark) == 19 for mark in marks)


# Keys that are not the custodian's, and layers that are damaged.


def test_a_strangers_key_under_a_custodians_name_is_told_with_both_fingerprints() -> None:
    stranger = str(pyrage.x25519.Identity.generate())
    with pytest.raises(EnvelopeError, match="layer of bob is sealed for") as refusal:
        open_envelope(envelope(2), keys_of("alice") | {"bob": stranger})
    assert CUSTODIANS[1].fingerprint in refusal.value.message
    assert fingerprint_of_identity(stranger) in refusal.value.message
    assert stranger not in refusal.value.message


def test_a_key_that_is_not_the_pinned_one_is_known_before_an_envelope_is_asked_for() -> None:
    pinned = {c.name: c.fingerprint for c in CUSTODIANS}
    refuse_other_keys(pinned, IDENTITIES)
    with pytest.raises(EnvelopeError, match="the key given for alice"):
        refuse_other_keys(pinned, {"alice": IDENTITIES["bob"]})


def test_what_is_no_key_is_told_without_repeating_it() -> None:
    with pytest.raises(EnvelopeError, match="given for alice is no age identity") as refusal:
        open_envelope(envelope(1), {"alice": "Maple7Rain-42x"})
    assert "Maple" not in refusal.value.message


def test_a_damaged_layer_is_named_with_its_block() -> None:
    sealed = damaged_in_block(envelope(2), "alice, bob")
    with pytest.raises(EnvelopeError, match="the layer of alice in the block of alice with bob is damaged"):
        open_envelope(sealed, keys_of("alice", "bob"))


def test_a_damaged_inner_layer_is_that_of_the_second_custodian() -> None:
    bob = pyrage.x25519.Recipient.from_str(CUSTODIANS[1].recipient)
    alice = pyrage.x25519.Recipient.from_str(CUSTODIANS[0].recipient)
    inner = bytearray(pyrage.encrypt(b"{}", [bob]))
    inner[-1] ^= 1
    block = pyrage.encrypt(bytes(inner), [alice], armored=True).decode()
    whole = envelope(2).decode()
    start = whole.index(BEGIN)
    end = whole.index(END) + len(END)
    with pytest.raises(EnvelopeError, match="the layer of bob in the block of alice with bob is damaged"):
        open_envelope((whole[:start] + block.strip() + whole[end:]).encode(), keys_of("alice", "bob"))


def test_another_block_opens_where_one_is_damaged_and_the_damage_is_named() -> None:
    sealed = damaged_in_block(envelope(2), "alice, bob")
    opened = open_envelope(sealed, IDENTITIES)
    assert opened.content.password == PASSWORD
    assert opened.by == ("alice", "carol")
    assert opened.damaged == ("the layer of alice in the block of alice with bob is damaged",)


@pytest.mark.parametrize(
    ("old", "new"),
    [("generation: 3", "generation: 4"), ("account: CORP\\svc-web", "account: CORP\\svc-sql"), ("PHX", "TUC")],
)
def test_a_head_that_was_altered_is_found_at_opening(old: str, new: str) -> None:
    altered = envelope(1).replace(old.encode(), new.encode(), 1)
    with pytest.raises(EnvelopeError, match=r"the envelope says .* and holds CORP\\svc-web generation 3 of site PHX"):
        open_envelope(altered, IDENTITIES)


# What can be seen from outside.


@pytest.mark.parametrize(
    ("break_it", "fault"),
    [
        (lambda text: re.sub(r"opens with: alice, carol.*?\n\n", "", text, flags=re.S),
         "the block of alice with carol is missing"),
        (lambda text: text.replace("opens with: bob, carol", "opens with: alice, bob"),
         "the block of alice with bob is there twice"),
        (lambda text: text.replace("opens with: bob, carol", "opens with: bob, mallory"),
         "the block of bob with mallory names mallory"),
        (lambda text: text[: text.rindex(END) - 30], "the block of bob with carol is damaged"),
        (lambda text: text.replace(BEGIN + "\n", BEGIN + "\n!", 1), "the block of alice with bob is damaged"),
        (lambda text: text.replace(BEGIN + "\nY", BEGIN + "\nZ", 1), "the block of alice with bob is damaged"),
    ],
)  # fmt: skip
def test_a_fault_that_shows_from_outside_names_the_block(break_it: Callable[[str], str], fault: str) -> None:
    broken = break_it(envelope(2).decode()).encode()
    assert any(found.startswith(fault) for found in read_outside(broken).faults), read_outside(broken).faults


@pytest.mark.parametrize("junk", [b"", b"\xff\xfe", b"Keyturn envelope 1\n", b"hello", b"Keyturn envelope 12\n"])
def test_what_is_no_envelope_is_told(junk: bytes) -> None:
    for reading in (lambda: open_envelope(junk, {}), lambda: read_outside(junk)):
        with pytest.raises(EnvelopeError):
            reading()


def test_what_is_too_large_to_be_an_envelope_is_not_read() -> None:
    for large in (b"Keyturn envelope 1\n", BEGIN.encode()):
        with pytest.raises(EnvelopeError, match="more than"):
            open_envelope(large + b"x" * MOST_BYTES, IDENTITIES)


def test_line_ends_of_another_system_do_no_harm() -> None:
    foreign = envelope(2).replace(b"\n", b"\r\n")
    assert read_outside(foreign).faults == ()
    assert open_envelope(foreign, IDENTITIES).content.password == PASSWORD


# Without Keyturn, and from paper.


def block_of(sealed: bytes, names: str) -> str:
    return sealed.decode().split(f"opens with: {names}\n")[1].split("\n\n")[0]


@pytest.mark.parametrize(("needed", "names"), [(1, "carol"), (2, "alice, bob"), (3, "alice, bob, carol")])
def test_the_plain_age_tool_opens_it_without_keyturn(tmp_path: Path, needed: int, names: str) -> None:
    age = which("age")
    if not age:
        pytest.skip("the age tool is not installed (Debian package: age)")
    data = block_of(envelope(needed), names).encode()
    for name in names.split(", "):
        key = tmp_path / name
        key.write_text(IDENTITIES[name])
        data = subprocess.run([age, "--decrypt", "-i", str(key)], input=data, capture_output=True, check=True).stdout
    assert b"Maple7Rain-42x" in data


def test_a_single_block_opens_with_the_keys_in_the_order_of_its_layers() -> None:
    block = block_of(envelope(2), "alice, carol").encode()
    assert open_envelope(block, keys_of("alice", "carol")).content.password == PASSWORD
    with pytest.raises(EnvelopeError, match="the layer of carol in the block of carol with alice does not open"):
        open_envelope(block, keys_of("carol", "alice"))


# Custody, and the answer of a drill.


@pytest.mark.parametrize(
    ("custodians", "needed"),
    [((), 1), (CUSTODIANS, 0), (CUSTODIANS, 4), ((CUSTODIANS[0], CUSTODIANS[0]), 1), ((Custodian("x", "age1no"),), 1)],
)
def test_a_custody_that_cannot_be_meant_is_refused(custodians: tuple[Custodian, ...], needed: int) -> None:
    with pytest.raises(ValueError, match=r"custodian|age recipient"):
        Custody(custodians, needed)


def test_an_answer_is_for_one_password_one_challenge_and_one_generation() -> None:
    content = Content("CORP\\svc-web", 3, "PHX", PASSWORD)
    given = answer(content, "k7qd2m9x")
    assert is_answer(given, content, "k7qd2m9x")
    others = [
        (Content("CORP\\svc-web", 3, "PHX", Secret("Another-1")), "k7qd2m9x"),
        (Content("CORP\\svc-web", 4, "PHX", PASSWORD), "k7qd2m9x"),
        (Content("CORP\\svc-sql", 3, "PHX", PASSWORD), "k7qd2m9x"),
        (content, "another1"),
    ]
    assert not any(is_answer(given, *other) for other in others)
    assert not is_answer("ä", content, "k7qd2m9x")
