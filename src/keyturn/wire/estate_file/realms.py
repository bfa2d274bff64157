"""Rules for realms and the trusts between them."""

from collections.abc import Callable, Iterator

from keyturn.model.accounts import canonical
from keyturn.wire.estate_file.draft import Draft
from keyturn.wire.estate_file.names import INSIDE_REFERENCES, repeated, unknown, unlisted
from keyturn.wire.estate_file.problems import Problem


def _one_of_each(draft: Draft) -> Iterator[Problem]:
    yield from repeated(
        ((entry, canonical(entry.thing.name)) for entry in draft.realms if entry.thing.name), key="name"
    )


def _names(draft: Draft) -> Iterator[Problem]:
    for entry in draft.realms:
        if INSIDE_REFERENCES & set(entry.thing.name):
            yield entry.problem("name", "has a slash in its name", "accounts are written as REALM/name")


def _replicas(draft: Draft) -> Iterator[Problem]:
    for entry in draft.realms:
        if not entry.thing.replicas:
            yield entry.problem("replicas", "has no replica", "leave replicas out where there is one only")


def _trusts(draft: Draft) -> Iterator[Problem]:
    for entry in draft.realms:
        for index, trusted in enumerate(entry.thing.trusts):
            if trusted == entry.thing.name:
                yield entry.problem("trusts", "trusts itself", "leave it out: a realm always does", index)
            yield from unknown(entry, "trusts", "realm", trusted, draft.realm_named, index)


def _bind_accounts(draft: Draft) -> Iterator[Problem]:
    """A name that means nothing would let the account that Keyturn itself needs be rotated."""
    for entry in draft.realms:
        yield from unlisted(draft, entry, "bind_account", entry.thing.bind_account)
        yield from unlisted(draft, entry, "second_bind_account", entry.thing.second_bind_account)


RULES: tuple[Callable[[Draft], Iterator[Problem]], ...] = (_one_of_each, _names, _replicas, _trusts, _bind_accounts)
