"""Who really uses an account: the records of its directory, held against the estate."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from keyturn.lifecycle.holders import holders_of
from keyturn.model.accounts import AnyAccount, canonical
from keyturn.model.estate import Estate, ManagedAccount, Sighted
from keyturn.operations.parts import Parts


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


def learn(parts: Parts, records: Sequence[Record], *, by: str) -> tuple[Found, ...]:
    """Keep what is about accounts of the estate, and say who is a stranger to it. Records of others are left out."""
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
    managed = estate.accounts[place]
    names = {canonical(holder.name) for holder in holders_of(estate, managed)}
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
