"""Packages that other tools have made: the tables msiinfo reads, the class their makers meant, the verdict foretold."""

import csv
from collections.abc import Mapping
from itertools import product
from pathlib import Path

import pytest

from keyturn.adapters.msi_files import open_package, read_file
from keyturn.distribution.msi.context import Context
from keyturn.distribution.msi.package import Package
from keyturn.distribution.msi.scope import Scope
from keyturn.distribution.msi.tables import Tables
from keyturn.distribution.msi.verdict import Verdict, verdict_for
from tests.msi_files import (
    CLASSES,
    SERVICE,
    SETS_ALLUSERS,
    build,
    exported,
    need,
    shared_packages,
    tables_of,
    types_of,
)
from tests.unit.test_msi_verdict import CLASSES as BY_HAND
from tests.unit.test_msi_verdict import OVERRIDES


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Mapping[Scope, Package]:
    folder = tmp_path_factory.mktemp("msi")
    return {scope: open_package(build(folder / f"{scope}.msi", scope)) for scope in CLASSES}


@pytest.mark.parametrize(("scope", "override", "context"), list(product(Scope, OVERRIDES, Context)))
def test_a_package_of_each_class_is_judged_as_the_truth_table_says(
    built: Mapping[Scope, Package], scope: Scope, override: str, context: Context
) -> None:
    """The table itself is that of the unit tests, over packages written by hand."""
    found = verdict_for(built[scope], context, OVERRIDES[override])
    wanted = verdict_for(BY_HAND[scope], context, OVERRIDES[override])
    assert (found.scope, found.settings, found.verdict, found.rewrite, found.result_scope, found.whose_profile) == (
        wanted.scope,
        wanted.settings,
        wanted.verdict,
        wanted.rewrite,
        wanted.result_scope,
        wanted.whose_profile,
    )


def test_contradictions_of_a_real_package_are_told_with_their_rows(tmp_path: Path) -> None:
    file = build(tmp_path / "x.msi", Scope.PER_USER, root="HKCU", component=SERVICE)
    found = verdict_for(open_package(file), Context.LOCAL_SYSTEM, {})
    rows = {(finding.rule, finding.table, finding.row) for finding in found.findings}
    (registry,) = exported(file, "Registry")
    assert ("needs-rights", "ServiceInstall", "svc") in rows
    assert ("callers-own", "Registry", registry["Registry"]) in rows
    assert ("needs-rights", "Component", "Probe") in rows


@pytest.mark.parametrize(
    ("condition", "properties", "verdict"),
    [
        ("1", {}, Verdict.CONDITIONAL),
        ("VersionNT", {"ALLUSERS": ""}, Verdict.CONDITIONAL),
        ("NOT ALLUSERS", {}, Verdict.CONDITIONAL),
        ("NOT ALLUSERS", {"ALLUSERS": "1"}, Verdict.ALLOW),
    ],
)
def test_a_real_package_that_sets_allusers_when_it_runs_is_conditional(
    tmp_path: Path, condition: str, properties: Mapping[str, str], verdict: Verdict
) -> None:
    file = build(tmp_path / "x.msi", Scope.UNSCOPED, product=SETS_ALLUSERS.format(condition=condition))
    assert verdict_for(open_package(file), Context.LOCAL_SYSTEM, properties).verdict is verdict


def test_every_table_of_a_built_package_is_read_as_msiinfo_reads_it(tmp_path: Path) -> None:
    long = {"LONG": "x" * 70_000, "UMLAUT": "Schlüssel"}
    product = SETS_ALLUSERS.format(condition="NOT ALLUSERS")
    file = build(tmp_path / "x.msi", Scope.DUAL, root="HKCU", component=SERVICE, product=product, **long)
    assert open_package(file).properties["LONG"] == long["LONG"]
    the_same(file)


def test_every_table_of_the_labelled_packages_is_read_as_msiinfo_reads_it() -> None:
    folder = shared_packages()
    need("msiinfo")
    for file in sorted(folder.glob("*.msi")):
        the_same(file)


def test_the_labelled_packages_are_of_the_class_of_their_label() -> None:
    folder = shared_packages()
    with (folder / "truth.tsv").open() as truth:
        for row in csv.DictReader(truth, delimiter="\t"):
            package = open_package(folder / row["file"])
            summary = verdict_for(package, Context.LOCAL_SYSTEM, {}).summary()
            asked = any(finding["rule"] == "decides-in-a-dialog" for finding in summary["findings"])
            assert {
                "file": row["file"],
                "ALLUSERS": summary["ALLUSERS"] or "-",
                "MSIINSTALLPERUSER": summary["MSIINSTALLPERUSER"] or "-",
                "word_count": str(summary["word_count"]),
                "scope_class": str(summary["scope"]),
                "dialog_may_change": "yes" if asked else "no",
            } == row


def the_same(file: Path) -> None:
    """Word Count and every column of every table, but for streams."""
    (word_count,) = (row["Value"] for row in exported(file, "_SummaryInformation") if row["PropertyId"] == "15")
    assert open_package(file).word_count == int(word_count)
    wanted = {table: (types_of(file, table), exported(file, table)) for table in tables_of(file)}
    read_file(file, "a package (.msi)", lambda read: equal(Tables(read), wanted))


def equal(ours: Tables, wanted: Mapping[str, tuple[dict[str, str], list[dict[str, str]]]]) -> None:
    for table, (types, rows) in wanted.items():
        for column, kind in types.items():
            values = [row[column] for row in rows]
            if kind[0] in "sSlL":
                assert list(ours.texts(table, column)) == values, (table, column)
            elif kind[0] in "iI":
                assert list(ours.numbers(table, column)) == [int(value or 0) for value in values], (table, column)
