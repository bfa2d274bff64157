"""The picture of the order of operations is that of the plans."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def test_the_picture_shows_the_plans_as_the_planner_makes_them() -> None:
    checked = subprocess.run(
        [sys.executable, ROOT / "scripts" / "order_picture.py", "--check"], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
