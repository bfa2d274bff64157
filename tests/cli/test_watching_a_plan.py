"""Whoever watches a plan may leave it."""

from typing import Any

import pytest

from keyturn.cli.plan import follow


class LeftByItsWatcher:
    """A site whose plan waits; at the second look somebody presses Ctrl-C."""

    def __init__(self) -> None:
        self.looks = 0

    def get(self, path: str) -> dict[str, Any]:
        self.looks += 1
        if self.looks > 1:
            raise KeyboardInterrupt
        return {"id": "6tj7g4y8", "steps": [], "state": "waiting", "note": "1 of 2 have proven it", "missing": ["PC-2"]}


def test_ctrl_c_ends_the_watching_and_says_that_the_plan_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        follow(LeftByItsWatcher(), "6tj7g4y8", as_json=False)  # type: ignore[arg-type]
    assert left.value.code == 1
    told = capsys.readouterr().err
    assert "waits: 1 of 2 have proven it" in told
    assert told.endswith("plan 6tj7g4y8 goes on unwatched: keyturn plan watch 6tj7g4y8\n")
