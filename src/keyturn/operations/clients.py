"""Agents: invited, enrolled, told what to do with each credential, and believed when they prove one."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from keyturn.model.accounts import AnyAccount, Credential, same_name
from keyturn.model.errors import NotFound
from keyturn.model.estate import ACCESS_POINT_ROLE, Estate, Proof
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret
from keyturn.operations.client_ports import EnrolledClient
from keyturn.operations.entitlements import offer_to_enrolled
from keyturn.operations.gate import SOON_S, Adopt, Direction, Drop, Wait, direct
from keyturn.operations.left_out import is_left_out
from keyturn.operations.parts import Parts

_NOT_OF_THE_PASSWORD = frozenset({Answer.LOCKED, Answer.REVOKED, Answer.NO_SHARE, Answer.NO_FILE})
"""Brought about by others, and over when they have seen to it: these say nothing of a credential or of its rights."""


def invite(parts: Parts, name: str, *, by: str) -> Secret:
    """A token that enrols exactly this machine, once, within the settings' time."""
    _known_machine(parts, name)
    token = Secret(parts.token())
    with parts.store.whole():
        parts.store.invite(name, hash_token(token), parts.now() + parts.settings.invitation_s, by)
        parts.store.tell(by, "client-invited", name)
    return token


def enrol(parts: Parts, token: Secret, name: str, verify_key: bytes, recipient: str) -> EnrolledClient:
    client = EnrolledClient(name, verify_key, recipient, enrolled_at=parts.now())
    with parts.store.whole():
        parts.store.enrol(hash_token(token), client)
        parts.store.tell(name, "client-enrolled", name)
    offer_to_enrolled(parts, only=name)
    return client


@dataclass(frozen=True, slots=True)
class Contact:
    """A machine that asks. `held` is what it says it keeps, by `REALM\\name`."""

    name: str
    held: Mapping[str, int]

    def keeps(self, account: AnyAccount) -> int | None:
        return self.held.get(str(account))


@dataclass(frozen=True, slots=True)
class Handed:
    """A credential that goes out now, to be sealed to the holder's key. `succeeds`: the accounts in whose place it
    comes, newest first."""

    credential: Credential
    secret: Secret
    anew: bool = False
    succeeds: tuple[AnyAccount, ...] = ()


def direct_all(parts: Parts, contacts: Sequence[Contact]) -> list[list[Direction]]:
    """What each machine is to do, `Adopt` where it has a place for trying. One reading serves all of them, and one
    transaction all who want a place for the same credential."""
    offers = parts.store.offers_to({contact.name for contact in contacts})
    found = [[direct(o, contact.keeps(o.account)) for o in offers[contact.name]] for contact in contacts]
    placed = _take_places(parts, contacts, found)
    settled = ([_settled(d, contact, placed) for d in each] for contact, each in zip(contacts, found, strict=True))
    return [[direction for direction in each if direction is not None] for each in settled]


def published(parts: Parts, name: str) -> list[Direction | Handed]:
    """What an ungated agent finds at the access point: the newest credentials, without a gate or a place to take."""
    return hand_out(parts, offered(parts, [name])[name])


def offered(parts: Parts, names: Collection[str]) -> dict[str, list[Direction]]:
    """The same without the passwords, for many in one reading."""
    offers = parts.store.offers_to(names)
    return {
        name: [d for d in (direct(offer, None) for offer in offers[name]) if isinstance(d, Adopt | Drop)]
        for name in names
    }


def hand_out(parts: Parts, directions: Sequence[Direction]) -> list[Direction | Handed]:
    """With the password of each credential to adopt."""
    return [_handed(parts, each) if isinstance(each, Adopt) else each for each in directions]


def _handed(parts: Parts, adopt: Adopt) -> Handed:
    credential = adopt.credential
    secret, before = parts.store.secret(credential), parts.store.predecessors(credential.account)
    return Handed(credential, secret, adopt.anew, before)


def report(parts: Parts, name: str, account: str, generation: int, answer: Answer) -> bool:
    """The machine's own word on a logon. False for a credential it was never given."""
    try:
        credential = Credential(parts.store.named(account).account, generation)
    except NotFound:
        return False
    if answer in _NOT_OF_THE_PASSWORD:
        return True
    if answer is Answer.ACCEPTED:
        known = parts.store.prove(name, credential, Proof.REPORTED, parts.now())
    else:
        known = parts.store.refuse(name, credential, answer, parts.now())
    parts.wake()
    return known


def readmit(parts: Parts, name: str, *, by: str) -> None:
    """A holder that was refused a credential may try once more, and keeps the others from it no longer: somebody has
    looked why. It need not have keys here: a site server has its own site's, and a forgotten machine has none."""
    if not parts.store.clients_of([name]) and not parts.store.offers(name):
        raise NotFound(f"{name} was never offered a credential", hint="keyturn client list")
    with parts.store.whole():
        parts.store.readmit(name, parts.now())
        parts.store.tell(by, "client-readmitted", name)


def access_share(parts: Parts, name: str) -> str | None:
    """The first share that is a client access point of the machine's site, and in use. None: the site's own server
    is."""
    machine, estate = parts.machine(name), parts.store.document()
    site = machine.site if machine and machine.site else parts.settings.site
    systems = (s for s in estate.systems if same_name(s.site, site) and ACCESS_POINT_ROLE in s.roles)
    without = parts.store.left_out()
    return next((s.share for s in systems if s.share and not is_left_out(s.name, without)), None)


def machines_of(estate: Estate) -> set[str]:
    """Everything that may have an agent, by name."""
    machines = {h.name for h in estate.all_clients()} | {c.holder.name for c in estate.consumers}
    return machines | {site.server for site in estate.sites} | {system.name for system in estate.systems}


def hash_token(token: Secret) -> bytes:
    return hashlib.sha256(token.reveal().encode()).digest()


def _take_places(
    parts: Parts, contacts: Sequence[Contact], found: Sequence[Sequence[Direction]]
) -> dict[Credential, frozenset[str]]:
    """Who has one. Records too who has forgotten what was to be dropped."""
    wanting: dict[Credential, list[str]] = defaultdict(list)
    forgetting: dict[AnyAccount, list[str]] = defaultdict(list)
    for contact, directions in zip(contacts, found, strict=True):
        for direction in directions:
            match direction:
                case Adopt(credential):
                    wanting[credential].append(contact.name)
                case Drop(account) if contact.keeps(account) is None:
                    forgetting[account].append(contact.name)
    for account, names in forgetting.items():
        parts.store.dropped(account, names, parts.now())
    return {credential: parts.store.take(credential, names, parts.now()) for credential, names in wanting.items()}


def _settled(direction: Direction, contact: Contact, placed: Mapping[Credential, frozenset[str]]) -> Direction | None:
    match direction:
        case Drop(account) if contact.keeps(account) is None:
            return None
        case Adopt(credential) if contact.name not in placed[credential]:
            return Wait(credential.account, SOON_S, "others are trying it first")
        case _:
            return direction


def _known_machine(parts: Parts, name: str) -> None:
    if name not in machines_of(parts.store.document()):
        raise NotFound(f"no machine {name} in the estate", hint="keyturn estate show")
