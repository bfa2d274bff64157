"""What an envelope says without being opened. None of it is proven but by its digest, or by opening.

The text form is made for the worst day: a head for people, then each block as an armoured age file under the names in
whose order its layers open.
"""

import base64
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations

from keyturn.model.errors import KeyturnError

TITLE = "Keyturn envelope 1"
BEGIN = "-----BEGIN AGE ENCRYPTED FILE-----"
END = "-----END AGE ENCRYPTED FILE-----"
MOST_BYTES = 1_000_000
"""Ten times an envelope of four of seven custodians, the largest there is."""

_OPENS = "opens with: "
_CUSTODIAN = "custodian: "
_AGE = b"age-encryption.org/v1\n"
_MAC = b"\n--- "
_SHORTEST_BODY = 43 + 1 + 16 + 16
"""The header's MAC and its line end, the nonce, and the tag of an empty file (age-encryption.org/v1)."""


class EnvelopeError(KeyturnError):
    """The envelope cannot be opened with these keys, or is damaged; the message names the layer."""


@dataclass(frozen=True, slots=True)
class Block:
    """The content once, sealed to these custodians together. `names[0]` has the outermost layer."""

    names: tuple[str, ...]
    armour: str

    @property
    def title(self) -> str:
        return f"the block of {together(self.names)}"


@dataclass(frozen=True, slots=True)
class Outside:
    """`custodians` are names with fingerprints. `faults` names every block that is missing or malformed."""

    account: str
    generation: int
    site: str
    custodians: dict[str, str]
    blocks: tuple[Block, ...]
    digest: str
    faults: tuple[str, ...]

    @property
    def opens_with(self) -> tuple[tuple[str, ...], ...]:
        return tuple(block.names for block in self.blocks)

    @property
    def needed(self) -> int:
        return min(map(len, self.opens_with))


def head(account: str, generation: int, site: str, custodians: dict[str, str]) -> str:
    lines = [TITLE, f"account: {account}", f"generation: {generation}", f"site: {site}"]
    return "\n".join([*lines, *(f"{_CUSTODIAN}{name} {mark}" for name, mark in custodians.items()), ""])


def block_text(block: Block) -> str:
    return f"{_OPENS}{', '.join(block.names)}\n{block.armour}"


def read_outside(envelope: bytes) -> Outside:
    """Raises EnvelopeError for what is no envelope at all, or has no block left."""
    top, *parts = _text(envelope).split(_OPENS)
    blocks = tuple(_block(part) for part in parts)
    if not blocks:
        raise EnvelopeError("the envelope has no sealed block left")
    fields = dict(line.split(": ", 1) for line in top.splitlines() if ": " in line and not line.startswith(_CUSTODIAN))
    named = [line.removeprefix(_CUSTODIAN).rpartition(" ") for line in top.splitlines() if line.startswith(_CUSTODIAN)]
    custodians = {name: mark for name, _, mark in named}
    generation = fields.get("generation", "")
    return Outside(
        account=fields.get("account", ""),
        generation=int(generation) if generation.isascii() and generation.isdecimal() else 0,
        site=fields.get("site", ""),
        custodians=custodians,
        blocks=blocks,
        digest=digest_of(envelope),
        faults=tuple(_faults(custodians, blocks)),
    )


def digest_of(envelope: bytes) -> str:
    return hashlib.sha256(envelope).hexdigest()


def choices(opens_with: Iterable[tuple[str, ...]]) -> str:
    return " or ".join(map(together, opens_with))


def together(names: tuple[str, ...]) -> str:
    return " with ".join(names)


def _text(envelope: bytes) -> str:
    if len(envelope) > MOST_BYTES:
        raise EnvelopeError(f"not an envelope: it has more than {MOST_BYTES} bytes")
    try:
        text = envelope.decode().replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise EnvelopeError("not an envelope: it is not text") from None
    if not text.startswith(f"{TITLE}\n"):
        raise EnvelopeError(f"not an envelope: it does not begin with '{TITLE}'")
    return text


def _block(part: str) -> Block:
    names, _, rest = part.partition("\n")
    armour, end, _ = rest.partition(END)
    return Block(tuple(names.split(", ")), f"{armour}{end}\n")


def _faults(custodians: dict[str, str], blocks: tuple[Block, ...]) -> Iterator[str]:
    found = [block.names for block in blocks]
    for names in combinations(custodians, min(map(len, found))):
        if found.count(names) != 1:
            yield f"{Block(names, '').title} is {'there twice' if names in found else 'missing'}"
    for block in blocks:
        if not _well_formed(block.armour):
            yield f"{block.title} is damaged"
        if strangers := [name for name in block.names if name not in custodians]:
            yield f"{block.title} names {', '.join(strangers)}, who is no custodian of the envelope"


def _well_formed(armour: str) -> bool:
    """Whether it is an age file in whole; whether its layers open shows only at opening."""
    lines = armour.splitlines()
    if lines[:1] != [BEGIN] or lines[-1] != END:
        return False
    try:
        age = base64.b64decode("".join(lines[1:-1]), validate=True)
    except ValueError:
        return False
    return age.startswith(_AGE + b"-> X25519 ") and len(age.partition(_MAC)[2]) > _SHORTEST_BODY
