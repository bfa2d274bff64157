"""The language of a collection's queries, read and written.

    os is debian and os-version at least 12 or name like 'pc-*'

`and` binds closer than `or`. A value with spaces, or one that is a word of the language, stands in single quotes; a
quote inside is doubled.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from keyturn.model.errors import Refused
from keyturn.model.software import Comparison, Condition

COMPARISONS: dict[tuple[str, ...], Comparison] = {
    ("is", "not"): Comparison.IS_NOT,
    ("is-not",): Comparison.IS_NOT,
    ("is",): Comparison.IS,
    ("like",): Comparison.LIKE,
    ("at", "least"): Comparison.AT_LEAST,
    ("at-least",): Comparison.AT_LEAST,
    ("below",): Comparison.BELOW,
}
"""The first that fits."""

FACT = re.compile(r"[a-z][a-z0-9-]{0,63}")
LONGEST_QUERY, MOST_CONDITIONS = 4096, 100
_WORDS = frozenset({"and", "or", "not", "least", *(word for words in COMPARISONS for word in words)})
_TOKEN = re.compile(r"\s*(?:'(?P<quoted>(?:[^']|'')*)'|(?P<word>[^\s']+)|(?P<open>'))")
_HINT = "as in: os is debian and os-version at least 12"


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    column: int
    quoted: bool

    def says(self, *words: str) -> bool:
        return not self.quoted and self.text.casefold() in words


def read_query(text: str) -> tuple[tuple[Condition, ...], ...]:
    """The alternatives, each with the conditions that it joins. Refused, naming the column from 1."""
    if len(text) > LONGEST_QUERY:
        raise Refused(f"the query has more than {LONGEST_QUERY} characters", hint="list the clients, or take a fact")
    tokens = _tokens(text)
    alternatives: list[list[Condition]] = [[]]
    count = place = 0
    while True:
        condition, place = _condition(text, tokens, place)
        alternatives[-1].append(condition)
        count += 1
        if count > MOST_CONDITIONS:
            raise Refused(f"the query has more than {MOST_CONDITIONS} conditions", hint="list the clients instead")
        if place == len(tokens):
            return tuple(map(tuple, alternatives))
        joint = tokens[place]
        if joint.says("or"):
            alternatives.append([])
        elif not joint.says("and"):
            raise _wrong(joint.column, f"`and`, `or` or the end is expected, not {joint.text!r}")
        place += 1


def write_query(conditions: Sequence[Condition]) -> str:
    """One alternative, so that it reads back as it was."""
    return " and ".join(f"{c.fact} {c.comparison.replace('-', ' ')} {_quoted(c.value)}" for c in conditions)


def _condition(text: str, tokens: Sequence[_Token], place: int) -> tuple[Condition, int]:
    fact = _token(text, tokens, place, "the name of a fact")
    name = fact.text.casefold()
    if fact.quoted or name in _WORDS or not FACT.fullmatch(name):
        raise _wrong(fact.column, f"the name of a fact is expected, not {fact.text!r}")
    first = _token(text, tokens, place + 1, "`is`, `is not`, `like`, `at least` or `below`")
    words = [token.text.casefold() for token in tokens[place + 1 : place + 3] if not token.quoted]
    for spelled, comparison in COMPARISONS.items():
        if tuple(words[: len(spelled)]) == spelled:
            after = place + 1 + len(spelled)
            value = _token(text, tokens, after, "a value")
            if not value.quoted and value.text.casefold() in _WORDS:
                raise _wrong(value.column, f"a value is expected, not {value.text!r}; quote it if it is one")
            return Condition(name, comparison, value.text), after + 1
    raise _wrong(first.column, f"`is`, `is not`, `like`, `at least` or `below` is expected, not {first.text!r}")


def _token(text: str, tokens: Sequence[_Token], place: int, expected: str) -> _Token:
    if place >= len(tokens):
        raise _wrong(len(text) + 1, f"{expected} is expected, and here the query ends")
    return tokens[place]


def _tokens(text: str) -> list[_Token]:
    found = []
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or ""
        column = match.start(kind) + 1
        if kind == "open":
            raise _wrong(column, "this quote is not closed")
        written = match[kind]
        quoted = kind == "quoted"
        found.append(_Token(written.replace("''", "'") if quoted else written, column - quoted, quoted))
    return found


def _quoted(value: str) -> str:
    plain = re.fullmatch(r"[^\s']+", value) and value.casefold() not in _WORDS
    return value if plain else "'" + value.replace("'", "''") + "'"


def _wrong(column: int, problem: str) -> Refused:
    return Refused(f"query, column {column}: {problem}", hint=_HINT)
