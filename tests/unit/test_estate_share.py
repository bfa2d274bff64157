"""The share of a site system: read, written, and refused where a client could not use it."""

import pytest

from keyturn.agent.ways_out import WAYS_OUT
from keyturn.lifecycle.catalogue.products import role_names
from keyturn.model.logon import Answer
from keyturn.wire.estate_file.problems import EstateErrors
from keyturn.wire.estate_file.reading import read_estate
from keyturn.wire.estate_file.writing import write_estate
from tests.estates import ADDITIONAL

SYSTEM = '\n[[site_system]]\nname = "FS1"\nsite = "PHX"\n'
ACCESS_POINT = SYSTEM + 'roles = ["client-access-point"]\n'


def read(text: str):  # type: ignore[no-untyped-def]
    return read_estate(text, roles=role_names())


def mistake(text: str) -> str:
    with pytest.raises(EstateErrors) as raised:
        read(text)
    (problem,) = raised.value.problems
    return problem.message


@pytest.mark.parametrize("share", [r"\\fs1\cap", r"\\fs1.corp.example\cap$", r"\\10.0.0.7\sms cap\PHX"])
def test_a_share_comes_back_as_it_was_written(share: str) -> None:
    estate = read(f"{ADDITIONAL}{ACCESS_POINT}share = '{share}'\n")
    assert [system.share for system in estate.systems] == [share]
    assert [system.share for system in read(write_estate(estate)).systems] == [share]


@pytest.mark.parametrize("share", ["cap", r"\\fs1", r"\\fs1\\", "//fs1/cap", r"\\fs 1\cap", r"\\fs1\c*p", ""])
def test_what_is_no_share_is_refused(share: str) -> None:
    assert "share must be" in mistake(f"{ADDITIONAL}{ACCESS_POINT}share = '{share}'\n")


def test_a_share_that_no_client_looks_for_is_refused() -> None:
    assert "is no access point" in mistake(rf"{ADDITIONAL}{SYSTEM}share = '\\fs1\cap'")


def test_a_realm_that_the_file_server_knows_by_another_name_is_refused() -> None:
    domain = 'replicas = ["dc1", "dc2"]\nkind = "active-directory"\n'
    other = ADDITIONAL.replace('replicas = ["dc1", "dc2"]\n', domain)
    other = other.replace("[[site]]", '[realm.connection]\ndomain = "CORPORATION"\n\n[[site]]', 1)
    assert "strangers to domain CORPORATION" in mistake(rf"{other}{ACCESS_POINT}share = '\\fs1\cap'")


def test_every_answer_but_yes_has_a_way_out() -> None:
    assert set(Answer) - set(WAYS_OUT) == {Answer.ACCEPTED}
