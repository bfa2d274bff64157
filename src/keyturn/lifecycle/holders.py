"""Who holds an account: by the part a machine plays in a site, and by name in the estate."""

from collections.abc import Collection, Iterator, Sequence
from itertools import chain

from keyturn.lifecycle.catalogue.products import row
from keyturn.lifecycle.catalogue.rules import HeldBy
from keyturn.model.accounts import canonical, reference
from keyturn.model.estate import ClientGroup, Estate, Holder, HolderKind, ManagedAccount, SiteCode

_CLIENTS = {
    HeldBy.LEGACY_CLIENTS: HolderKind.LEGACY_CLIENT,
    HeldBy.ADVANCED_CLIENTS: HolderKind.ADVANCED_CLIENT,
}


def names_of_holders(estate: Estate, managed: ManagedAccount) -> tuple[str, ...]:
    """Everybody who keeps the account's password, each once, in the estate's order."""
    return tuple(dict.fromkeys(chain.from_iterable(map(_names, _sources(estate, managed)))))


def crowds_of(estate: Estate, managed: ManagedAccount) -> Iterator[tuple[Collection[str], Holder]]:
    """The same in crowds, with a holder whom all of a crowd are like but for their names. Nobody is made one by one: a
    group may be a million. A name that comes twice is what the estate says of it last."""
    crowds = [(list(_names(source)), _alike(source)) for source in _sources(estate, managed)]
    last: dict[str, int] = {}
    for number, (names, _) in enumerate(crowds):
        last.update(dict.fromkeys(names, number))
    if len(last) == sum(len(names) for names, _ in crowds):
        yield from crowds
        return
    for number, (names, like) in enumerate(crowds):
        yield [name for name in names if last[name] == number], like


def a_holder_of(estate: Estate, managed: ManagedAccount) -> str | None:
    """The first; None for an account that nobody holds."""
    return next(chain.from_iterable(map(_names, _sources(estate, managed))), None)


def limited_holders_of(estate: Estate, managed: ManagedAccount) -> tuple[Holder, ...]:
    """Those that cannot keep a password of any length."""
    limited = (source for source in _sources(estate, managed) if _alike(source).max_password_length)
    return tuple(holder for source in limited for holder in _members(source))


def strangers_of(estate: Estate, managed: ManagedAccount) -> tuple[str, ...]:
    """Where the account was used from with success, by nobody whom the estate names as its holder."""
    if not managed.sightings:
        return ()
    known = set(map(canonical, names_of_holders(estate, managed)))
    return tuple(seen.source for seen in managed.sightings if seen.accepted and canonical(seen.source) not in known)


def _sources(estate: Estate, managed: ManagedAccount) -> list[Holder | ClientGroup]:
    return [*_by_role(estate, managed), *_by_name(estate, managed)]


def _members(source: Holder | ClientGroup) -> Iterator[Holder]:
    return source.members() if isinstance(source, ClientGroup) else iter((source,))


def _names(source: Holder | ClientGroup) -> Iterator[str]:
    return source.names() if isinstance(source, ClientGroup) else iter((source.name,))


def _alike(source: Holder | ClientGroup) -> Holder:
    return source.like if isinstance(source, ClientGroup) else source


def _by_role(estate: Estate, managed: ManagedAccount) -> Sequence[Holder | ClientGroup]:
    held_by = row(managed.role).held_by
    if held_by in _CLIENTS:
        return _clients(estate, _CLIENTS[held_by], managed.sites)
    if held_by is HeldBy.SITE_SERVERS:
        return [
            Holder(site.server, HolderKind.SITE_SERVER, site.code)
            for site in estate.sites
            if site.code in managed.sites
        ]
    if held_by is HeldBy.SITE_SYSTEMS:
        return [
            Holder(system.name, HolderKind.SITE_SYSTEM, system.site)
            for system in estate.systems
            if system.site in managed.sites
        ]
    return []


def _clients(estate: Estate, kind: HolderKind, sites: Collection[SiteCode]) -> list[Holder | ClientGroup]:
    """As `Estate.all_clients` has them."""
    wanted = set(sites)
    groups = [group for group in estate.groups if group.like.kind is kind and group.like.site in wanted]
    alone = [client for client in estate.clients if client.kind is kind and client.site in wanted]
    return [*alone, *groups]


def _by_name(estate: Estate, managed: ManagedAccount) -> list[Holder]:
    """Consumers that name the account, or one that it has succeeded: a cycle does not edit the estate file."""
    names = {reference(text) for m in _lineage(estate, managed) for text in (str(m.account), m.account.name)}
    return [c.holder for c in estate.consumers if names & {reference(name) for name in c.accounts}]


def _lineage(estate: Estate, managed: ManagedAccount) -> list[ManagedAccount]:
    """The account and those it descends from, newest first."""
    line = [managed]
    while earlier := [m for m in estate.accounts if m.successor == line[-1].account and m not in line]:
        line.append(earlier[0])
    return line
