"""What stands on the paper for the safe: words for whoever finds it, and every block as codes that a camera reads."""

from collections.abc import Iterator
from dataclasses import dataclass

from keyturn.escrow.outside import Block, EnvelopeError, Outside, read_outside

LINES_A_CODE = 20
"""Of 64 characters each: one code for two custodians, of 137 modules a side, half a millimetre each on the paper."""


@dataclass(frozen=True, slots=True)
class Printing:
    """Which print this is. `serial` tells the paper from every other; `at` is a date for people."""

    serial: str
    at: str


@dataclass(frozen=True, slots=True)
class Code:
    """`text` is a whole block, or a part of one: the parts of a block put together in order are the block."""

    caption: str
    text: str


def words(outside: Outside, printing: Printing) -> list[str]:
    first = outside.opens_with[0]
    return [
        f"Account: {outside.account}",
        f"Generation of the password: {outside.generation}",
        f"Site: {outside.site}",
        f"Serial of this paper: {printing.serial}",
        f"Printed {printing.at}",
        "",
        f"Any {outside.needed} of these {len(outside.custodians)} open it together, each with their own age key:",
        *(f"    {name}    fingerprint {mark}" for name, mark in outside.custodians.items()),
        "",
        "How to open it, on a computer with the program age (age-encryption.org):",
        "1. Every code on the pages after this one stands under the names of custodians who can open it together.",
        "2. Scan the code under the names of those who are present into a file called block. Where a block has several "
        "codes, put their texts one after the other, in the order of their numbers. The text beside each is the same.",
        "3. Peel the layers in the order of the names, for example:",
        f"    {_pipeline(first)}",
        "The password is in what comes out, with the account and the generation it is for.",
        "",
        "Whoever opens it tells the administrator, and the account gets a new password.",
        "A change of the password makes this paper void: 'keyturn envelope list' names the serials that are.",
        f"Once a quarter: 'keyturn envelope drill ... --serial {printing.serial}' proves that it still opens.",
    ]


def codes(outside: Outside) -> list[Code]:
    return [code for block in outside.blocks for code in _codes(block)]


def readable(envelope: bytes) -> Outside:
    """Raises EnvelopeError instead of putting a damaged block into a safe."""
    outside = read_outside(envelope)
    if outside.faults:
        raise EnvelopeError(f"not printed: {outside.faults[0]}", hint="keyturn envelope seal makes it anew")
    return outside


def _codes(block: Block) -> Iterator[Code]:
    lines = block.armour.splitlines(keepends=True)
    parts = [lines[at : at + LINES_A_CODE] for at in range(0, len(lines), LINES_A_CODE)]
    for number, part in enumerate(parts, 1):
        yield Code(f"opens with: {', '.join(block.names)} (code {number} of {len(parts)})", "".join(part))


def _pipeline(names: tuple[str, ...]) -> str:
    first, *rest = (f"age --decrypt -i '{name}.key'" for name in names)
    return " | ".join([f"{first} block", *rest])
