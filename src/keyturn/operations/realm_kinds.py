"""The kinds of realm there are, Keyturn's own and those of plug-ins."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KindOfRealm:
    """Who brings it, and why a realm of it cannot be opened by this site; empty where one can."""

    kind: str
    package: str
    version: str
    trouble: str = ""
