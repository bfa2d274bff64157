"""What other packages bring: found by their entry points, and loaded when it is first needed.

A package that cannot be loaded is named, and everything else goes on without it.
"""

import traceback
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from keyturn.model.errors import Refused

AUTHORITIES, CONSUMERS = "keyturn.authorities", "keyturn.consumers"
"""Groups of entry points. The name of an entry point is the kind, of realm or of consumer, that it brings."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """`package` and `version` as the installer knows them."""

    kind: str
    package: str
    version: str
    entry_point: EntryPoint

    def __str__(self) -> str:
        return f"{self.package} {self.version}"

    def load(self) -> object:
        """Refused, by the package's name, for whatever its import raises."""
        try:
            return self.entry_point.load()
        except (Exception, SystemExit) as error:
            raise Refused(f"{self} cannot be loaded: {type(error).__name__}: {error}") from error


def installed(group: str) -> tuple[Plugin, ...]:
    """In the order of their kinds, and of their packages where two bring one kind."""
    found = (_plugin(entry_point) for entry_point in entry_points(group=group))
    return tuple(sorted(found, key=lambda plugin: (plugin.kind, plugin.package)))


def bringing(group: str, kind: str) -> Plugin:
    """Refused where nobody brings it, and where two do: which of them was meant cannot be known."""
    found = [plugin for plugin in installed(group) if plugin.kind == kind]
    if len(found) > 1:
        raise Refused(f"{kind} is brought by {' and by '.join(map(str, found))}", hint="uninstall all but one")
    if not found:
        known = ", ".join(plugin.kind for plugin in installed(group)) or "none"
        raise Refused(f"no plug-in installed here brings {kind}", hint=f"kinds that plug-ins bring here: {known}")
    return found[0]


def whereabouts(error: Exception) -> str:
    """Of a mistake in a plug-in's own code: its type and its line. What it says is left out, as a password may be in
    it."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}"


def _plugin(entry_point: EntryPoint) -> Plugin:
    package = entry_point.dist
    assert package is not None, "entry points of installed packages know theirs"
    return Plugin(entry_point.name, package.name, package.version, entry_point)
