"""What is told of a package beside its verdict: each rule, the row that shows it, and when it is not told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from keyturn.distribution.msi.context import Context
from keyturn.distribution.msi.damage import Damaged
from keyturn.distribution.msi.evidence import SHOWN
from keyturn.distribution.msi.package import MOST_DECIDING, read_package
from keyturn.distribution.msi.verdict import Verdict, verdict_for
from tests.msi_streams import Row, Streams

Tables = Mapping[str, Sequence[Row]]
Told = tuple[str, str, str]
"""Rule, table, row."""

PER_MACHINE = [("ALLUSERS", "1")]
DUAL = [("ALLUSERS", "2"), ("MSIINSTALLPERUSER", "1")]
UNSCOPED = [("ProductName", "X")]


def told(
    tables: Tables, context: Context = Context.LOCAL_SYSTEM, *, word_count: int = 2, **properties: str
) -> dict[Told, str]:
    package = read_package(Streams({"Property": UNSCOPED, **tables}, word_count).reader())
    found = verdict_for(package, context, properties).findings
    return {(finding.rule, finding.table, finding.row): finding.text for finding in found}


def test_the_hole_of_allusers_2_is_explained_with_both_ways_out() -> None:
    text = told({"Property": DUAL})["hole-of-allusers-2", "Property", "MSIINSTALLPERUSER"]
    assert "ALLUSERS=1 does" in text
    assert 'ALLUSERS=2 with MSIINSTALLPERUSER=""' in text


SAID: list[tuple[str, Tables, Context, int, dict[str, str], Told]] = [
    ("an odd value", {"Property": [("ALLUSERS", "3")]}, Context.USER, 2, {}, ("odd-value", "Property", "ALLUSERS")),
    (
        "MSIINSTALLPERUSER on its own",
        {},
        Context.USER,
        2,
        {"MSIINSTALLPERUSER": "1"},
        ("without-effect", "Property", "MSIINSTALLPERUSER"),
    ),
    (
        "ALLUSERS=2 on its own",
        {},
        Context.LOCAL_SYSTEM,
        2,
        {"ALLUSERS": "2"},
        ("open-to-both", "Property", "ALLUSERS"),
    ),
    ("no decision of the author", {}, Context.USER, 2, {}, ("nobody-decided", "Property", "ALLUSERS")),
    ("SYSTEM's profile", {}, Context.LOCAL_SYSTEM, 2, {}, ("nobodys-profile", "Property", "ALLUSERS")),
    (
        "a package for one user",
        {},
        Context.LOCAL_SYSTEM,
        10,
        {},
        ("made-for-one-user", "_SummaryInformation", "15"),
    ),
    (
        "a package for one user made to be per machine",
        {},
        Context.LOCAL_SYSTEM,
        10,
        {"ALLUSERS": "1"},
        ("made-for-one-user", "_SummaryInformation", "15"),
    ),
    (
        "Word Count against ALLUSERS",
        {"Property": PER_MACHINE},
        Context.USER,
        10,
        {},
        ("word-count-against-allusers", "_SummaryInformation", "15"),
    ),
    ("no rights", {"Property": PER_MACHINE}, Context.USER, 2, {}, ("no-rights", "Property", "ALLUSERS")),
    ("elevation asked for", {}, Context.USER, 2, {}, ("asks-for-an-administrator", "_SummaryInformation", "15")),
]


@pytest.mark.parametrize(
    ("tables", "context", "word_count", "properties", "wanted"), [row[1:] for row in SAID], ids=[row[0] for row in SAID]
)
def test_a_doubt_about_the_scope_is_told(
    tables: Tables, context: Context, word_count: int, properties: dict[str, str], wanted: Told
) -> None:
    assert wanted in told(tables, context, word_count=word_count, **properties)


def test_of_a_clean_package_nothing_is_told() -> None:
    tables = {"Property": PER_MACHINE, "Registry": [("r", 2, "K")], "ServiceInstall": [("s", "svc", 16)]}
    assert told(tables) == {}


@dataclass(frozen=True)
class Machine:
    """Rows that take an administrator."""

    row: Told
    tables: Tables = field(hash=False)


ELEVATED = {"CustomAction": [("Do", 3073, "dll", "f")], "InstallExecuteSequence": [("Do", None, 4000)]}


def installed_in(folder: str) -> Tables:
    return {
        "Directory": [("TARGETDIR", None), (folder, "TARGETDIR"), ("APP", folder)],
        "Component": [("C", "APP")],
        "File": [("F", "C")],
    }


MACHINES = [
    Machine(("needs-rights", "ServiceInstall", "s"), {"ServiceInstall": [("s", "svc", 16)]}),
    Machine(("needs-rights", "ODBCDriver", "d"), {"ODBCDriver": [("d", "C", "Driver")]}),
    Machine(("needs-rights", "ODBCDataSource", "d"), {"ODBCDataSource": [("d", "C", "Source", 0)]}),
    Machine(("needs-rights", "Component", "C"), installed_in("System64Folder")),
    Machine(("needs-rights", "Component", "C"), installed_in("SystemFolder.3643236F_FC70_11D3_A536_0090278A1BB8")),
    Machine(("needs-rights", "Registry", "r"), {"Registry": [("r", 2, "K")]}),
    Machine(("needs-rights", "Environment", "e"), {"Environment": [("e", "=-*PATH", "x")]}),
    Machine(("needs-rights", "CustomAction", "Do"), ELEVATED),
]


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.row[1])
def test_a_package_that_claims_to_be_for_one_user_contradicts_itself_by_rows_for_the_machine(machine: Machine) -> None:
    assert machine.row in told(machine.tables, word_count=10)
    assert machine.row in told({**machine.tables, "Property": DUAL})
    assert machine.row in told(machine.tables, Context.USER)
    assert machine.row not in told({**machine.tables, "Property": PER_MACHINE})


def test_program_files_of_a_dual_package_are_no_contradiction() -> None:
    row = ("needs-rights", "Component", "C")
    assert row in told(installed_in("ProgramFilesFolder"), word_count=10)
    assert row not in told({**installed_in("ProgramFilesFolder"), "Property": DUAL})


@pytest.mark.parametrize(
    ("tables", "row"),
    [
        ({"Registry": [("r", 1, "K")]}, ("callers-own", "Registry", "r")),
        ({"Environment": [("e", "=PATH", "x")]}, ("callers-own", "Environment", "e")),
        (installed_in("AppDataFolder"), ("callers-own", "Component", "C")),
    ],
)
def test_what_goes_to_the_caller_in_any_case_is_told_where_the_caller_is_nobody(tables: Tables, row: Told) -> None:
    per_machine = {**tables, "Property": PER_MACHINE}
    assert "SYSTEM" in told(per_machine)[row]
    assert row not in told(per_machine, Context.USER)


def test_rows_of_the_current_scope_and_data_sources_of_a_user_are_no_contradiction() -> None:
    tables = {"Registry": [("r", -1, "K")], "ODBCDataSource": [("d", "C", "Source", 1)]}
    assert not {rule for rule, _, _ in told(tables, word_count=10)} & {"needs-rights", "callers-own"}


def test_an_action_that_is_never_run_is_not_told() -> None:
    tables = {"CustomAction": [("Do", 3073, "dll", "f")], "InstallExecuteSequence": [("Do", None, None)]}
    assert ("needs-rights", "CustomAction", "Do") not in told(tables, word_count=10)


def test_many_rows_of_one_kind_are_counted_after_the_first_few() -> None:
    rows = [(f"r{number}", 1, "K") for number in range(SHOWN + 3)]
    found = told({"Registry": rows})
    named = [row for rule, _, row in found if rule == "callers-own"]
    assert named == [f"r{number}" for number in range(SHOWN)]
    assert found["callers-own", "Registry", f"r{SHOWN - 1}"].endswith("(and 3 more)")


@pytest.mark.parametrize("kind", [51, 51 + 0x800, 51 + 0x100])
def test_an_action_that_sets_allusers_unattended_is_told_with_its_condition(kind: int) -> None:
    tables = {
        "CustomAction": [("Set", kind, "ALLUSERS", "[WHAT]")],
        "InstallExecuteSequence": [("Set", "VersionNT >= 600", 50)],
    }
    assert "if VersionNT >= 600" in told(tables)["decides-at-run-time", "CustomAction", "Set"]


@pytest.mark.parametrize(
    ("tables", "row"),
    [
        ({"CustomAction": [("Set", 51, "ALLUSERS", "1")]}, ("CustomAction", "Set")),
        ({"Control": [("Dlg", "All", "ALLUSERS")]}, ("Control", "Dlg/All")),
        ({"ControlEvent": [("Dlg", "Next", "[ALLUSERS]", "2", "1")]}, ("ControlEvent", "Dlg/Next/[ALLUSERS]/2/1")),
        ({"ControlEvent": [("Dlg", "Next", "[ALLUSERS]", "{}", "1")]}, ("ControlEvent", "Dlg/Next/[ALLUSERS]/{}/1")),
    ],
)
def test_what_only_a_dialog_comes_to_is_told_and_decides_nothing(tables: Tables, row: tuple[str, str]) -> None:
    assert "dialog" in told(tables)["decides-in-a-dialog", *row]
    package = read_package(Streams({"Property": UNSCOPED, **tables}).reader())
    assert verdict_for(package, Context.LOCAL_SYSTEM, {}).verdict is Verdict.REWRITE


@pytest.mark.parametrize(
    "tables",
    [
        {"AppSearch": [("ALLUSERS", "sig")]},
        {
            "CustomAction": [("Script", 38, None, 'Session.Property("ALLUSERS") = "1"')],
            "InstallExecuteSequence": [("Script", None, 10)],
        },
        {"CustomAction": [("Set", 51, "ALLUSERS", "1")], "InstallExecuteSequence": [("Set", None, 10)]},
    ],
    ids=["a search", "a script", "an action"],
)
def test_what_may_set_the_scope_unattended_makes_the_verdict_conditional(tables: Tables) -> None:
    package = read_package(Streams({"Property": UNSCOPED, **tables}).reader())
    assert verdict_for(package, Context.LOCAL_SYSTEM, {}).verdict is Verdict.CONDITIONAL


def test_a_launch_condition_on_the_scope_is_told_whether_or_not_it_stops() -> None:
    conditions = {"LaunchCondition": [("NOT ALLUSERS", "no"), ("VersionNT", "no"), ("(ALLUSERS=1)", "no")]}
    found = told(conditions, ALLUSERS="1")
    assert ("stops", "LaunchCondition", "NOT ALLUSERS") in found
    assert ("may-stop", "LaunchCondition", "(ALLUSERS=1)") in found
    assert not [row for row in found if row[2] == "VersionNT"]


@pytest.mark.parametrize("kind", [7, 23, 39])
def test_a_package_inside_the_package_is_named_as_not_looked_into(kind: int) -> None:
    tables = {"CustomAction": [("In", kind, "x.msi", None)], "InstallExecuteSequence": [("In", None, 10)]}
    assert ("not-looked-into", "CustomAction", "In") in told(tables)


def test_every_file_in_a_profile_is_told_and_refused() -> None:
    tables = {**installed_in("LocalAppDataFolder"), "Property": PER_MACHINE}
    assert ("all-files-in-a-profile", "File", "*") in told(tables)
    both = {
        "Directory": [("TARGETDIR", None), ("LocalAppDataFolder", "TARGETDIR"), ("ProgramFilesFolder", "TARGETDIR")],
        "Component": [("C", "LocalAppDataFolder"), ("D", "ProgramFilesFolder")],
        "File": [("F", "C"), ("G", "D")],
    }
    assert ("all-files-in-a-profile", "File", "*") not in told(both)


def test_directories_that_lie_in_each_other_lie_nowhere() -> None:
    tables = {"Directory": [("A", "B"), ("B", "A")], "Component": [("C", "A")], "File": [("F", "C")]}
    assert not [row for row in told(tables, word_count=10) if row[1] == "Component"]


def test_more_rows_that_set_the_scope_than_any_package_has_are_damage() -> None:
    rows = [("Dlg", f"C{number}", "ALLUSERS") for number in range(MOST_DECIDING + 1)]
    with pytest.raises(Damaged, match="set its scope"):
        read_package(Streams({"Property": UNSCOPED, "Control": rows}).reader())
