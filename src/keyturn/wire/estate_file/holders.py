"""Rules for clients, client groups and consumers: their names, where they stand and what they hold."""

import re
from collections.abc import Callable, Iterator, Set

from keyturn.model.accounts import canonical
from keyturn.model.estate import Consumer, Holder
from keyturn.model.spelling import shown
from keyturn.wire.estate_file.draft import Draft
from keyturn.wire.estate_file.names import repeated, unknown, unlisted
from keyturn.wire.estate_file.problems import Problem

MOST_CLIENTS = 1_000_000
"""In all groups together: forecasts and plans name each one."""

_MEMBER = re.compile(r"(?P<group>.+)-(?P<number>[0-9]{4,7})")


def _one_of_each(draft: Draft) -> Iterator[Problem]:
    """Clients and consumers share one set of names: whoever proves a logon is known by its name alone."""
    named = ((entry, canonical(holder.name)) for entry, holder in draft.holders() if holder.name)
    yield from repeated(named, key="name")


def _group_members(draft: Draft) -> Iterator[Problem]:
    groups = {canonical(entry.thing.name): entry for entry in draft.groups}
    for entry, holder in draft.holders():
        match = _MEMBER.fullmatch(canonical(holder.name))
        group = groups.get(match["group"]) if match else None
        if match is None or group is None or not 1 <= int(match["number"]) <= group.thing.count:
            continue
        if match["number"] == f"{int(match['number']):04d}":
            message = f"bears the name of a member of client group {shown(group.thing.name)}"
            yield entry.problem("name", message, f"the group on line {group.line('name')} has {group.thing.count}")


def _count(draft: Draft) -> Iterator[Problem]:
    total = len(draft.clients)
    for entry in draft.groups:
        before, total = total, total + entry.thing.count
        if before <= MOST_CLIENTS < total:
            yield entry.problem("count", f"brings the number of clients above {MOST_CLIENTS:,}")


def _sites(draft: Draft) -> Iterator[Problem]:
    for entry, holder in draft.holders():
        yield from unknown(entry, "site", "site", holder.site, draft.site_coded)


def _accounts(draft: Draft) -> Iterator[Problem]:
    for entry in draft.consumers:
        for index, written in enumerate(entry.thing.accounts):
            yield from unlisted(draft, entry, "accounts", written, index)


def _replicas(draft: Draft) -> Iterator[Problem]:
    """A client logs on in the realm of its site or in one that realm trusts; a consumer, where its accounts are."""
    for entry, holder in draft.holders():
        if holder.replica is None:
            continue
        consumer = entry.thing if isinstance(entry.thing, Consumer) else None
        realms = _site_realms(draft, holder) | (_account_realms(draft, consumer) if consumer else set())
        known = {replica for name in realms for replica in draft.realm_named[name].thing.replicas}
        if realms:
            yield from unknown(entry, "replica", "replica", holder.replica, known)


def _password_lengths(draft: Draft) -> Iterator[Problem]:
    """Whoever cuts a password presents a wrong one ever after (Q318396)."""
    for entry in draft.consumers:
        longest = entry.thing.holder.max_password_length
        for name in sorted(_account_realms(draft, entry.thing)):
            least = draft.realm_named[name].thing.policy.min_length
            if longest is not None and longest < least:
                message = f"holds at most {longest} characters, but realm {shown(name)} demands at least {least}"
                yield entry.problem("max_password_length", message)


def _site_realms(draft: Draft, holder: Holder) -> Set[str]:
    home = draft.home(holder.site)
    return {home.name, *home.trusts} & draft.realm_named.keys() if home else set()


def _account_realms(draft: Draft, consumer: Consumer) -> Set[str]:
    found = (account for written in consumer.accounts for account in draft.accounts_written(written))
    return {account.realm for account in found} & draft.realm_named.keys()


RULES: tuple[Callable[[Draft], Iterator[Problem]], ...] = (
    _one_of_each,
    _group_members,
    _count,
    _sites,
    _accounts,
    _replicas,
    _password_lengths,
)
