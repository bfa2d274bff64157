"""What is said of a thing that somebody is about to author, and the tables of rules by which it is found."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

LONGEST_LINE = 4096


@dataclass(frozen=True, slots=True)
class Finding:
    """`refuses`: it is not taken as it is; else a warning. `rule` is a slug."""

    rule: str
    text: str
    hint: str = ""
    refuses: bool = True


T = TypeVar("T")
Rule: TypeAlias = tuple[Callable[[T], bool], Finding]
"""Found where it holds of the thing."""


def found(rules: Iterable[Rule[T]], thing: T) -> tuple[Finding, ...]:
    return tuple(finding for holds, finding in rules if holds(thing))


def refusals(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(finding for finding in findings if finding.refuses)


def warning(rule: str, text: str, hint: str = "") -> Finding:
    return Finding(rule, text, hint, refuses=False)


def is_line(text: str, longest: int) -> bool:
    return bool(text.strip()) and len(text) <= longest and text.isprintable()
