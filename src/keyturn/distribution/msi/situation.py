"""One package, with the properties it would run with, under one caller."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from keyturn.distribution.msi.conditions import holds
from keyturn.distribution.msi.context import ALL_USERS, Caller
from keyturn.distribution.msi.package import Package
from keyturn.distribution.msi.run_time import LaunchCondition, Setter
from keyturn.distribution.msi.scope import Scope, Settings, authored, ends_as
from keyturn.distribution.msi.summary import NO_ELEVATION


@dataclass(frozen=True)
class Situation:
    package: Package
    settings: Settings
    caller: Caller

    def with_(self, properties: Mapping[str, str]) -> "Situation":
        return replace(self, settings=self.settings.with_(properties))

    @cached_property
    def scope(self) -> Scope:
        return authored(Settings.of(self.package.properties), self.package.word_count)

    @property
    def ends(self) -> Scope:
        """As far as the properties say."""
        return ends_as(self.settings)

    @property
    def for_one_user(self) -> bool:
        return self.ends is Scope.PER_USER

    @property
    def says_no_elevation(self) -> bool:
        return bool(self.package.word_count & NO_ELEVATION)

    @property
    def profile(self) -> str:
        for_all = not self.for_one_user and not self.package.lies_in_a_profile
        return ALL_USERS if for_all else self.caller.profile

    @property
    def found_by_people(self) -> bool:
        return self.caller.a_person or self.profile == ALL_USERS

    @property
    def allowed(self) -> bool:
        """Whether whoever calls has the rights for it."""
        return self.caller.privileged or self.for_one_user

    @cached_property
    def deciding(self) -> tuple[Setter, ...]:
        """What may still change the scope when nobody is asked."""
        return tuple(setter for setter in self.package.setters if not setter.interactive and self._changes(setter))

    @cached_property
    def stopping(self) -> frozenset[LaunchCondition]:
        """What certainly ends the installation before it begins."""
        return frozenset(c for c in self.package.launch_conditions if holds(c.row, self._known) is False)

    @property
    def as_expected(self) -> bool:
        return self.allowed and self.found_by_people and not self.stopping

    def _changes(self, setter: Setter) -> bool:
        if setter.name and setter.value == self.settings.properties[setter.name]:
            return False
        return holds(setter.condition, self._known) is not False

    @cached_property
    def _known(self) -> Mapping[str, str]:
        """Before a first installation."""
        rights = "1" if self.caller.privileged else ""
        return {**self.settings.properties, "Privileged": rights, "AdminUser": rights, "Installed": ""}
