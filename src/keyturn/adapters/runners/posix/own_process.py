"""Processes that are modules of this very Keyturn."""

import sys
from pathlib import Path

import keyturn

_START = """import runpy, sys
sys.path.insert(0, sys.argv.pop(1))
runpy.run_module(sys.argv.pop(1), run_name="__main__")
"""


def words_for(module: str, *arguments: str) -> tuple[str, ...]:
    """Isolated: neither the environment nor the working directory says what is imported. A Keyturn that was unpacked to
    a folder and not installed, as a pushed client is, would then not find itself: hence where it lies."""
    lies_in = Path(keyturn.__file__).parent.parent
    return (sys.executable, "-I", "-c", _START, str(lies_in), module, *arguments)
