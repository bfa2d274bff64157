"""The tree of sites and the ways in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyturn.model.errors import NotFound, Refused
from keyturn.model.estate import SiteCode, SiteKind
from keyturn.site.hierarchy import Place, Tree


def place(code: str, parent: str | None = None, kind: SiteKind = SiteKind.PRIMARY) -> Place:
    return Place(SiteCode(code), kind, None if parent is None else SiteCode(parent))


FIVE = (
    place("CEN", kind=SiteKind.CENTRAL),
    place("EUR", "CEN"),
    place("USA", "CEN"),
    place("LON", "EUR", SiteKind.SECONDARY),
    place("PHX", "USA", SiteKind.SECONDARY),
)


@pytest.mark.parametrize(
    ("start", "end", "hop"),
    [
        ("CEN", "EUR", "EUR"),
        ("CEN", "LON", "EUR"),
        ("LON", "CEN", "EUR"),
        ("LON", "PHX", "EUR"),
        ("EUR", "PHX", "CEN"),
        ("USA", "PHX", "PHX"),
        ("cen", "phx", "USA"),
    ],
)
def test_a_bundle_leaves_by_the_neighbour_on_its_way(start: str, end: str, hop: str) -> None:
    assert Tree(FIVE).next_hop(start, end) == hop


def test_a_branch_is_a_site_and_all_below_it_each_after_its_parent() -> None:
    assert [p.code for p in Tree(FIVE).branch("EUR")] == ["EUR", "LON"]
    assert [p.code for p in Tree(FIVE).branch("CEN")] == ["CEN", "EUR", "USA", "LON", "PHX"]


def test_a_site_that_sees_its_own_branch_only_has_no_way_beyond_it() -> None:
    tree = Tree([place("EUR", "CEN"), place("LON", "EUR"), place("PHX", "USA")])
    assert tree.next_hop("EUR", "LON") == "LON"
    for stranger in ("PHX", "CEN"):
        with pytest.raises(NotFound, match=stranger):
            tree.next_hop("EUR", stranger)


def test_a_code_that_is_there_twice_is_named() -> None:
    with pytest.raises(Refused, match="site eur is there twice"):
        Tree([place("EUR"), place("eur")])


def test_a_loop_of_parents_is_named_in_its_order() -> None:
    with pytest.raises(Refused, match="EUR → USA → LON → EUR"):
        Tree([place("TOP", "EUR"), place("EUR", "USA"), place("USA", "LON"), place("LON", "EUR")])


def test_a_secondary_site_is_no_parent() -> None:
    with pytest.raises(Refused, match="PAR stands below the secondary site LON"):
        Tree([*FIVE, place("PAR", "LON")])


def test_a_site_sends_nothing_to_itself() -> None:
    with pytest.raises(Refused, match="itself"):
        Tree(FIVE).next_hop("EUR", "EUR")


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=40), st.data())
def test_hop_by_hop_every_site_is_reached_from_every_site(above: list[int], data: st.DataObject) -> None:
    """Each site's parent is one of those before it."""
    places = [place("0"), *(place(str(n + 1), str(parent % (n + 1))) for n, parent in enumerate(above))]
    tree, codes = Tree(places), [p.code for p in places]
    start, end = data.draw(st.sampled_from(codes)), data.draw(st.sampled_from(codes))
    came_by = [start]
    while came_by[-1] != end:
        came_by.append(tree.next_hop(came_by[-1], end))
        assert len(came_by) <= len(codes)
    assert len(set(came_by)) == len(came_by)
