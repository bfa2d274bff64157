"""A program that calls msiexec is judged when it is written: let through, put right, or stopped."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from keyturn.distribution.msi.scope import Scope
from keyturn.model.errors import Refused
from keyturn.model.software import LoggedOn, Program, Rights
from keyturn.operations import advertising, software_collections, software_packages, software_programs
from keyturn.operations.software_packages import NewPackage
from keyturn.operations.software_programs import Taken
from tests.inner_site import InnerSite
from tests.msi_files import build
from tests.software import PACKAGE, software_site, source_of, wanted

AS_USER = {"rights": Rights.USER, "logged_on": LoggedOn.USER_LOGGED_ON}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[InnerSite]:
    site = software_site(tmp_path, two_person_approval=False)
    software_packages.add(site.parts, NewPackage("Editor", source_of(site, "editor", install="")), by="olga")
    software_collections.add(site.parts, "Desks", ["PC-0001"], [], by="olga")
    yield site
    site.close()


def holding(site: InnerSite, scope: Scope) -> None:
    """The package has `sub/editor.msi`, of that class."""
    folder = Path(source_of(site, "editor")) / "sub"
    folder.mkdir(exist_ok=True)
    build(folder / "editor.msi", scope)
    software_packages.update(site.parts, PACKAGE, by="olga")


def write(site: InnerSite, command_line: str, **more: object) -> Taken:
    program = replace(Program(PACKAGE, "Install", command_line), **more)  # type: ignore[arg-type]
    return software_programs.add(site.parts, program, by="olga")


def rules(taken: Taken) -> set[str]:
    return {finding.rule for finding in taken.warnings} - {"no-detection"}


def test_a_package_for_the_machine_is_let_through(site: InnerSite) -> None:
    holding(site, Scope.PER_MACHINE)
    taken = write(site, r"msiexec /i sub\Editor.MSI /qn")
    assert taken.program.command_line == r"msiexec /i sub\Editor.MSI /qn"
    assert rules(taken) == set()


def test_allusers_2_is_put_right_and_its_hole_explained(site: InnerSite) -> None:
    holding(site, Scope.DUAL)
    taken = write(site, r"msiexec /i sub\editor.msi ALLUSERS=2 /qn")
    assert taken.program.command_line == r"msiexec /i sub\editor.msi /qn ALLUSERS=1"
    (finding,) = [one for one in taken.warnings if one.rule == "msi-rewrite"]
    assert "ALLUSERS=2 does not make it per machine" in finding.text
    assert "ALLUSERS=1 is added to the command line" in finding.text
    assert site.store.program(taken.program.ref) == taken.program


def test_a_package_made_for_one_user_is_stopped_under_local_system_and_runs_as_the_user(site: InnerSite) -> None:
    holding(site, Scope.PER_USER)
    with pytest.raises(Refused, match="in the profile of SYSTEM") as refused:
        write(site, r"msiexec /i sub\editor.msi /qn")
    assert refused.value.hint.startswith("--rights user")
    assert site.store.programs() == ()
    assert rules(write(site, r"msiexec /i sub\editor.msi /qn", **AS_USER)) == set()


def test_what_is_not_in_the_package_is_not_judged_and_that_is_said(site: InnerSite) -> None:
    taken = write(site, r"msiexec /i sub\editor.msi /qn")
    assert rules(taken) == {"msi-not-judged"}
    holding(site, Scope.PER_MACHINE)
    assert rules(write(site, r"msiexec /i sub\other.msi", name="Other")) == {"msi-not-judged"}


def test_a_line_that_msiexec_would_not_read_is_stopped_and_one_for_somebody_else_is_not(site: InnerSite) -> None:
    holding(site, Scope.PER_MACHINE)
    with pytest.raises(Refused, match="quote without its other half"):
        write(site, r'msiexec /i "sub\editor.msi')
    assert rules(write(site, """sh -c 'echo "'""")) == set()


def test_a_file_that_is_no_package_is_named_as_people_named_it(site: InnerSite) -> None:
    source_of(site, "editor", **{"broken.msi": "not one"})
    software_packages.update(site.parts, PACKAGE, by="olga")
    with pytest.raises(Refused, match=r"^broken\.msi cannot be read as a package"):
        write(site, "msiexec /i broken.msi")


def test_content_that_has_changed_its_scope_since_is_not_advertised_as_it_was_written(site: InnerSite) -> None:
    holding(site, Scope.PER_MACHINE)
    write(site, r"msiexec /i sub\editor.msi /qn")
    assert advertising.look_ahead(site.parts, wanted()).warnings
    holding(site, Scope.DUAL)
    with pytest.raises(Refused, match=r"needs another command line now: .* ALLUSERS=1") as refused:
        advertising.look_ahead(site.parts, wanted())
    assert "--replace" in refused.value.hint
