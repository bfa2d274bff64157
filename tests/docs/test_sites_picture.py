"""The picture of the sites shows the ways that the tree gives."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def test_the_picture_shows_the_ways_that_the_tree_gives() -> None:
    checked = subprocess.run(
        [sys.executable, ROOT / "scripts" / "sites_picture.py", "--check"], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
