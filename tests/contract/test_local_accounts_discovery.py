"""The accounts of this machine looked around in, in a private copy of `/etc`."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from keyturn.adapters.authorities.local_accounts.authority import open_authority
from keyturn.adapters.authorities.reaching import Login
from keyturn.model.accounts import RealmName
from keyturn.model.estate import Realm, RealmKind
from keyturn.operations.discovery_signs import Certainty, weigh
from keyturn.operations.surveys import Candidate, Discovery, Survey
from tests.private_etc import private_etc

HASH = "$y$j9T$AAAA$BBBB"
LINES = (
    ("kt-daemon", "901", "", "/usr/sbin/nologin", HASH),
    ("ktsmith", "2001", "Anna Smith,,,", "/bin/bash", HASH),
    ("ktreports", "2002", "", "/usr/sbin/nologin", HASH),
    ("ktnobody", "902", "", "/usr/sbin/nologin", "!"),
    ("ktbarred", "2003", "service of the night", "/usr/sbin/nologin", f"!{HASH}"),
)


@pytest.fixture(scope="module", autouse=True)
def etc() -> Iterator[Path]:
    with private_etc() as etc:
        with (etc / "passwd").open("a") as passwd, (etc / "shadow").open("a") as shadow:
            for name, uid, comment, shell, hashed in LINES:
                passwd.write(f"{name}:x:{uid}:{uid}:{comment}:/:{shell}\n")
                shadow.write(f"{name}:{hashed}:19000:0:99999:7:::\n")
        yield etc


@pytest.fixture
def survey() -> Survey:
    def nobody() -> Login:
        raise AssertionError("root needs no login")

    authority = open_authority(Realm(RealmName("HERE"), RealmKind.LOCAL, ("here",)), nobody)
    assert isinstance(authority, Discovery)
    return authority.survey(time.time())


def candidate(survey: Survey, name: str) -> Candidate:
    return next(candidate for candidate in survey.candidates if candidate.name == name)


@pytest.mark.parametrize(
    ("name", "certainty", "reason"),
    [
        ("kt-daemon", Certainty.LIKELY, "is one of the system's accounts, and has a password"),
        ("ktreports", Certainty.LIKELY, "has a password and no shell"),
        ("ktbarred", Certainty.LIKELY, "is disabled"),
        ("ktsmith", Certainty.NONE, "but has what people have: names, an address"),
    ],
)
def test_services_are_told_from_people(survey: Survey, name: str, certainty: Certainty, reason: str) -> None:
    verdict = weigh(candidate(survey, name))
    assert verdict.certainty is certainty
    assert reason in verdict.reasons
    assert HASH not in f"{survey}"


def test_who_has_no_password_is_counted_and_left_out(survey: Survey) -> None:
    assert "ktnobody" not in [candidate.name for candidate in survey.candidates]
    assert survey.left_out[0].count > 0
    assert survey.servers == ("here",)
