"""Rows of a package that may speak against its scope, found table by table. What they mean depends on the caller."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from itertools import islice
from typing import TypeAlias

from keyturn.distribution.msi.folders import PROFILE, PROGRAMS, PROTECTED, known_folders
from keyturn.distribution.msi.tables import Tables

SHOWN = 10
"""Rows of one kind and table that are named; the others are counted."""


class Kind(Enum):
    SERVICE = auto()
    ODBC = auto()
    PROTECTED_FOLDER = auto()
    PROGRAM_FOLDER = auto()
    MACHINE_REGISTRY = auto()
    MACHINE_ENVIRONMENT = auto()
    ELEVATED_ACTION = auto()
    CALLERS_FOLDER = auto()
    CALLERS_REGISTRY = auto()
    CALLERS_ENVIRONMENT = auto()
    NESTED_INSTALLATION = auto()


@dataclass(frozen=True, slots=True)
class Evidence:
    kind: Kind
    table: str
    row: str
    """Its primary key, the parts joined by a slash."""
    detail: str
    more: int = 0
    """Rows of the same kind and table that are not named."""


Rows: TypeAlias = Iterator[tuple[int, str]]
"""The number of a row, and what to say of it."""


def evidence(tables: Tables) -> Iterator[Evidence]:
    for kind, table, look in _LOOKS:
        rows = look(tables)
        shown = list(islice(rows, SHOWN))
        more = sum(1 for _ in rows)
        for row, detail in shown:
            last = row == shown[-1][0]
            yield Evidence(kind, table, tables.key(table, row), detail, more if last else 0)


def lies_in_a_profile(tables: Tables) -> bool:
    """Whether every file goes into a folder that is the caller's own, whatever the scope."""
    folders = _folders(tables)
    homes = dict(zip(tables.texts("Component", "Component"), tables.texts("Component", "Directory_"), strict=True))
    used = {folders.get(homes.get(component, ""), "") for component in set(tables.texts("File", "Component_"))}
    return bool(used) and used <= PROFILE


def scheduled(tables: Tables, sequence: str) -> dict[str, str]:
    """The condition of each action that the sequence runs."""
    actions = zip(
        tables.texts(sequence, "Action"),
        tables.texts(sequence, "Condition"),
        tables.numbers(sequence, "Sequence"),
        strict=True,
    )
    return {action: condition for action, condition, place in actions if place > 0}


def _every(table: str, column: str) -> Callable[[Tables], Rows]:
    return lambda tables: enumerate(tables.texts(table, column))


def _components_in(wanted: frozenset[str]) -> Callable[[Tables], Rows]:
    def look(tables: Tables) -> Rows:
        folders = _folders(tables)
        for row, directory in enumerate(tables.texts("Component", "Directory_")):
            if folders.get(directory, "") in wanted:
                yield row, folders[directory]

    return look


def _folders(tables: Tables) -> dict[str, str]:
    names, parents = tables.texts("Directory", "Directory"), tables.texts("Directory", "Directory_Parent")
    return known_folders(dict(zip(names, parents, strict=True)))


_ROOTS = {1: "HKEY_CURRENT_USER", 2: "HKEY_LOCAL_MACHINE", 3: "HKEY_USERS"}


def _registry(*roots: int) -> Callable[[Tables], Rows]:
    def look(tables: Tables) -> Rows:
        for row, root in enumerate(tables.numbers("Registry", "Root")):
            if root in roots:
                yield row, _ROOTS[root]

    return look


def _environment(*, of_the_machine: bool) -> Callable[[Tables], Rows]:
    """A `*` among the signs before a variable's name makes it the machine's."""

    def look(tables: Tables) -> Rows:
        for row, name in enumerate(tables.texts("Environment", "Name")):
            bare = name.lstrip("=+-!*")
            if ("*" in name[: len(name) - len(bare)]) is of_the_machine:
                yield row, bare

    return look


def _machine_sources(tables: Tables) -> Rows:
    """Data sources of the machine: Registration 0."""
    sources = zip(
        tables.numbers("ODBCDataSource", "Registration"), tables.texts("ODBCDataSource", "Description"), strict=True
    )
    return ((row, name) for row, (registration, name) in enumerate(sources) if registration == 0)


BASIC_TYPE = 0x3F
_DEFERRED_AS_SYSTEM = 0x400 | 0x800
_INSTALLATIONS = {7, 23, 39}
"""Custom actions that install another package: inside this one, beside it, or advertised."""


def _actions(wanted: Callable[[int], bool]) -> Callable[[Tables], Rows]:
    def look(tables: Tables) -> Rows:
        ran = scheduled(tables, "InstallExecuteSequence")
        actions = zip(tables.texts("CustomAction", "Action"), tables.numbers("CustomAction", "Type"), strict=True)
        return ((row, name) for row, (name, kind) in enumerate(actions) if name in ran and wanted(kind))

    return look


_LOOKS: tuple[tuple[Kind, str, Callable[[Tables], Rows]], ...] = (
    (Kind.SERVICE, "ServiceInstall", _every("ServiceInstall", "Name")),
    (Kind.ODBC, "ODBCDriver", _every("ODBCDriver", "Description")),
    (Kind.ODBC, "ODBCTranslator", _every("ODBCTranslator", "Description")),
    (Kind.ODBC, "ODBCDataSource", _machine_sources),
    (Kind.PROTECTED_FOLDER, "Component", _components_in(PROTECTED)),
    (Kind.PROGRAM_FOLDER, "Component", _components_in(PROGRAMS)),
    (Kind.MACHINE_REGISTRY, "Registry", _registry(2, 3)),
    (Kind.MACHINE_ENVIRONMENT, "Environment", _environment(of_the_machine=True)),
    (Kind.ELEVATED_ACTION, "CustomAction", _actions(lambda kind: kind & _DEFERRED_AS_SYSTEM == _DEFERRED_AS_SYSTEM)),
    (Kind.CALLERS_FOLDER, "Component", _components_in(PROFILE)),
    (Kind.CALLERS_REGISTRY, "Registry", _registry(1)),
    (Kind.CALLERS_ENVIRONMENT, "Environment", _environment(of_the_machine=False)),
    (Kind.NESTED_INSTALLATION, "CustomAction", _actions(lambda kind: kind & BASIC_TYPE in _INSTALLATIONS)),
)
