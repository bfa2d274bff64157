"""Who really uses an account: the records of its directory and scans of machines, held against the estate."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from keyturn.lifecycle.holders import names_of_holders
from keyturn.lifecycle.own_accounts import reached_with
from keyturn.model.accounts import AnyAccount, canonical
from keyturn.model.estate import AccountLife, Estate, ManagedAccount, Sighted
from keyturn.operations.parts import Parts
from keyturn.operations.secondary import refuse_at_secondary


@dataclass(frozen=True, slots=True)
class Record:
    """`domain` as the directory wrote it: a short name, a DNS name, or nothing."""

    domain: str
    name: str
    seen: Sighted


@dataclass(frozen=True, slots=True)
class Found:
    """`holder`: the estate names the source as a holder of the account."""

    account: AnyAccount
    seen: Sighted
    holder: bool


def to_look_for(parts: Parts) -> tuple[str, ...]:
    """The accounts whose names a machine may be told, to look for them in its own files: those of the estate that are
    still there, except the ones with which Keyturn itself reaches realms. Nobody else may hold those, and whoever
    knows a name can try passwords until it is locked."""
    refuse_at_secondary(parts, "accounts", "keyturn estate discover --holders FILE")
    estate = parts.store.estate()
    return tuple(
        str(managed.account)
        for managed in estate.accounts
        if managed.life is not AccountLife.DELETED and not reached_with(estate, managed)
    )


def learnt(parts: Parts) -> tuple[Found, ...]:
    """All that is kept, by account and source."""
    estate = parts.store.estate()
    return tuple(
        each
        for place, managed in enumerate(estate.accounts)
        for each in _held_against(estate, place, managed.sightings)
    )


def learn(parts: Parts, records: Sequence[Record], *, by: str) -> tuple[Found, ...]:
    """Keep what is about accounts of the estate, and say who is a stranger to it. Records of others are left out."""
    refuse_at_secondary(parts, "accounts", "keyturn estate discover --holders FILE")
    estate = parts.store.estate()
    by_account: dict[int, list[Sighted]] = defaultdict(list)
    for record in records:
        place = _place(estate, record)
        if place is not None:
            by_account[place].append(record.seen)
    found = tuple(each for place, seen in by_account.items() for each in _held_against(estate, place, seen))
    strangers = sum(not each.holder and each.seen.accepted > 0 for each in found)
    with parts.store.whole():
        for place, seen in by_account.items():
            parts.store.see(estate.accounts[place].account, seen)
        parts.store.tell(
            by, "holders-seen", parts.settings.site, f"{len(found)} sources, {strangers} of them strangers"
        )
    return found


def _held_against(estate: Estate, place: int, seen: Sequence[Sighted]) -> list[Found]:
    if not seen:
        return []
    managed = estate.accounts[place]
    names = set(map(canonical, names_of_holders(estate, managed)))
    return [Found(managed.account, one, canonical(one.source) in names) for one in seen]


def _place(estate: Estate, record: Record) -> int | None:
    """Of the account in the estate. None for another's, and where a bare name could be more than one."""
    found = [n for n, managed in enumerate(estate.accounts) if _is_of(managed, record)]
    return found[0] if len(found) == 1 else None


def _is_of(managed: ManagedAccount, record: Record) -> bool:
    if canonical(managed.account.name) != canonical(record.name):
        return False
    realm, domain = canonical(managed.account.realm), canonical(record.domain)
    return not domain or domain in (realm, realm.partition(".")[0]) or domain.partition(".")[0] == realm
