"""An envelope: the content once for every set of custodians that together may open it, in nested age files.

The text form is made for the worst day: each block is an armoured age file, headed by the names in the order in which
its layers open. `age --decrypt -i first.key block | age --decrypt -i second.key` opens it without Keyturn.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import pyrage

from keyturn.model.accounts import AnyAccount
from keyturn.model.errors import KeyturnError
from keyturn.model.secret import Secret

TITLE = "Keyturn envelope 1"
_OPENS = "opens with: "
_END = "-----END AGE ENCRYPTED FILE-----"
MOST_CUSTODIANS = 7


class EnvelopeError(KeyturnError):
    """The envelope cannot be opened with these keys, or is damaged; the message names the layer."""


@dataclass(frozen=True, slots=True)
class Custodian:
    """Who can help to open. `recipient` is an age recipient, `age1…`."""

    name: str
    recipient: str


@dataclass(frozen=True, slots=True)
class Custody:
    """Any `needed` of the custodians together open an envelope. Raises ValueError for what cannot be meant."""

    custodians: tuple[Custodian, ...]
    needed: int = 1

    def __post_init__(self) -> None:
        names = [c.name for c in self.custodians]
        if not 1 <= self.needed <= len(names) <= MOST_CUSTODIANS:
            raise ValueError(f"{self.needed} of {len(names)} custodians: at least 1 of at most {MOST_CUSTODIANS}")
        if len({n.casefold() for n in names}) < len(names) or len({c.recipient for c in self.custodians}) < len(names):
            raise ValueError("a custodian stands there twice")
        if any(not name.strip() or not name.isprintable() or "," in name for name in names):
            raise ValueError("a custodian's name is one printable word or more, without a comma")
        for custodian in self.custodians:
            try:
                pyrage.x25519.Recipient.from_str(custodian.recipient)
            except pyrage.RecipientError:
                raise ValueError(f"{custodian.name}: not an age recipient (age1…)") from None


@dataclass(frozen=True, slots=True)
class Content:
    """What an envelope holds. It says itself which account and generation it is for: a swapped one is seen."""

    account: str
    generation: int
    password: Secret


def seal(account: AnyAccount, generation: int, password: Secret, custody: Custody) -> bytes:
    content = json.dumps({"account": str(account), "generation": generation, "password": password.reveal()})
    blocks = [
        f"{_OPENS}{', '.join(c.name for c in holders)}\n{_nest(content.encode(), holders)}\n"
        for holders in combinations(custody.custodians, custody.needed)
    ]
    head = f"{TITLE}\naccount: {account}\ngeneration: {generation}\n"
    return "\n".join([head, *blocks]).encode()


def open_envelope(envelope: bytes, keys: Mapping[str, str]) -> tuple[Content, tuple[str, ...]]:
    """The content, and the custodians whose age identities (`AGE-SECRET-KEY-1…`, by name) opened it.

    Raises EnvelopeError when no set of custodians named in the envelope is covered by `keys`, or a layer fails.
    """
    blocks = _blocks(envelope)
    for names, block in blocks:
        if all(name in keys for name in names):
            return _content(_peel(block, names, keys)), names
    wanted = " or ".join(" with ".join(names) for names, _ in blocks)
    raise EnvelopeError("these keys do not open the envelope", hint=f"it opens with {wanted}")


def opened_by(envelope: bytes) -> tuple[tuple[str, ...], ...]:
    """The sets of custodians that can open the envelope."""
    return tuple(names for names, _ in _blocks(envelope))


def _nest(content: bytes, holders: Sequence[Custodian]) -> str:
    """The first custodian's layer is the outermost."""
    for custodian in reversed(holders):
        recipient = pyrage.x25519.Recipient.from_str(custodian.recipient)
        content = pyrage.encrypt(content, [recipient], armored=True)
    return content.decode().strip()


def _peel(block: bytes, names: tuple[str, ...], keys: Mapping[str, str]) -> bytes:
    for name in names:
        try:
            identity = pyrage.x25519.Identity.from_str(keys[name].strip())
        except pyrage.IdentityError:
            raise EnvelopeError(f"the key given for {name} is no age identity") from None
        try:
            block = pyrage.decrypt(block, [identity])
        except pyrage.DecryptError:
            raise EnvelopeError(
                f"the layer of {name} does not open", hint="another key than at sealing, or the layer is damaged"
            ) from None
    return block


def _blocks(envelope: bytes) -> list[tuple[tuple[str, ...], bytes]]:
    try:
        text = envelope.decode()
    except UnicodeDecodeError:
        raise EnvelopeError("not an envelope: it is not text") from None
    if not text.startswith(TITLE):
        raise EnvelopeError(f"not an envelope: it does not begin with '{TITLE}'")
    found = []
    for part in text.split(_OPENS)[1:]:
        names, _, block = part.partition("\n")
        found.append((tuple(names.split(", ")), (block.partition(_END)[0] + _END + "\n").encode()))
    if not found:
        raise EnvelopeError("the envelope has no sealed block left")
    return found


def _content(plain: bytes) -> Content:
    try:
        fields = json.loads(plain)
        return Content(str(fields["account"]), int(fields["generation"]), Secret(fields["password"]))
    except (ValueError, KeyError, TypeError):
        raise EnvelopeError("the innermost layer opens, and its content is not an envelope's") from None
