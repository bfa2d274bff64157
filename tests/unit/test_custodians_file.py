"""Who the custodians are now, as the settings file says while a site runs."""

import logging
from pathlib import Path

import pytest

from keyturn.adapters.site_files.custodians import Custodians
from keyturn.adapters.site_files.settings import SiteSettings, read_settings, write_settings
from keyturn.escrow.custody import Custodian, Custody
from keyturn.operations.parts import Settings

ALICE = Custodian("alice", "age1ltx4j9wskanjmvdx3efrt9mghxqq80u4rkjvys5n02le09gcpfeq35wkxd")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "keyturn.toml"
    file.write_text(write_settings(SiteSettings(Settings("PHX"), "127.0.0.1", 8443, ("localhost",), Custody((ALICE,)))))
    return file


@pytest.fixture
def custodians(file: Path) -> Custodians:
    return Custodians(file, read_settings(file.read_text()).custody)


def names(custodians: Custodians) -> list[str]:
    return [custodian.name for custodian in custodians().custodians]


def test_a_changed_file_is_followed_without_a_restart(file: Path, custodians: Custodians) -> None:
    assert names(custodians) == ["alice"]
    file.write_text(file.read_text().replace("alice =", "carol ="))
    assert names(custodians) == ["carol"]


@pytest.mark.parametrize("half_done", ["", "site = ", '[custody]\nneeded = 1\ncustodians = "nobody"\n'])
def test_while_it_cannot_be_read_the_custodians_stay_and_it_is_said(
    file: Path, custodians: Custodians, half_done: str, caplog: pytest.LogCaptureFixture
) -> None:
    whole = file.read_text()
    file.write_text(half_done)
    with caplog.at_level(logging.WARNING):
        assert names(custodians) == ["alice"]
    assert "stay as they were" in caplog.text
    file.write_text(whole.replace("alice =", "carol ="))
    assert names(custodians) == ["carol"]


def test_a_file_that_is_away_for_a_moment_is_no_change(file: Path, custodians: Custodians) -> None:
    whole = file.read_text()
    file.unlink()
    assert names(custodians) == ["alice"]
    file.write_text(whole)
    assert names(custodians) == ["alice"]
