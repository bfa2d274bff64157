"""A list whose entries end with a text of any length."""

import io
import sys

import pytest

from keyturn.cli.printing import print_entries

DIGEST = "digest=c8fa0eb15063"
ENTRIES = [(("1", "setup", "custody-pinned"), "custody"), (("10", "plan x", "sealed"), f"CORP\\svc-web {DIGEST}")]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(monkeypatch: pytest.MonkeyPatch, columns: int) -> str:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr(sys, "stdout", terminal := Terminal())
    print_entries(ENTRIES, empty="none")
    return terminal.getvalue()


def test_a_text_that_does_not_fit_stands_below_with_its_words_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(monkeypatch, 40).splitlines() == [
        "1   setup   custody-pinned  custody",
        "10  plan x  sealed",
        f"    CORP\\svc-web {DIGEST}",
    ]


def test_a_wide_terminal_has_one_line_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(monkeypatch, 120).splitlines()[1] == f"10  plan x  sealed          CORP\\svc-web {DIGEST}"


def test_what_is_piped_has_one_line_for_each(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    print_entries(ENTRIES, empty="none")
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_no_entry_at_all_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    print_entries([], empty="nothing has happened")
    assert capsys.readouterr().out == "nothing has happened\n"
