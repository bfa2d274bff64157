"""Every rule an estate keeps beyond the form of its file."""

from collections.abc import Callable, Iterator

from keyturn.wire.estate_file import accounts, holders, realms, sites
from keyturn.wire.estate_file.draft import Draft
from keyturn.wire.estate_file.problems import Problem

RULES: tuple[Callable[[Draft], Iterator[Problem]], ...] = (
    *realms.RULES,
    *sites.RULES,
    *accounts.RULES,
    *holders.RULES,
)


def check(draft: Draft) -> Iterator[Problem]:
    for rule in RULES:
        yield from rule(draft)
