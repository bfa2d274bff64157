"""Command lines of msiexec, as people write them into programs."""

from collections.abc import Mapping

import pytest

from keyturn.distribution.msi.command_line import add_properties, read_command_line
from keyturn.model.errors import Refused


@pytest.mark.parametrize(
    ("text", "package", "properties"),
    [
        ("msiexec /i x.msi", "x.msi", {}),
        ("MsiExec.exe /I x.msi /qn ALLUSERS=1", "x.msi", {"ALLUSERS": "1"}),
        ("msiexec -package x.msi allusers=2", "x.msi", {"ALLUSERS": "2"}),
        (r'"C:\Windows\System32\msiexec.exe" /i "\\S\P$\My App.msi" /l*v "C:\a b.log"', r"\\S\P$\My App.msi", {}),
        ('msiexec /i x.msi MSIINSTALLPERUSER="" ALLUSERS=', "x.msi", {"MSIINSTALLPERUSER": "", "ALLUSERS": ""}),
        ('msiexec /i x.msi NAME="a ""b"" c" N=1', "x.msi", {"NAME": 'a "b" c', "N": "1"}),
        (r'msiexec /i x.msi DIR="C:\a\" N=1', "x.msi", {"DIR": "C:\\a\\", "N": "1"}),
        ("start /wait msiexec /i x.msi A=b=c", "x.msi", {"A": "b=c"}),
        ("msiexec /i x.msi ALLUSERS=1 ALLUSERS=1", "x.msi", {"ALLUSERS": "1"}),
        ("msiexec /x {24E06469-048F-47B0-ADDF-E6D930C6DDE2} /qn", None, {}),
        ("msiexec /i", None, {}),
    ],
)
def test_package_and_properties_are_found(text: str, package: str | None, properties: Mapping[str, str]) -> None:
    call = read_command_line(text)
    assert call is not None
    assert (call.package, call.properties) == (package, properties)


@pytest.mark.parametrize("text", ["setup.exe /S ALLUSERS=1", "", "notmsiexec /i x.msi", "x.msi"])
def test_a_line_without_msiexec_is_none_of_ours(text: str) -> None:
    assert read_command_line(text) is None


def test_transforms_are_named_in_their_order() -> None:
    call = read_command_line('msiexec /i x.msi TRANSFORMS="a b.mst;c.mst"')
    assert call is not None
    assert call.transforms == ("a b.mst", "c.mst")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('msiexec /i x.msi NAME="a', "other half"),
        ("msiexec /i x.msi ALLUSERS=1 allusers=2", "ALLUSERS is given twice"),
        ('msiexec /i x.msi "ALLUSERS=1"', "in quotes as a whole"),
    ],
)
def test_what_could_be_misread_is_refused(text: str, told: str) -> None:
    with pytest.raises(Refused, match=told):
        read_command_line(text)


@pytest.mark.parametrize(
    ("text", "added", "found"),
    [
        ("msiexec /i x.msi /qn", {"ALLUSERS": "1"}, "msiexec /i x.msi /qn ALLUSERS=1"),
        ("msiexec /i x.msi allusers=2 /qn", {"ALLUSERS": "1"}, "msiexec /i x.msi /qn ALLUSERS=1"),
        ('msiexec /i "a b.msi" N="c  d"', {"ALLUSERS": ""}, 'msiexec /i "a b.msi" N="c  d" ALLUSERS=""'),
        ("msiexec /i x.msi", {"N": 'a "b"'}, 'msiexec /i x.msi N="a ""b"""'),
    ],
)
def test_a_rewrite_replaces_what_the_line_says_of_it(text: str, added: Mapping[str, str], found: str) -> None:
    assert add_properties(text, added) == found
    call = read_command_line(found)
    assert call is not None
    assert dict(added).items() <= dict(call.properties).items()
