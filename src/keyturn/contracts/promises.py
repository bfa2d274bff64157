"""Promises that some kinds cannot give."""

from typing import NoReturn

import pytest

NOT_PROMISED = "not a promise of this kind"
"""Begins the reason of what a contract promises and a kind cannot do at all; every other skip is work undone."""


def not_promised(why: str) -> NoReturn:
    """Leaves the test out. It is listed, and is no test that was left undone."""
    pytest.skip(f"{NOT_PROMISED}: {why}")
