"""What makes an account look like a service's, sign by sign."""

import math

import pytest

from keyturn.lifecycle.catalogue.products import role_names
from keyturn.model.estate import RealmKind
from keyturn.operations.discovery_signs import BY_KIND, CALLED, Certainty, role_for, weigh
from keyturn.operations.surveys import Candidate

YEAR_S = 365 * 86400
LIKELY, POSSIBLE, NONE = Certainty.LIKELY, Certainty.POSSIBLE, Certainty.NONE


@pytest.mark.parametrize(
    ("candidate", "certainty", "reason"),
    [
        (Candidate("jdoe"), NONE, ""),
        (Candidate("reports", services=("HTTP/web1",)), LIKELY, "has the service principal name HTTP/web1"),
        (Candidate("reports", delegation=("cifs/fs1",)), LIKELY, "may act for others (cifs/fs1)"),
        (Candidate("svc-web"), POSSIBLE, "its name begins with svc"),
        (Candidate("SvcSql01"), POSSIBLE, "its name begins with svc"),
        (Candidate("billing_app"), POSSIBLE, "its name has the word app"),
        (Candidate("Appleby"), NONE, ""),
        (Candidate("smithers"), NONE, ""),
        (Candidate("taskmaster"), NONE, ""),
        (Candidate("svc-web", never_expires=True), LIKELY, "its password never expires"),
        (Candidate("reports", never_expires=True), NONE, "its password never expires"),
        (
            Candidate("reports", never_expires=True, password_age_s=4 * YEAR_S),
            POSSIBLE,
            "its password is 4 years old",
        ),
        (Candidate("reports", password_age_s=YEAR_S / 2), NONE, ""),
        (Candidate("reports", units=("Service Accounts",), description="runs as the nightly job"), LIKELY, "lies in"),
        (Candidate("dbadmin", nature="is of the class account"), POSSIBLE, "is of the class account"),
        (Candidate("svc-like", person=True), NONE, "but has what people have: names, an address"),
        (Candidate("svc-old", enabled=False), POSSIBLE, "is disabled"),
        (Candidate("svc-x", strong_groups=("Domain Admins",)), POSSIBLE, "has the rights of Domain Admins"),
        (Candidate("reports", password_age_s=400 * 86400.0), NONE, "its password is 400 days old"),
        (Candidate("svc-x", policy="services"), POSSIBLE, "under the fine-grained policy services"),
    ],
    ids=lambda value: value.name if isinstance(value, Candidate) else None,
)
def test_an_account_is_taken_for_a_services_by_what_it_shows(
    candidate: Candidate, certainty: Certainty, reason: str
) -> None:
    verdict = weigh(candidate)
    assert verdict.certainty is certainty
    assert any(told.startswith(reason) for told in verdict.reasons) or not reason


@pytest.mark.parametrize(
    ("idle_s", "told"),
    [
        (0.0, ["logged on today"]),
        (11 * 3600.0, ["logged on today"]),
        (86400.0, ["logged on yesterday"]),
        (3 * 86400.0, ["logged on 3 days ago"]),
        (4 * YEAR_S, ["logged on 4 years ago"]),
        (math.inf, ["has never logged on"]),
        (None, []),
    ],
)
def test_the_last_logon_is_told_as_a_person_would(idle_s: float | None, told: list[str]) -> None:
    assert list(weigh(Candidate("jdoe", idle_s=idle_s)).reasons) == told


def test_a_description_is_never_told_for_people_write_passwords_there() -> None:
    candidate = Candidate("svc-web", description="service, password is Maple7Rain")
    assert 'its description says "service"' in weigh(candidate).reasons
    assert "Maple7Rain" not in f"{weigh(candidate)}{candidate}"


def test_many_service_names_are_counted_and_a_few_are_told() -> None:
    [told, *_] = weigh(Candidate("x", services=tuple(f"HTTP/web{n}" for n in range(9)))).reasons
    assert told == "has the service principal names HTTP/web0, HTTP/web1, HTTP/web2 and 6 more"


@pytest.mark.parametrize(
    ("candidate", "kind", "role"),
    [
        (Candidate("svc-web"), RealmKind.ACTIVE_DIRECTORY, "generic/service"),
        (Candidate("svc-web", services=("HTTP/a", "HTTP/b")), RealmKind.ACTIVE_DIRECTORY, "generic/shared-service"),
        (
            Candidate("svc-sql", services=("MSSQLSvc/db1.corp.example:1433", "MSSQLSvc/DB1:1433")),
            RealmKind.ACTIVE_DIRECTORY,
            "generic/service",
        ),
        (Candidate("app"), RealmKind.POSTGRESQL, "generic/database"),
        (Candidate("SMSServer_PHX"), RealmKind.ACTIVE_DIRECTORY, "sms2003/server-connection"),
        (Candidate("smsclient_phx"), RealmKind.ACTIVE_DIRECTORY, "sms2003/client-connection-default"),
        (Candidate("SMS#_DC1"), RealmKind.ACTIVE_DIRECTORY, "sms2003/ccm-boot-loader-dc"),
    ],
)
def test_a_role_is_proposed(candidate: Candidate, kind: RealmKind, role: str) -> None:
    assert role_for(candidate, kind) == role


def test_every_role_that_is_proposed_is_one_of_the_catalogue() -> None:
    assert {*BY_KIND.values(), *(called.role for called in CALLED), "generic/service", "generic/shared-service"} <= (
        role_names()
    )
