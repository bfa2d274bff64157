"""The pictures show what the code says."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parent.parent.parent / "scripts"


@pytest.mark.parametrize("script", ["sites_picture.py", "run_contexts_picture.py"])
def test_the_picture_shows_what_the_code_says(script: str) -> None:
    checked = subprocess.run([sys.executable, SCRIPTS / script, "--check"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
