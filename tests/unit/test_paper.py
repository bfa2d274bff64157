"""The paper for the safe: what can be read from it is what was sealed."""

import base64
import re
import subprocess
import zlib
from pathlib import Path
from shutil import which

import pyrage
import pytest

from keyturn.escrow.custody import Custodian, Custody
from keyturn.escrow.envelope import open_envelope, seal
from keyturn.escrow.outside import END, EnvelopeError, read_outside
from keyturn.escrow.paper import LINES_A_CODE, Printing, codes, words
from keyturn.escrow.pdf import draw
from keyturn.model.accounts import Account, RealmName
from keyturn.model.secret import Secret

KEYS = {name: pyrage.x25519.Identity.generate() for name in ("alice", "bob", "carol", "dora")}
IDENTITIES = {name: str(key) for name, key in KEYS.items()}
PASSWORD = Secret("Maple7Rain-42x")
PRINTING = Printing("k7qd-2m9x", "2031-05-06")


def envelope(needed: int, name: str = "svc-web") -> bytes:
    custody = Custody(tuple(Custodian(name, str(key.to_public())) for name, key in KEYS.items()), needed)
    return seal(Account(RealmName("CORP"), "S-1", name), 3, PASSWORD, custody, site="PHX")


def lines_of(pdf: bytes) -> list[str]:
    """Every line of text that the pages show, in the order in which they are drawn."""
    streams = [
        zlib.decompress(base64.a85decode(found.strip(), adobe=False))
        for found in re.findall(rb"stream\s*(.*?)~>\s*endstream", pdf, re.S)
    ]
    shown = re.findall(rb"\(((?:\\.|[^\\)])*)\) Tj", b"\n".join(streams))
    return [re.sub(r"\\([0-7]{3}|.)", _unescaped, text.decode("latin-1")) for text in shown]


def _unescaped(found: "re.Match[str]") -> str:
    escaped = found.group(1)
    return bytes([int(escaped, 8)]).decode("cp1252") if len(escaped) == 3 else escaped


def blocks_on(pdf: bytes) -> dict[str, str]:
    """The text beside the codes, put together by the names that stand over them."""
    found: dict[str, str] = {}
    names = ""
    for line in lines_of(pdf):
        if heading := re.fullmatch(r"opens with: (.*) \(code \d+ of \d+\)", line):
            names = heading.group(1)
        elif names and not line.startswith("CORP\\"):
            found[names] = found.get(names, "") + line + "\n"
    return found


@pytest.mark.parametrize("needed", [1, 2, 3, 4])
def test_the_codes_of_a_block_in_order_are_the_block(needed: int) -> None:
    outside = read_outside(envelope(needed))
    found: dict[str, str] = {}
    for code in codes(outside):
        names = code.caption.removeprefix("opens with: ").partition(" (")[0]
        found[names] = found.get(names, "") + code.text
        assert code.text.count("\n") <= LINES_A_CODE
        assert code.text.isascii()
    assert found == {", ".join(block.names): block.armour for block in outside.blocks}


def test_a_block_of_two_custodians_is_one_code() -> None:
    assert all("(code 1 of 1)" in code.caption for code in codes(read_outside(envelope(2))))


def test_the_plain_age_tool_opens_what_the_paper_shows(tmp_path: Path) -> None:
    age = which("age")
    if not age:
        pytest.skip("the age tool is not installed (Debian package: age)")
    blocks = blocks_on(draw(envelope(3), PRINTING))
    assert len(blocks) == 4
    data = blocks["alice, bob, dora"].encode()
    for name in ("alice", "bob", "dora"):
        key = tmp_path / name
        key.write_text(IDENTITIES[name])
        data = subprocess.run([age, "--decrypt", "-i", str(key)], input=data, capture_output=True, check=True).stdout
    assert PASSWORD.reveal().encode() in data


def test_keyturn_opens_what_the_paper_shows() -> None:
    block = blocks_on(draw(envelope(2), PRINTING))["bob, dora"]
    assert open_envelope(block.encode(), {n: IDENTITIES[n] for n in ("bob", "dora")}).content.password == PASSWORD


def test_the_paper_says_which_it_is_who_opens_it_and_how_and_not_the_password() -> None:
    sealed = envelope(2)
    shown = "\n".join(lines_of(draw(sealed, PRINTING)))
    fingerprints = read_outside(sealed).custodians.values()
    for text in ("k7qd-2m9x", "CORP\\svc-web", "PHX", "2031-05-06", "Any 2 of these 4", *KEYS, *fingerprints):
        assert text in shown, text
    assert "age --decrypt -i 'alice.key' block | age --decrypt -i 'bob.key'" in shown
    assert PASSWORD.reveal() not in shown


def test_letters_that_the_fonts_lack_are_shown_as_numbers() -> None:
    shown = lines_of(draw(envelope(1, "Ökonom-Ωmega"), PRINTING))
    assert any("CORP\\Ökonom-\\u03a9mega" in line for line in shown)


def test_a_damaged_envelope_is_not_put_into_a_safe() -> None:
    sealed = envelope(2).decode()
    broken = sealed[: sealed.index(END) - 30] + sealed[sealed.index(END) :]
    with pytest.raises(EnvelopeError, match="not printed: the block of alice with bob is damaged"):
        draw(broken.encode(), PRINTING)


def test_the_words_name_the_custodians_in_the_order_of_the_layers() -> None:
    assert "    age --decrypt -i 'alice.key' block" in words(read_outside(envelope(1)), PRINTING)
