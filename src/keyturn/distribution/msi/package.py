"""What is read of a package, and of a transform, to judge its scope."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import TypeVar

from keyturn.distribution.msi.damage import Damaged
from keyturn.distribution.msi.evidence import Evidence, evidence, lies_in_a_profile
from keyturn.distribution.msi.run_time import LaunchCondition, Setter, launch_conditions, setters
from keyturn.distribution.msi.stream_names import SUMMARY
from keyturn.distribution.msi.summary import word_count
from keyturn.distribution.msi.tables import ReadStream, Tables
from keyturn.distribution.msi.transform import Transform

MOST_DECIDING = 1000
"""Rows that set the scope, or look at it. Real packages have a handful."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Package:
    properties: Mapping[str, str]
    """The Property table, with what transforms have changed."""
    word_count: int
    evidence: tuple[Evidence, ...] = ()
    setters: tuple[Setter, ...] = ()
    launch_conditions: tuple[LaunchCondition, ...] = ()
    lies_in_a_profile: bool = False
    """Whether every file goes into a folder of whoever calls, whatever the scope."""
    transformed: tuple[str, ...] = ()
    """Tables that a transform changes, and that were judged without its changes."""

    def with_transform(self, transform: Transform) -> "Package":
        properties = {**self.properties, **transform.properties}
        return replace(
            self,
            properties={name: value for name, value in properties.items() if value},
            transformed=(*self.transformed, *transform.others),
        )


def read_package(read: ReadStream) -> Package:
    """Raises Damaged."""
    summary = read(SUMMARY)
    if summary is None:
        raise Damaged("the summary information is missing")
    tables = Tables(read)
    if "Property" not in tables:
        raise Damaged("it has no Property table, as a merge module has none")
    names, values = tables.texts("Property", "Property"), tables.texts("Property", "Value")
    return Package(
        dict(zip(names, values, strict=True)),
        word_count(summary) or 0,
        tuple(evidence(tables)),
        _few(setters(tables)),
        _few(launch_conditions(tables)),
        lies_in_a_profile(tables),
    )


def _few(rows: Iterable[_T]) -> tuple[_T, ...]:
    found = tuple(islice(rows, MOST_DECIDING + 1))
    if len(found) > MOST_DECIDING:
        raise Damaged(f"more than {MOST_DECIDING} rows set its scope or ask for it")
    return found
