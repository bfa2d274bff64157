"""Conditions of a package, as far as they speak of what is known before it runs.

Source: Windows Installer reference, "Conditional Statement Syntax". Names tell capitals apart; NOT binds before AND,
AND before OR. Whatever else a condition holds (parentheses, components, other properties) leaves it undecided.
"""

import re
from collections.abc import Iterable, Mapping

_LONGEST = 4096
_TERM = re.compile(
    r"""\s*(?P<no>NOT\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_.]*)\s*((?P<how>=|<>)\s*("(?P<text>[^"]*)"|(?P<number>\d+)))?\s*""",
    re.IGNORECASE,
)
_OR, _AND = (re.compile(rf"\s+{word}\s+", re.IGNORECASE) for word in ("OR", "AND"))


def holds(condition: str, known: Mapping[str, str]) -> bool | None:
    """None where `known` does not say; there "" means that a property is not set. No condition at all holds."""
    if not condition.strip():
        return True
    if len(condition) > _LONGEST:
        return None
    return _any(_all(_term(term, known) for term in _AND.split(part)) for part in _OR.split(condition))


def _term(text: str, known: Mapping[str, str]) -> bool | None:
    term = _TERM.fullmatch(text)
    if term is None or term["name"] not in known:
        return None
    value = known[term["name"]]
    if term["how"] is None:
        found = bool(value)
    else:
        wanted = term["text"] if term["text"] is not None else term["number"]
        found = (value == wanted) is (term["how"] == "=")
    return found is not bool(term["no"])


def _any(parts: Iterable[bool | None]) -> bool | None:
    seen = set(parts)
    return True if True in seen else None if None in seen else False


def _all(parts: Iterable[bool | None]) -> bool | None:
    seen = set(parts)
    return False if False in seen else None if None in seen else True
