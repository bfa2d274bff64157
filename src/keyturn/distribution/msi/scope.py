"""What the properties of a package say about its scope: the installer's rules for Windows 7 and later, as tables.

Source: Windows Installer reference, "ALLUSERS property", "MSIINSTALLPERUSER property", "Single Package Authoring" and
"Word Count Summary property".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from keyturn.distribution.msi.summary import NO_ELEVATION

ALLUSERS, MSIINSTALLPERUSER = "ALLUSERS", "MSIINSTALLPERUSER"
SCOPE_PROPERTIES = (ALLUSERS, MSIINSTALLPERUSER)


class Scope(StrEnum):
    """What its author made of a package. Only the first two are also what an installation ends as."""

    PER_MACHINE = "per-machine"
    PER_USER = "per-user"
    DUAL = "dual"
    """Either, and for one user unless told otherwise."""
    DUAL_MACHINE = "dual-machine"
    """Either, and for the machine unless told otherwise."""
    UNSCOPED = "unscoped"
    """The author decided nothing, so that it installs for whoever calls."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The two properties as the installer resolves them; "" is not set."""

    allusers: str = ""
    per_user: str = ""

    @staticmethod
    def of(properties: Mapping[str, str]) -> "Settings":
        return Settings(properties.get(ALLUSERS, ""), properties.get(MSIINSTALLPERUSER, ""))

    def with_(self, properties: Mapping[str, str]) -> "Settings":
        return Settings(properties.get(ALLUSERS, self.allusers), properties.get(MSIINSTALLPERUSER, self.per_user))

    @property
    def properties(self) -> dict[str, str]:
        return {ALLUSERS: self.allusers, MSIINSTALLPERUSER: self.per_user}


def authored(settings: Settings, word_count: int) -> Scope:
    if settings.allusers == "1":
        return Scope.PER_MACHINE
    if settings.allusers == "2":
        return Scope.DUAL if settings.per_user == "1" else Scope.DUAL_MACHINE
    return Scope.PER_USER if word_count & NO_ELEVATION else Scope.UNSCOPED


_ENDS: dict[tuple[str, bool], Scope] = {
    ("1", True): Scope.PER_MACHINE,
    ("1", False): Scope.PER_MACHINE,
    ("2", True): Scope.PER_USER,
    ("2", False): Scope.PER_MACHINE,
}


def ends_as(settings: Settings) -> Scope:
    """By ALLUSERS, and whether MSIINSTALLPERUSER is 1. Every other value of ALLUSERS counts as none."""
    return _ENDS.get((settings.allusers, settings.per_user == "1"), Scope.PER_USER)


FOR_THE_MACHINE: dict[Scope, Mapping[str, str]] = {
    Scope.PER_MACHINE: {ALLUSERS: "1"},
    Scope.DUAL: {ALLUSERS: "1"},
    Scope.DUAL_MACHINE: {ALLUSERS: "1"},
    Scope.UNSCOPED: {ALLUSERS: "1"},
}
"""ALLUSERS=1 overrules MSIINSTALLPERUSER. A per-user package is missing: its author did not make it for that."""

FOR_THE_USER: dict[Scope, Mapping[str, str]] = {
    Scope.PER_USER: {ALLUSERS: ""},
    Scope.DUAL: {ALLUSERS: "2", MSIINSTALLPERUSER: "1"},
    Scope.DUAL_MACHINE: {ALLUSERS: "2", MSIINSTALLPERUSER: "1"},
    Scope.UNSCOPED: {ALLUSERS: ""},
}
"""A per-machine package is missing, for the same reason."""
