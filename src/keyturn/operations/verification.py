"""Whether the envelope in the store is the one that was sealed, and the password in it the one the realm has."""

from collections.abc import Iterator
from dataclasses import dataclass

from keyturn.escrow.outside import EnvelopeError, Outside, read_outside
from keyturn.lifecycle.ports import ReplicaState
from keyturn.model.accounts import Account, same_name
from keyturn.model.errors import KeyturnError
from keyturn.model.estate import AccountLife
from keyturn.operations.envelopes import EnvelopesOf, all_envelopes, envelopes_of
from keyturn.operations.parts import Parts
from keyturn.operations.ports import KeptEnvelope


@dataclass(frozen=True, slots=True)
class Verified:
    """`faults` are what is wrong, in sentences; `note` what a person should know besides."""

    account: str
    generation: int | None
    faults: tuple[str, ...]
    note: str = ""


def verify(parts: Parts, account: str | None = None) -> tuple[Verified, ...]:
    """Of one account, or of every one that is in its realm. Costs no logon: the realm's mark tells whether the
    password was changed since it was proven live."""
    if account is not None:
        return (_verified(parts, envelopes_of(parts, account)),)
    return tuple(_verified(parts, each) for each in all_envelopes(parts) if each.managed.life != AccountLife.DELETED)


def _verified(parts: Parts, found: EnvelopesOf) -> Verified:
    managed = found.managed
    faults = [fault for kept in found.kept for fault in _faults_of(parts, found, kept)]
    live = next((kept for kept in found.kept if kept.live), None)
    candidate = next((kept for kept in found.kept if not kept.live), None)
    if live is None and managed.generation is None:
        faults.append("Keyturn does not know its live password, so no envelope holds it")
    elif live is None:
        faults.append(f"there is no envelope of generation {managed.generation}, which is live")
    else:
        faults += _outdated(parts, live, candidate)
    note = (
        f"generation {candidate.generation} is sealed too: whether the realm has taken it is open" if candidate else ""
    )
    return Verified(str(managed.account), managed.generation, tuple(faults), note)


def _faults_of(parts: Parts, found: EnvelopesOf, kept: KeptEnvelope) -> Iterator[str]:
    which = f"the envelope of generation {kept.generation}"
    try:
        outside = read_outside(kept.envelope)
    except EnvelopeError as error:
        yield f"{which} is damaged: {error.message}"
        return
    yield from (f"{which}: {fault}" for fault in outside.faults)
    if outside.generation != kept.generation or not same_name(outside.account, str(kept.account)):
        yield f"{which} says that it is of {outside.account} generation {outside.generation}"
    recorded = found.history.digests.get(kept.generation)
    if recorded is None:
        yield f"the digest of {which} is not recorded: keyturn envelope seal records it"
    elif recorded != outside.digest:
        yield f"{which} is not the one that was sealed: its digest is another than the recorded one"
    yield from _strange_custody(parts, which, outside)


def _strange_custody(parts: Parts, which: str, outside: Outside) -> Iterator[str]:
    custody = parts.custody()
    if custody and (outside.custodians, outside.needed) != (custody.fingerprints, custody.needed):
        yield f"{which} is sealed for other custodians than keyturn.toml names: keyturn envelope seal renews it"


def _outdated(parts: Parts, live: KeptEnvelope, candidate: KeptEnvelope | None) -> Iterator[str]:
    account = live.account
    if not isinstance(account, Account):
        yield "its identity in the realm is not known"
        return
    try:
        pinned = parts.authorities(account.realm).describe(account).pinned
    except KeyturnError as error:
        yield f"whether the password is current is not known: {error.message}"
        return
    if pinned.version != live.version and not (candidate and _may_be(candidate, pinned)):
        yield (
            f"the realm's password is another than the sealed one: its mark is {pinned.version}, "
            f"and generation {live.generation} was proven live under {live.version}"
        )


def _may_be(candidate: KeptEnvelope, pinned: ReplicaState) -> bool:
    """Whether the realm's mark is one that the candidate would have, had it landed."""
    if pinned.counted:
        return pinned.version == candidate.version_before + 1
    return pinned.version != candidate.version_before
