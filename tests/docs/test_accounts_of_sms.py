"""The how-to of Table 12.2 has a section for every row of the catalogue."""

import re
from pathlib import Path

from keyturn.lifecycle.catalogue.sms2003 import ROWS

TEXT = (Path(__file__).parent.parent.parent / "docs" / "how-to" / "accounts-of-sms.md").read_text()
SECTIONS = dict(re.findall(r"^## (\S+)\n(.*?)(?=^## |\Z)", TEXT, re.M | re.S))


def test_every_row_has_a_section_and_no_section_is_of_another() -> None:
    assert list(SECTIONS) == [row.role for row in ROWS]
