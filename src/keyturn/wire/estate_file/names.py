"""Names that must be known, and names that must not repeat."""

from collections.abc import Collection, Hashable, Iterable, Iterator

from keyturn.model.spelling import nearest, shown
from keyturn.wire.estate_file.draft import Draft, Entry
from keyturn.wire.estate_file.problems import Problem

INSIDE_REFERENCES = frozenset("/\\")
"""`REALM/name` and `REALM\\name` stand for an account, so neither part can hold such a character."""


def unknown(
    entry: Entry[object], key: str, kind: str, name: str | None, known: Collection[str], *index: int
) -> Iterator[Problem]:
    """A name must be spelt as where it was given, so that everybody may compare it exactly."""
    if name and name not in known:
        yield entry.problem(key, f"names the unknown {kind} {shown(name)}", nearest(name, known), *index)


def unlisted(draft: Draft, entry: Entry[object], key: str, written: str | None, *index: int) -> Iterator[Problem]:
    """A reference to an account must lead to exactly one that is listed."""
    if not written:
        return
    found = draft.accounts_written(written)
    if not found:
        hint = "list it as an [[account]], or correct the name"
        yield entry.problem(key, f"names the unknown account {shown(written)}", hint, *index)
    if len(found) > 1:
        hint = "write " + " or ".join(shown(f"{account.realm}/{account.name}") for account in found)
        yield entry.problem(key, f"names account {shown(written)}, which is in more than one realm", hint, *index)


def repeated(named: Iterable[tuple[Entry[object], Hashable]], key: str) -> Iterator[Problem]:
    """`named` are entries, each with what must be its own."""
    first: dict[Hashable, Entry[object]] = {}
    for entry, name in named:
        earlier = first.setdefault(name, entry)
        if earlier is not entry:
            # Things of several kinds do not come in the order of the file.
            one, two = sorted((earlier, entry), key=lambda e: e.line(key))
            message = f"is there a second time, after line {one.line(key)}"
            yield two.problem(key, message, "names are compared without regard to case")
