"""A real directory looked around in."""

import time
from collections.abc import Iterator

import pytest

from keyturn.adapters.authorities.openldap.authority import open_authority
from keyturn.adapters.authorities.reaching import Login
from keyturn.model.secret import Secret
from keyturn.operations.discovery_signs import Certainty, weigh
from keyturn.operations.surveys import Discovery, Survey
from tests.openldap import Directory, running
from tests.openldap_configuration import ACCOUNTS, BIND_PASSWORD

KEYTURN = Login("keyturn", Secret(BIND_PASSWORD))
PEOPLE = 30


@pytest.fixture(scope="module")
def directory() -> Iterator[Directory]:
    with running() as directory:
        populate(directory)
        yield directory


def populate(directory: Directory) -> None:
    def add(name: str, *classes: str, **values: str) -> None:
        wanted = {"cn": name, "sn": name} | values
        attributes = [("objectClass", [value.encode() for value in (*classes, "person", "uidObject")])]
        with directory.administering() as root:
            root.add_s(
                f"uid={name},{ACCOUNTS}", [*attributes, *((key, [text.encode()]) for key, text in wanted.items())]
            )

    for number in range(PEOPLE):
        add(f"person{number}")
    add("svc-web", description="application; password is Maple7Rain", userPassword="{SSHA}AAAA")
    add("reports", "simpleSecurityObject", userPassword="{SSHA}AAAA")


@pytest.fixture
def survey(directory: Directory, monkeypatch: pytest.MonkeyPatch) -> Survey:
    monkeypatch.setattr("keyturn.adapters.authorities.openldap.session._PAGE", 7)
    return discovery(directory).survey(time.time())


def discovery(directory: Directory) -> Discovery:
    authority = open_authority(directory.realm(), lambda: KEYTURN)
    assert isinstance(authority, Discovery)
    return authority


def test_every_account_is_seen_however_many_pages_it_takes(survey: Survey) -> None:
    names = [candidate.name for candidate in survey.candidates]
    assert len(names) == len(set(names))
    assert {f"person{number}" for number in range(PEOPLE)} <= set(names)


def test_services_are_told_from_people(survey: Survey) -> None:
    found = {candidate.name: weigh(candidate) for candidate in survey.candidates}
    assert found["svc-web"].certainty is Certainty.LIKELY
    assert found["reports"].reasons[0] == "is of the class simpleSecurityObject"
    assert found["person1"].certainty is Certainty.NONE
    assert "Maple7Rain" not in f"{survey}{found}"


def test_the_servers_and_the_policy_in_force_are_told(survey: Survey, directory: Directory) -> None:
    assert survey.servers == directory.realm().replicas
    assert [named.name for named in survey.policies] == ["of the directory"]
