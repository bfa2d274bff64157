"""Agents: invited, enrolled, told what to do with each credential, and believed when they prove one."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from keyturn.model.accounts import Credential
from keyturn.model.errors import NotFound
from keyturn.model.estate import Proof
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret
from keyturn.operations.entitlements import offer_to_enrolled
from keyturn.operations.gate import SOON_S, Adopt, Direction, Drop, Wait, direct
from keyturn.operations.parts import Parts
from keyturn.operations.ports import EnrolledClient, Offer


def invite(parts: Parts, name: str, *, by: str) -> Secret:
    """A token that enrols exactly this machine, once, within the settings' time."""
    _known_machine(parts, name)
    token = Secret(parts.token())
    parts.store.invite(name, hash_token(token), parts.now() + parts.settings.invitation_s, by)
    parts.store.tell(by, "client-invited", name)
    return token


def enrol(parts: Parts, token: Secret, name: str, verify_key: bytes, recipient: str) -> EnrolledClient:
    client = EnrolledClient(name, verify_key, recipient, enrolled_at=parts.now())
    parts.store.enrol(hash_token(token), client)
    parts.store.tell(name, "client-enrolled", name)
    offer_to_enrolled(parts, only=name)
    return client


@dataclass(frozen=True, slots=True)
class Handed:
    """A credential that goes out now, to be sealed to the holder's key."""

    credential: Credential
    secret: Secret
    anew: bool = False


def check_in(parts: Parts, name: str, held: Mapping[str, int]) -> list[Direction | Handed]:
    """What the machine is to do with each account. `held` is what it says it keeps, by `REALM\\name`."""
    found = (_direct(parts, name, offer, held.get(str(offer.account))) for offer in parts.store.offers(name))
    return [direction for direction in found if direction is not None]


def published(parts: Parts, name: str) -> list[Direction | Handed]:
    """What an ungated agent finds at the access point: the newest credentials, without a gate or a place to take."""
    found: list[Direction | Handed] = []
    for offer in parts.store.offers(name):
        direction = direct(offer, None)
        if isinstance(direction, Adopt):
            found.append(Handed(direction.credential, parts.store.secret(direction.credential)))
        elif isinstance(direction, Drop):
            found.append(direction)
    return found


def report(parts: Parts, name: str, account: str, generation: int, answer: Answer) -> bool:
    """The machine's own word on a logon. False for a credential it was never given. A locked account says nothing of
    the password."""
    try:
        credential = Credential(parts.store.named(account).account, generation)
    except NotFound:
        return False
    if answer is Answer.LOCKED:
        return True
    if answer is Answer.ACCEPTED:
        known = parts.store.prove(name, credential, Proof.REPORTED, parts.now())
    else:
        known = parts.store.refuse(name, credential, answer, parts.now())
    parts.wake()
    return known


def readmit(parts: Parts, name: str, *, by: str) -> None:
    """A machine that was refused a credential may try once more: somebody has looked why."""
    parts.store.readmit(parts.store.client(name).name, parts.now())
    parts.store.tell(by, "client-readmitted", name)


def hash_token(token: Secret) -> bytes:
    return hashlib.sha256(token.reveal().encode()).digest()


def _direct(parts: Parts, name: str, offer: Offer, held: int | None) -> Direction | Handed | None:
    direction = direct(offer, held)
    match direction:
        case Drop(account) if held is None:
            parts.store.dropped(name, account, parts.now())
            return None
        case Adopt(credential, anew):
            if not parts.store.take(name, credential, parts.now()):
                return Wait(credential.account, SOON_S, "others are trying it first")
            return Handed(credential, parts.store.secret(credential), anew)
        case _:
            return direction


def _known_machine(parts: Parts, name: str) -> None:
    estate = parts.store.estate()
    machines = {h.name for h in estate.all_clients()} | {c.holder.name for c in estate.consumers}
    machines |= {site.server for site in estate.sites} | {system.name for system in estate.systems}
    if name not in machines:
        raise NotFound(f"no machine {name} in the estate", hint="keyturn estate show")
