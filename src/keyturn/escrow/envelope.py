"""An envelope: the content once for every set of custodians that together may open it, in nested age files.

`age --decrypt -i first.key block | age --decrypt -i second.key` opens a block without Keyturn.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import pyrage

from keyturn.escrow.custody import Custodian, Custody, fingerprint_of_identity
from keyturn.escrow.outside import (
    BEGIN,
    MOST_BYTES,
    Block,
    EnvelopeError,
    Outside,
    block_text,
    choices,
    head,
    read_outside,
)
from keyturn.model.accounts import AnyAccount
from keyturn.model.secret import Secret


@dataclass(frozen=True, slots=True)
class Content:
    """What an envelope holds. It says itself what it is for: one that was swapped, or whose head was altered, is
    seen when it is opened."""

    account: str
    generation: int
    site: str
    password: Secret


@dataclass(frozen=True, slots=True)
class Opened:
    """`by` are the custodians whose keys opened it; `damaged` names what these keys should have opened too."""

    content: Content
    by: tuple[str, ...]
    damaged: tuple[str, ...] = ()


def seal(account: AnyAccount, generation: int, password: Secret, custody: Custody, *, site: str) -> bytes:
    content = Secret(
        json.dumps({"account": str(account), "generation": generation, "site": site, "password": password.reveal()})
    )
    blocks = [
        Block(tuple(c.name for c in holders), _nest(content, holders))
        for holders in combinations(custody.custodians, custody.needed)
    ]
    top = head(str(account), generation, site, custody.fingerprints)
    return "\n".join([top, *map(block_text, blocks)]).encode()


def open_envelope(envelope: bytes, keys: Mapping[str, str]) -> Opened:
    """By custodians' age identities (`AGE-SECRET-KEY-1…`), by name. Of a single block, as one comes off paper, the
    layers are those of `keys` in their order.

    Raises EnvelopeError when no set of custodians named in the envelope is covered by `keys`, when no block that is
    covered opens (naming the layer), or when the head and the content do not agree.
    """
    if envelope.lstrip().startswith(BEGIN.encode()):
        return Opened(_peel(_single(envelope, keys), keys, {}), tuple(keys))
    outside = read_outside(envelope)
    refuse_uncovered(outside.opens_with, keys)
    faults: list[EnvelopeError] = []
    for block in outside.blocks:
        if all(name in keys for name in block.names):
            try:
                content = _peel(block, keys, outside.custodians)
            except EnvelopeError as fault:
                faults.append(fault)
            else:
                _refuse_altered(outside, content)
                return Opened(content, block.names, tuple(fault.message for fault in faults))
    raise EnvelopeError("; ".join(dict.fromkeys(fault.message for fault in faults)), hint=faults[0].hint)


def refuse_uncovered(opens_with: Iterable[tuple[str, ...]], names: Iterable[str]) -> None:
    given, sets = set(names), tuple(opens_with)
    if not any(given.issuperset(needed) for needed in sets):
        raise EnvelopeError("these keys do not open the envelope", hint=f"it opens with {choices(sets)}")


def refuse_other_keys(pinned: Mapping[str, str], keys: Mapping[str, str]) -> None:
    """Before an envelope is asked for: whether each key is the one its custodian's fingerprint was pinned from."""
    for name, identity in keys.items():
        mark = _mark(name, identity)
        if name in pinned and pinned[name] != mark:
            raise _another_key(name, mark, pinned[name])


def _nest(content: Secret, holders: Sequence[Custodian]) -> str:
    """The first custodian's layer is the outermost, and the only one in armour: each armour adds a third."""
    *outer, innermost = holders
    layer = pyrage.encrypt(content.reveal().encode(), [_recipient(innermost)], armored=not outer)
    for custodian in reversed(outer):
        layer = pyrage.encrypt(layer, [_recipient(custodian)], armored=custodian is holders[0])
    return str(layer.decode()).strip() + "\n"


def _recipient(custodian: Custodian) -> pyrage.x25519.Recipient:
    return pyrage.x25519.Recipient.from_str(custodian.recipient)


def _peel(block: Block, keys: Mapping[str, str], pinned: Mapping[str, str]) -> Content:
    *outer, innermost = block.names
    layer = block.armour.encode()
    for name in outer:
        layer = _without_layer(layer, block, name, keys[name], pinned)
    content = _read(Secret(_without_layer(layer, block, innermost, keys[innermost], pinned).decode("utf-8", "replace")))
    if content is None:
        raise EnvelopeError(f"{block.title} opens, and its content is not an envelope's")
    return content


def _without_layer(layer: bytes, block: Block, name: str, identity: str, pinned: Mapping[str, str]) -> bytes:
    mark = _mark(name, identity)
    try:
        return bytes(pyrage.decrypt(layer, [pyrage.x25519.Identity.from_str(identity.strip())]))
    except pyrage.DecryptError:
        if name in pinned and pinned[name] != mark:
            raise _another_key(name, mark, pinned[name]) from None
        raise EnvelopeError(
            f"the layer of {name} in {block.title} {'is damaged' if name in pinned else 'does not open'}",
            hint="another set of custodians, an earlier copy or the paper may open",
        ) from None


def _mark(name: str, identity: str) -> str:
    try:
        return fingerprint_of_identity(identity)
    except ValueError:
        raise EnvelopeError(f"the key given for {name} is no age identity") from None


def _another_key(name: str, given: str, pinned: str) -> EnvelopeError:
    return EnvelopeError(
        f"the key given for {name} is {given}, and the layer of {name} is sealed for {pinned}",
        hint="the fingerprint is that of the custodian's recipient: keyturn envelope list",
    )


def _single(block: bytes, keys: Mapping[str, str]) -> Block:
    if len(block) > MOST_BYTES:
        raise EnvelopeError(f"not an envelope: it has more than {MOST_BYTES} bytes")
    return Block(tuple(keys), block.decode("ascii", "replace").strip() + "\n")


def _read(content: Secret) -> Content | None:
    """None instead of an error: a traceback with its values would show the content in clear."""
    try:
        fields = json.loads(content.reveal())
        return Content(
            str(fields["account"]), int(fields["generation"]), str(fields["site"]), Secret(fields["password"])
        )
    except (ValueError, KeyError, TypeError):
        return None


def _refuse_altered(outside: Outside, content: Content) -> None:
    said = (outside.account, outside.generation, outside.site)
    holds = (content.account, content.generation, content.site)
    if said != holds:
        raise EnvelopeError(
            f"the envelope says {said[0]} generation {said[1]} of site {said[2]}, "
            f"and holds {holds[0]} generation {holds[1]} of site {holds[2]}",
            hint="it was altered or exchanged: keyturn envelope verify, and keyturn audit-log show, for who had it",
        )
