"""A program that calls msiexec is judged by its command line."""

import pytest

from keyturn.distribution.msi.context import Context
from keyturn.distribution.msi.gate import verdict_of_program
from keyturn.distribution.msi.package import Package
from keyturn.distribution.msi.verdict import Verdict

UNSCOPED = Package({}, 2)


@pytest.mark.parametrize(
    ("command_line", "verdict", "rewritten"),
    [
        ("msiexec /i x.msi /qn", Verdict.REWRITE, "msiexec /i x.msi /qn ALLUSERS=1"),
        ("msiexec /i x.msi ALLUSERS=1 /qn", Verdict.ALLOW, "msiexec /i x.msi ALLUSERS=1 /qn"),
        (
            "msiexec /i x.msi ALLUSERS=2 MSIINSTALLPERUSER=1",
            Verdict.REWRITE,
            "msiexec /i x.msi MSIINSTALLPERUSER=1 ALLUSERS=1",
        ),
    ],
)
def test_a_program_is_rewritten_where_that_helps(command_line: str, verdict: Verdict, rewritten: str) -> None:
    found = verdict_of_program(command_line, Context.LOCAL_SYSTEM, lambda _name, _transforms: UNSCOPED)
    assert found is not None
    assert (found.judgement.verdict, found.command_line) == (verdict, rewritten)


def test_the_package_and_the_transforms_of_the_command_line_are_the_ones_judged() -> None:
    asked = []

    def open_package(name: str, transforms: tuple[str, ...]) -> Package:
        asked.append((name, transforms))
        return UNSCOPED

    verdict_of_program('msiexec /i "a b.msi" TRANSFORMS="c.mst;d.mst"', Context.USER, open_package)
    assert asked == [("a b.msi", ("c.mst", "d.mst"))]


@pytest.mark.parametrize("command_line", ["setup.exe /S", "msiexec /x {24E06469-048F-47B0-ADDF-E6D930C6DDE2}"])
def test_a_program_that_installs_no_package_is_not_judged(command_line: str) -> None:
    def open_package(name: str, transforms: tuple[str, ...]) -> Package:
        raise AssertionError(name)

    assert verdict_of_program(command_line, Context.LOCAL_SYSTEM, open_package) is None
