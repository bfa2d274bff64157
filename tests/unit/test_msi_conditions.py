"""What of a condition is known before a package runs."""

import pytest

from keyturn.distribution.msi.conditions import holds

KNOWN = {"ALLUSERS": "1", "MSIINSTALLPERUSER": "", "Installed": "", "Privileged": "1"}


@pytest.mark.parametrize(
    ("condition", "held"),
    [
        ("", True),
        ("ALLUSERS", True),
        ("NOT ALLUSERS", False),
        ("not ALLUSERS", False),
        ("ALLUSERS=1", True),
        ('ALLUSERS = "1"', True),
        ("ALLUSERS<>1", False),
        ("NOT ALLUSERS=1", False),
        ('MSIINSTALLPERUSER=""', True),
        ("MSIINSTALLPERUSER<>1", True),
        ("Installed OR NOT ALLUSERS", False),
        ("Privileged AND ALLUSERS=1", True),
        ("ALLUSERS=2 AND VersionNT>=601", False),
        ("ALLUSERS=1 OR VersionNT>=601", True),
        ("ALLUSERS=1 AND VersionNT>=601", None),
        ("ALLUSERS=2 OR VersionNT>=601", None),
        ("ALLUSERS=2 AND Privileged OR ALLUSERS=1", True),
        ("allusers", None),
        ("NOT (ALLUSERS=1)", None),
        ("ALLUSERS~=1", None),
        ('NAME="a OR b"', None),
        ("ALLUSERS " * 1000, None),
        ("$Component=3", None),
    ],
)
def test_a_condition_holds_fails_or_stays_open(condition: str, held: bool | None) -> None:
    assert holds(condition, KNOWN) is held
