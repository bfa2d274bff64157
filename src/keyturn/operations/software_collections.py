"""Collections: the clients that something is advertised to, listed or found by what is known of them."""

from collections.abc import Sequence

from keyturn.distribution.collections import findings_of_queries, members
from keyturn.distribution.findings import Finding
from keyturn.distribution.queries import read_query
from keyturn.model.accounts import canonical
from keyturn.model.errors import NotFound, Refused
from keyturn.model.names import is_name, refuse_no_name
from keyturn.model.software import Collection, CollectionId
from keyturn.operations.neighbours import here, tree
from keyturn.operations.parts import Parts
from keyturn.operations.secondary import refuse_at_secondary
from keyturn.operations.software_changes import changing, live
from keyturn.operations.software_owner import refuse_from_above
from keyturn.operations.software_ports import Numbered
from keyturn.operations.software_reading import known_clients

MOST_QUERIES = 50


def add(
    parts: Parts, name: str, listed: Sequence[str], queries: Sequence[str], *, replacing: bool = False, by: str
) -> Collection:
    """`listed` are clients of the estate, or of sites below. `queries` in the language of `distribution.queries`: who
    meets any of them is in it. `replacing`: in the place of the one of that name; what was agreed to with that one has
    to be agreed to with this."""
    refuse_at_secondary(parts, "software", "keyturn collection add")
    refuse_no_name(name, "a collection")
    alternatives = tuple(conditions for query in queries for conditions in read_query(query))
    if len(alternatives) > MOST_QUERIES:
        raise Refused(f"a collection has at most {MOST_QUERIES} queries", hint="make several collections")
    with changing(parts, by=by):
        clients = _of_the_estate(parts, listed)
        collection = Collection(_identifier(parts, name, replacing), name, clients, alternatives)
        parts.store.keep_collection(collection)
        kind = "collection-changed" if replacing else "collection-added"
        said = f"{name}: {len(clients)} listed; {'; '.join(queries)}"
        parts.store.tell(by, kind, collection.collection_id, said[:2000])
    return collection


def members_of(parts: Parts, name: str) -> tuple[str, ...]:
    """As of now."""
    return members(parts.store.collection(name), known_clients(parts))


def doubts_of(parts: Parts, collection: Collection) -> tuple[Finding, ...]:
    """As of now: what its queries ask for that no client has told."""
    return findings_of_queries(collection, known_clients(parts)) if collection.queries else ()


def remove(parts: Parts, name: str, *, by: str) -> None:
    with changing(parts, by=by):
        collection = parts.store.collection(name)
        this = collection.collection_id
        refuse_from_above(parts, f"collection {this}", this, f"keyturn collection remove {this}")
        used = [a.advertisement.advertisement_id for a in live(parts) if a.advertisement.collection == this]
        if used:
            raise Refused(
                f"collection {collection.name} is advertised to by {', '.join(used)}",
                hint="keyturn advertisement cancel ID",
            )
        parts.store.remove_collection(this)
        parts.store.tell(by, "collection-removed", this, collection.name)


def _identifier(parts: Parts, name: str, replacing: bool) -> CollectionId:
    if replacing:
        this = parts.store.collection(name).collection_id
        refuse_from_above(parts, f"collection {this}", this, f"keyturn collection add {name} --replace")
        return this
    try:
        taken = parts.store.collection(name)
    except NotFound:
        return CollectionId(f"{parts.settings.site}C{parts.store.next_number(Numbered.COLLECTION):04X}")
    raise Refused(f"collection {taken.collection_id} is named {taken.name}", hint="--replace puts this in its place")


def _of_the_estate(parts: Parts, listed: Sequence[str]) -> tuple[str, ...]:
    known = {canonical(client.name): client.name for client in known_clients(parts)}
    strangers = [name for name in listed if canonical(name) not in known]
    if strangers and (not _has_sites_below(parts) or not all(map(is_name, strangers))):
        raise NotFound(f"no client {', '.join(strangers)} in the estate", hint="keyturn estate show")
    return tuple(dict.fromkeys(known.get(canonical(name), name) for name in listed))


def _has_sites_below(parts: Parts) -> bool:
    """Whose clients this site does not know: one of theirs may bear any name."""
    return len(tree(parts).branch(here(parts).code)) > 1
