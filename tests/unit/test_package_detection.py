"""Whether this machine's own package system has a package, in the version that is wanted."""

import shutil
import subprocess
from pathlib import Path

import pytest

from keyturn.agent.software.packages import installed
from keyturn.agent.software.rpm_versions import at_least, compared

VECTORS = [
    ("1.0", "1.0", 0), ("1.0", "2.0", -1), ("2.0.1", "2.0", 1), ("2.0.1a", "2.0.1", 1), ("5.5p1", "5.5p2", -1),
    ("5.5p10", "5.5p1", 1), ("10xyz", "10.1xyz", -1), ("xyz10", "xyz10.1", -1), ("xyz.4", "8", -1),
    ("6.0.rc1", "6.0", 1), ("10b2", "10a1", 1), ("1.0aa", "1.0a", 1), ("10.0001", "10.1", 0),
    ("20101121", "20101122", -1), ("2_0", "2.0", 0), ("a+", "a_", 0), ("+", "_", 0), ("1.0~rc1", "1.0", -1),
    ("1.0~rc1~git123", "1.0~rc1", -1), ("1.0^", "1.0", 1), ("1.0^git1", "1.01", -1), ("1.0^20160101", "1.0.1", -1),
    ("1.0~rc1^git1", "1.0~rc1", 1), ("1.0^git1~pre", "1.0^git1", -1), ("1.900", "1.8000", -1), ("FC5", "fc4", -1),
]  # fmt: skip
"""As rpm 4.18 orders them."""


@pytest.mark.parametrize(("one", "other", "order"), VECTORS)
def test_versions_are_ordered_as_rpm_orders_them(one, other, order):
    assert (compared(one, other), compared(other, one)) == (order, -order)


@pytest.mark.parametrize(
    ("found", "least", "holds"),
    [
        ("2.0-3", "2.0", True),
        ("2.0-3", "2.0-3", True),
        ("2.0-3", "2.0-10", False),
        ("1:1.0-1", "2.0", True),
        ("1.0-1", "1:0.5", False),
        ("0:1.0-1", "1.0-1", True),
        ("2.0~rc1-1", "2.0", False),
    ],
)
def test_an_epoch_weighs_most_and_a_release_counts_where_both_have_one(found, least, holds):
    assert at_least(found, least) is holds


@pytest.fixture
def version_of_dpkg() -> str:
    if shutil.which("dpkg-query") is None:
        pytest.skip("this machine's packages are not dpkg's")
    return subprocess.run(["dpkg-query", "-W", "-f=${Version}", "dpkg"], capture_output=True, text=True).stdout


def test_a_package_of_dpkg_is_found_in_its_version_and_no_other(version_of_dpkg):
    assert installed("dpkg", "")
    assert installed("dpkg", version_of_dpkg)
    assert installed("dpkg", f">={version_of_dpkg}")
    assert installed("dpkg", ">= 1.0")
    assert not installed("dpkg", "1.0")
    assert not installed("dpkg", ">=999")
    assert not installed("no-such-package-of-anybody", "")


@pytest.mark.parametrize("name", ["-W", "", "a b", "dpkg;true", "*"])
def test_what_is_no_name_of_a_package_is_not_asked_for(version_of_dpkg, name):
    assert not installed(name, "")


@pytest.mark.parametrize(
    ("wanted", "holds"),
    [
        ("", True), ("1:2.0~rc1-3", True), ("1:2.0~rc1", True), ("1:2.0~rc1-4", False), ("2.0", False),
        (">=1:1.9", True), (">=3.0", True), (">=1:2.0", False),
    ],
)  # fmt: skip
def test_a_machine_of_rpm_packages_is_asked_by_rpm(tmp_path: Path, monkeypatch, wanted, holds):
    """As rpm 4.18 answers for a package that it has and for one that it has not."""
    rpm = tmp_path / "rpm"
    rpm.write_text(
        '#!/bin/sh\n[ "$1 $2 $4" = "-q --qf probe" ] && echo 1:2.0~rc1-3 && exit\n'
        'echo "package is not installed"\nexit 1\n'
    )
    rpm.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert installed("probe", wanted) is holds
    assert not installed("another", wanted)


@pytest.fixture
def package_of_rpm(tmp_path: Path, monkeypatch) -> str:
    """One without files, in versions 1.2-3 and 1:0.9-1, made by rpmbuild and put into a database of the test's own."""
    for program in ("rpm", "rpmbuild"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed (scripts/system-packages)")
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".rpmmacros").write_text(f"%_dbpath {tmp_path}/rpmdb\n%_topdir {tmp_path}\n")
    for epoch, version, release in ((0, "1.2", 3), (1, "0.9", 1)):
        spec = tmp_path / f"{version}.spec"
        spec.write_text(
            f"Name: keyturn-probe\nEpoch: {epoch}\nVersion: {version}\nRelease: {release}\nSummary: none\n"
            "License: none\nBuildArch: noarch\n%description\nnone\n%files\n"
        )
        subprocess.run(["rpmbuild", "--quiet", "-bb", spec], check=True, capture_output=True)
    built = sorted((tmp_path / "RPMS").rglob("*.rpm"))
    subprocess.run(["rpm", "-i", "--nodeps", "--force", *built], check=True, capture_output=True)
    return "keyturn-probe"


@pytest.mark.parametrize(
    ("wanted", "holds"),
    [
        ("", True), ("1.2", True), ("1.2-3", True), ("1.2-4", False), ("1.3", False), ("1:0.9", True),
        (">=1.2", True), (">=1:0.9", True), (">=1:1.0", False),
    ],
)  # fmt: skip
def test_rpm_finds_each_version_that_is_installed_also_beside_dpkg(package_of_rpm, wanted, holds):
    assert installed(package_of_rpm, wanted) is holds


def test_a_package_of_dpkg_for_two_architectures_is_found_in_either_version(tmp_path: Path, monkeypatch):
    """dpkg-query ends no line by itself."""
    query = tmp_path / "dpkg-query"
    query.write_text(
        "#!/bin/sh\n"
        "case $2 in *'\n') end='\\n';; esac\n"
        'printf "installed 1.0$end"; printf "installed 2.0$end"; printf "config-files 3.0$end"\n'
    )
    query.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert [installed("libc6", version) for version in ("", "1.0", "2.0", "3.0")] == [True, True, True, False]
