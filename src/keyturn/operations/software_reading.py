"""What people authored, what of it is in force, and to which clients it is offered."""

from collections.abc import Mapping
from dataclasses import dataclass

from keyturn.distribution.approval import Standing, Subject, is_agreed
from keyturn.distribution.authored import Authored
from keyturn.distribution.collections import CLIENT_KINDS, Facts, KnownClient, known_client, members
from keyturn.model.accounts import canonical
from keyturn.model.software import Advertisement, CollectionId
from keyturn.operations.parts import Parts
from keyturn.operations.software_owner import is_from_above
from keyturn.operations.software_ports import Advertised, SoftwareStore


@dataclass(frozen=True, slots=True)
class InForce:
    """The advertisements that clients may be offered, and the reading of everything else by which that was found:
    nothing read at another moment may be put beside it. `members` of each collection that is advertised to."""

    authored: Authored
    advertisements: tuple[Advertisement, ...]
    members: Mapping[CollectionId, tuple[str, ...]]


def in_force(parts: Parts) -> InForce:
    """Nothing is in it that is cancelled, has expired, or waits for another person's approval."""
    read = authored(parts.store)
    found = tuple(
        each.advertisement
        for each in parts.store.advertised()
        if standing(parts, each, read.subject(each.advertisement)) is Standing.IN_FORCE
    )
    clients = known_clients(parts)
    wanted = {each.collection for each in found}
    return InForce(read, found, {name: members(read.collections[name], clients) for name in wanted})


def standing(parts: Parts, advertised: Advertised, subject: Subject | None) -> Standing:
    expires_at = advertised.advertisement.expires_at
    if advertised.cancelled:
        return Standing.CANCELLED
    if expires_at is not None and expires_at <= parts.now():
        return Standing.EXPIRED
    return Standing.IN_FORCE if subject is not None and _agreed(parts, subject) else Standing.WAITING


def _agreed(parts: Parts, subject: Subject) -> bool:
    """What was handed down is offered as its own site has agreed to it, and never otherwise."""
    consents = parts.store.consents(subject.advertisement.advertisement_id)
    if is_from_above(parts, subject.advertisement.advertisement_id):
        digest = subject.digest
        return any(consent.digest == digest for consent in consents)
    return is_agreed(subject, consents, two_persons=parts.settings.two_person_approval)


def authored(store: SoftwareStore) -> Authored:
    return Authored(
        packages={package.package_id: package for package in store.packages()},
        programs={program.ref: program for program in store.programs()},
        collections={collection.collection_id: collection for collection in store.collections()},
        contents=store.content_digests(),
    )


def known_clients(parts: Parts) -> tuple[KnownClient, ...]:
    """The machines of this site's estate that run software, each with what it told of itself."""
    told: dict[str, Facts] = {canonical(each.client): each.facts for each in parts.store.facts()}
    return tuple(
        known_client(holder, told.get(canonical(holder.name), {}))
        for holder in parts.store.document().all_clients()
        if holder.kind in CLIENT_KINDS
    )
