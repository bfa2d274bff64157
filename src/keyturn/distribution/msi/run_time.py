"""What may change a package's scope, or stop it over its scope, only when it runs."""

from collections.abc import Iterator
from dataclasses import dataclass

from keyturn.distribution.msi.evidence import BASIC_TYPE, scheduled
from keyturn.distribution.msi.scope import SCOPE_PROPERTIES
from keyturn.distribution.msi.tables import Tables

_SETS_A_PROPERTY = 51
_SCRIPTS = {37, 38}
"""JScript and VBScript that stand in the table itself."""
_LOOKED_AT = 1 << 14
"""Characters. Each of many rows could name the same endless string."""


@dataclass(frozen=True, slots=True)
class Setter:
    table: str
    row: str
    name: str
    """Of the property; "" for a script that speaks of one."""
    value: str | None
    """None where only running it shows."""
    condition: str = ""
    """"" runs always."""
    interactive: bool = False
    """Whether only a dialog comes to it."""

    @property
    def change(self) -> str:
        if not self.name:
            return "a script that names the property"
        return f"{self.name} to be found out" if self.value is None else f"{self.name}={self.value or chr(34) * 2}"


@dataclass(frozen=True, slots=True)
class LaunchCondition:
    row: str
    """The condition itself, which must hold or the installation stops."""


def setters(tables: Tables) -> Iterator[Setter]:
    yield from _custom_actions(tables)
    yield from _named(tables, "AppSearch", interactive=False)
    yield from _named(tables, "Control", interactive=True)
    yield from _control_events(tables)


def launch_conditions(tables: Tables) -> Iterator[LaunchCondition]:
    """Those that look at the scope."""
    return (LaunchCondition(text) for text in tables.texts("LaunchCondition", "Condition") if _names_scope(text))


def _custom_actions(tables: Tables) -> Iterator[Setter]:
    ran = scheduled(tables, "InstallExecuteSequence")
    columns = (tables.texts("CustomAction", column) for column in ("Action", "Source", "Target"))
    for kind, action, source, target in zip(tables.numbers("CustomAction", "Type"), *columns, strict=True):
        if kind & BASIC_TYPE == _SETS_A_PROPERTY and source in SCOPE_PROPERTIES:
            yield Setter("CustomAction", action, source, _literal(target), ran.get(action, ""), action not in ran)
        elif kind & BASIC_TYPE in _SCRIPTS and _names_scope(target):
            yield Setter("CustomAction", action, "", None, ran.get(action, ""), action not in ran)


def _named(tables: Tables, table: str, *, interactive: bool) -> Iterator[Setter]:
    """Rows whose column `Property` names what they set."""
    for row, name in enumerate(tables.texts(table, "Property")):
        if name in SCOPE_PROPERTIES:
            yield Setter(table, tables.key(table, row), name, None, interactive=interactive)


def _control_events(tables: Tables) -> Iterator[Setter]:
    """An event in brackets sets the property it names."""
    events = zip(tables.texts("ControlEvent", "Event"), tables.texts("ControlEvent", "Argument"), strict=True)
    for row, (event, argument) in enumerate(events):
        name = event.strip("[]")
        if event.startswith("[") and name in SCOPE_PROPERTIES:
            yield Setter("ControlEvent", tables.key("ControlEvent", row), name, _literal(argument), interactive=True)


def _literal(formatted: str) -> str | None:
    """None where other properties stand in it; `{}` is nothing at all."""
    return None if "[" in formatted else formatted.replace("{}", "")


def _names_scope(text: str) -> bool:
    return any(name in text[:_LOOKED_AT] for name in SCOPE_PROPERTIES)
