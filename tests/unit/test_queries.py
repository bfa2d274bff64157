"""The language of a collection's queries: what it says, and where it is wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyturn.distribution.queries import LONGEST_QUERY, MOST_CONDITIONS, read_query, write_query
from keyturn.model.errors import Refused
from keyturn.model.software import Comparison, Condition

IS, IS_NOT, LIKE = Comparison.IS, Comparison.IS_NOT, Comparison.LIKE
AT_LEAST, BELOW = Comparison.AT_LEAST, Comparison.BELOW


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("os is debian", [[("os", IS, "debian")]]),
        ("OS IS debian", [[("os", IS, "debian")]]),
        ("os is not debian", [[("os", IS_NOT, "debian")]]),
        ("os is-not debian", [[("os", IS_NOT, "debian")]]),
        ("os is 'not'", [[("os", IS, "not")]]),
        ("name like pc-*", [[("name", LIKE, "pc-*")]]),
        ("os-version at least 12.1", [[("os-version", AT_LEAST, "12.1")]]),
        ("os-version at-least 12", [[("os-version", AT_LEAST, "12")]]),
        ("os-version below 12", [[("os-version", BELOW, "12")]]),
        ("name is 'O''Neill''s desk'", [[("name", IS, "O'Neill's desk")]]),
        ("name is ''", [[("name", IS, "")]]),
        ("a is 1 and b is 2 or c is 3", [[("a", IS, "1"), ("b", IS, "2")], [("c", IS, "3")]]),
        ("  a\tis\n1  ", [[("a", IS, "1")]]),
    ],
)
def test_a_query_means_its_conditions(text: str, meant: list[list[tuple[str, Comparison, str]]]) -> None:
    assert read_query(text) == tuple(tuple(Condition(*one) for one in query) for query in meant)


@pytest.mark.parametrize(
    ("text", "column", "problem"),
    [
        ("", 1, "the name of a fact is expected, and here the query ends"),
        ("os", 3, "`is`, `is not`, `like`, `at least` or `below` is expected, and here the query ends"),
        ("os is", 6, "a value is expected, and here the query ends"),
        ("os lik x", 4, "`is`, `is not`, `like`, `at least` or `below` is expected, not 'lik'"),
        ("os at most 3", 4, "`is`, `is not`, `like`, `at least` or `below` is expected, not 'at'"),
        ("os is debian os is x", 14, "`and`, `or` or the end is expected, not 'os'"),
        ("os is debian and", 17, "the name of a fact is expected, and here the query ends"),
        ("os is and", 7, "a value is expected, not 'and'; quote it if it is one"),
        ("'os' is x", 1, "the name of a fact is expected, not 'os'"),
        ("9 is x", 1, "the name of a fact is expected, not '9'"),
        ("is is x", 1, "the name of a fact is expected, not 'is'"),
        ("os is 'debian", 7, "this quote is not closed"),
        ("os is it's", 9, "this quote is not closed"),
    ],
)
def test_a_mistake_is_told_with_its_column(text: str, column: int, problem: str) -> None:
    with pytest.raises(Refused) as refused:
        read_query(text)
    assert refused.value.message == f"query, column {column}: {problem}"
    assert refused.value.hint


def test_a_query_has_an_end() -> None:
    with pytest.raises(Refused, match=f"more than {LONGEST_QUERY} characters"):
        read_query("a is " + "x" * LONGEST_QUERY)
    with pytest.raises(Refused, match=f"more than {MOST_CONDITIONS} conditions"):
        read_query(" and ".join(["a is 1"] * (MOST_CONDITIONS + 1)))


CONDITIONS = st.builds(
    Condition,
    st.from_regex(r"[a-z][a-z0-9-]{0,10}", fullmatch=True).filter(
        lambda name: name not in ("and", "or", "is", "not", "like", "at", "least", "below", "is-not", "at-least")
    ),
    st.sampled_from(Comparison),
    st.text(max_size=20),
)


@given(st.lists(CONDITIONS, min_size=1, max_size=5))
def test_what_is_written_reads_back_as_it_was(conditions: list[Condition]) -> None:
    assert read_query(write_query(conditions)) == (tuple(conditions),)


@given(st.text(alphabet="aosi'sntlkeb or\tand*0", max_size=60))
def test_whatever_is_typed_is_a_query_or_refused(text: str) -> None:
    try:
        read = read_query(text)
    except Refused:
        return
    assert all(query for query in read)
