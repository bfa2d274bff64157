"""Which clients are in a collection."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyturn.agent.facts import facts_of_this_machine
from keyturn.distribution.collections import (
    FROM_THE_CLIENT,
    KnownClient,
    findings_of_queries,
    known_client,
    meets,
    members,
)
from keyturn.distribution.queries import read_query
from keyturn.model.estate import Holder, HolderKind, SiteCode
from keyturn.model.software import Collection, CollectionId, Comparison, Condition

FACTS = {"os": ("Debian",), "os-version": ("12.4",), "address": ("10.0.0.7", "192.0.2.7"), "empty": ()}
COLLECTION = Collection(CollectionId("PHXC0001"), "Desks")


@pytest.mark.parametrize(
    ("query", "met"),
    [
        ("os is debian", True),
        ("os is ' DEBIAN '", True),
        ("os is deb", False),
        ("os is not debian", False),
        ("os is not windows", True),
        ("os like d*n", True),
        ("os like ?ebian", True),
        ("os like ?debian", False),
        ("os like *", True),
        ("os like deb*x", False),
        ("os-version at least 12", True),
        ("os-version at least 12.4", True),
        ("os-version at least 12.10", False),
        ("os-version at least 12.4.0", True),
        ("os-version at least 12.4rc1", True),
        ("os-version below 12.10", True),
        ("os-version below 12", False),
        ("address is 192.0.2.7", True),
        ("address like 10.*", True),
        ("address is not 192.0.2.7", False),
        ("address is not 192.0.2.8", True),
        ("empty is not x", False),
        ("unknown is x", False),
        ("unknown is not x", False),
        ("unknown below 3", False),
        ("os is debian and os-version at least 13", False),
        ("os is windows and os-version at least 3 or os is debian", True),
    ],
)
def test_a_client_meets_a_query(query: str, met: bool) -> None:
    collection = replace(COLLECTION, queries=read_query(query))
    assert members(collection, [KnownClient("PC-0001", FACTS)]) == (("PC-0001",) if met else ())


def test_who_is_listed_is_in_it_whatever_is_known_of_them() -> None:
    collection = replace(COLLECTION, listed=("pc-0002",), queries=read_query("os is debian"))
    clients = [KnownClient("PC-0003", {}), KnownClient("PC-0002", {}), KnownClient("PC-0001", FACTS)]
    assert members(collection, clients) == ("PC-0002", "PC-0001")


def test_a_collection_without_a_word_is_empty_and_so_is_an_empty_query() -> None:
    assert members(COLLECTION, [KnownClient("PC-0001", FACTS)]) == ()
    assert members(replace(COLLECTION, queries=((),)), [KnownClient("PC-0001", FACTS)]) == ()


def test_a_clients_own_word_on_its_name_its_site_and_its_kind_does_not_count() -> None:
    holder = Holder("PC-0001", HolderKind.LEGACY_CLIENT, SiteCode("PHX"))
    told = {"name": ("SRV-1",), "site": ("LAX",), "kind": ("advanced",), "os": ("debian",)}
    assert known_client(holder, told).facts == {
        "name": ("PC-0001",),
        "site": ("PHX",),
        "kind": ("legacy",),
        "os": ("debian",),
    }
    assert "site" not in known_client(replace(holder, site=None), told).facts


@given(st.text("ab", max_size=8), st.text("ab*?", max_size=8))
def test_a_pattern_means_what_it_says(text: str, pattern: str) -> None:
    def like(at: int, place: int) -> bool:
        if place == len(pattern):
            return at == len(text)
        if pattern[place] == "*":
            return any(like(later, place + 1) for later in range(at, len(text) + 1))
        return at < len(text) and pattern[place] in ("?", text[at]) and like(at + 1, place + 1)

    assert meets(Condition("x", Comparison.LIKE, pattern), {"x": (text,)}) == like(0, 0)


def test_no_pattern_takes_long() -> None:
    assert not meets(Condition("x", Comparison.LIKE, "*a" * 100 + "b"), {"x": ("a" * 255,)})


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("os is debian and name like * and site is PHX and kind is legacy", []),
        ("oss is debian", [("fact-unknown", "did you mean os?")]),
        ("processor at least 4", [("fact-unknown", "did you mean processors?")]),
        ("domain is corp.example", [("fact-not-told", "")]),
        ("oss is a or oss is b and domain is c", [("fact-unknown", "did you mean os?"), ("fact-not-told", "")]),
    ],
)
def test_a_fact_that_no_client_has_told_is_remarked_upon_once(query: str, said: list[tuple[str, str]]) -> None:
    collection = replace(COLLECTION, queries=read_query(query))
    found = findings_of_queries(collection, [KnownClient("PC-0001", FACTS)])
    assert [(finding.rule, finding.hint) for finding in found] == said
    assert not any(finding.refuses for finding in found)


def test_where_nothing_is_spelt_alike_the_facts_that_are_known_are_named() -> None:
    clients = [KnownClient("PC-0001", {"colour-of-case": ("red",)})]
    (found,) = findings_of_queries(replace(COLLECTION, queries=read_query("flavour is x")), clients)
    for fact in ("colour-of-case", "os-version", "name"):
        assert fact in found.hint
    many = [KnownClient("PC-0001", {f"fact-{number}": ("x",) for number in range(500)})]
    (found,) = findings_of_queries(replace(COLLECTION, queries=read_query("flavour is x")), many)
    assert len(found.hint) < 500


def test_the_facts_that_an_agent_tells_are_those_that_a_query_may_expect() -> None:
    assert facts_of_this_machine("https://127.0.0.1:1").keys() <= {*FROM_THE_CLIENT}
    assert {"os", "architecture", "processors"} <= facts_of_this_machine("https://127.0.0.1:1").keys()
