"""Which properties of programs, packages and advertisements go together: one row a rule."""

from dataclasses import replace
from typing import Any

import pytest

from keyturn.distribution.authoring import (
    ADVERTISEMENT_RULES,
    OF_BOTH,
    PACKAGE_RULES,
    findings_of_advertisement,
    findings_of_package,
)
from keyturn.distribution.findings import refusals
from keyturn.distribution.program_rules import PROGRAM_RULES, findings_of_program
from keyturn.model.software import (
    Advertisement,
    AdvertisementId,
    Afterwards,
    At,
    CollectionId,
    Detection,
    DetectionKind,
    Event,
    LoggedOn,
    Package,
    PackageId,
    Program,
    ProgramName,
    Rights,
)

PACKAGE = Package(PackageId("PHX00001"), "Editor", "/srv/packages/editor")
PROGRAM = Program(
    PACKAGE.package_id, "Install", "./install", max_run_s=600, detection=(Detection(DetectionKind.FILE, "/opt/editor"),)
)
OFFER = Advertisement(
    AdvertisementId(""), PROGRAM.ref, CollectionId("PHXC0001"), 1000.0, assignments=(Event.AS_SOON_AS_POSSIBLE,)
)
INSTALLER = {"software_installation_account": True}
WITH_USER = {"logged_on": LoggedOn.USER_LOGGED_ON}
NOBODY = {"logged_on": LoggedOn.NO_USER}
SHA = "ab" * 32

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"name": ""}, "name"),
    ({"name": "a/b"}, "name"),
    ({"name": ".."}, "name"),
    ({"name": " a"}, "name"),
    ({"name": "x" * 101}, "name"),
    ({"command_line": "  "}, "command-line"),
    ({"command_line": "one\ntwo"}, "command-line"),
    ({"rights": Rights.USER, **NOBODY}, "user-rights-without-a-user"),
    ({"rights": Rights.USER}, "administrative-is-implied"),
    ({"every_user": True}, "every-user-needs-a-user"),
    ({"unattended": False, **NOBODY}, "nobody-attends"),
    ({"afterwards": Afterwards.LOGS_OFF, **NOBODY}, "nobody-to-log-off"),
    ({**INSTALLER, "rights": Rights.USER, **WITH_USER}, "installer-is-administrative"),
    ({**INSTALLER, **WITH_USER}, "installer-needs-no-user"),
    ({**INSTALLER, "unattended": False}, "installer-is-unattended"),
    ({**INSTALLER, "drive": "S:"}, "installer-runs-by-unc"),
    ({"drive": "A:"}, "drive"),
    ({"drive": "S"}, "drive"),
    ({"max_run_s": 0.0}, "max-run"),
    ({"max_run_s": float("nan")}, "max-run"),
    ({"max_run_s": 8 * 86400.0}, "max-run"),
    ({"success_codes": ()}, "success-codes"),
    ({"success_codes": (-1,)}, "success-codes"),
    ({"shares": (r"\\host\share\folder",)}, "shares"),
    ({"shares": ("host",)}, "shares"),
    ({"detection": (Detection(DetectionKind.FILE, ""),)}, "detection"),
    ({"detection": (Detection(DetectionKind.FILE, "/opt/editor", "no digest"),)}, "detection"),
    ({"detection": (Detection(DetectionKind.COMMAND, "editor", "1"),)}, "detection"),
    ({"detection": (Detection(DetectionKind.PACKAGE, "the editor"),)}, "detection-package"),
    ({"detection": (Detection(DetectionKind.PACKAGE, "editor", ">2"),)}, "detection-package"),
    ({"detection": (Detection(DetectionKind.FILE, "bin/editor"),)}, "detection-from-a-root"),
    ({"detection": (Detection(DetectionKind.FILE, "~bob/editor"),)}, "detection-from-a-root"),
    ({"run_first": ProgramName(PackageId("PHX00009"), "Gone")}, "run-first"),
    ({"run_first": PROGRAM.ref}, "run-first-cycle"),
]
WARNED: list[tuple[dict[str, Any], str]] = [
    (INSTALLER, "installer-in-a-global-group"),
    ({"drive": "S:"}, "drive-of-nobody"),
    ({"detection": ()}, "no-detection"),
    ({"command_line": "./install PASSWORD=Maple7Rain"}, "secret-in-command-line"),
    ({"command_line": "./install --password Maple7Rain"}, "secret-in-command-line"),
    ({"command_line": "./install https://ann:Maple7Rain@files/editor"}, "secret-in-command-line"),
    ({"detection": (Detection(DetectionKind.COMMAND, "ask --token Maple7Rain"),)}, "secret-in-command-line"),
    ({"command_line": "./install 'for all"}, "command-line-unread"),
    ({"detection": (Detection(DetectionKind.COMMAND, 'ask "editor'),)}, "command-line-unread"),
    ({"command_line": r"./install \\files\office\setup.ini"}, "shares-of-legacy-clients"),
    ({"shares": (r"\\files\office",)}, "shares-of-legacy-clients"),
]
TAKEN: list[dict[str, Any]] = [
    {},
    {"rights": Rights.USER, **WITH_USER},
    {"rights": Rights.USER, "every_user": True, **WITH_USER},
    {"drive": "*", **WITH_USER},
    {"success_codes": (0, 3010)},
    {"detection": (Detection(DetectionKind.FILE, "~/editor", SHA), Detection(DetectionKind.PACKAGE, "editor", ">=2"))},
    {**INSTALLER, **NOBODY},
    {"max_run_s": None},
    {"detection": (Detection(DetectionKind.FILE, r"C:\Program Files\Editor\editor.exe"),)},
]
UNREMARKABLE = [
    "./reset-password --now",
    r'"\\files\office\setup" "\\files\office\"',
    "sh -c 'echo \"two words\"'",
]


def rules(program: Program) -> dict[str, bool]:
    return {finding.rule: finding.refuses for finding in findings_of_program(program, {})}


@pytest.mark.parametrize(("changed", "rule"), REFUSED)
def test_what_could_never_run_is_refused(changed: dict[str, Any], rule: str) -> None:
    assert rules(replace(PROGRAM, **changed)).get(rule) is True


@pytest.mark.parametrize(("changed", "rule"), WARNED)
def test_what_may_surprise_is_said(changed: dict[str, Any], rule: str) -> None:
    assert rules(replace(PROGRAM, **changed)) == {rule: False}


@pytest.mark.parametrize("changed", TAKEN)
def test_what_goes_together_is_taken(changed: dict[str, Any]) -> None:
    assert not any(rules(replace(PROGRAM, **changed)).values())


@pytest.mark.parametrize("line", UNREMARKABLE)
def test_a_line_that_only_looks_like_trouble_is_not_remarked_upon(line: str) -> None:
    found = rules(replace(PROGRAM, command_line=line))
    assert not {"secret-in-command-line", "command-line-unread"} & found.keys()


def test_every_rule_of_a_program_has_a_row() -> None:
    rows = {rule for _, rule in (*REFUSED, *WARNED)}
    assert rows == {finding.rule for _, finding in PROGRAM_RULES} | {"run-first", "run-first-cycle"}


def test_a_program_that_would_come_before_itself_is_told_by_the_way_that_leads_there() -> None:
    second = replace(PROGRAM, name="Second", run_first=PROGRAM.ref)
    changed = replace(PROGRAM, run_first=second.ref)
    (finding,) = findings_of_program(changed, {second.ref: second, PROGRAM.ref: PROGRAM})
    assert finding.text.endswith("PHX00001 Install → PHX00001 Second → PHX00001 Install")


PACKAGES: list[tuple[dict[str, Any], str]] = [
    ({"name": "\x00"}, "name"),
    ({"publisher": "two\nlines"}, "text"),
    ({"source": "packages/editor"}, "source"),
    ({"source": "https://files/editor"}, "source"),
    ({"source": r"\\host"}, "source"),
    ({"access": ("KtUsers",)}, "access"),
    ({"access": (r"CORP\KtUsers\x",)}, "access"),
]


@pytest.mark.parametrize(("changed", "rule"), PACKAGES)
def test_a_package_that_cannot_be_is_refused(changed: dict[str, Any], rule: str) -> None:
    assert [finding.rule for finding in findings_of_package(replace(PACKAGE, **changed))] == [rule]


@pytest.mark.parametrize("changed", [{}, {"source": ""}, {"source": r"\\host\share\editor"}, {"access": (r"CORP\x",)}])
def test_a_package_that_can_be_is_taken(changed: dict[str, Any]) -> None:
    assert findings_of_package(replace(PACKAGE, **changed)) == ()


ADVERTISED: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"name": "\n"}, {}, "name"),
    ({"available_at": float("nan")}, {}, "moments"),
    ({"expires_at": float("inf")}, {}, "moments"),
    ({"expires_at": 1000.0}, {}, "expires"),
    ({"assignments": (Event.LOGON,) * 33}, {}, "assignments"),
    ({"assignments": (At(2000.0, 59.0),)}, {}, "every"),
    ({"assignments": (At(2000.0, float("nan")),)}, {}, "every"),
    ({"assignments": (At(3000.0),), "expires_at": 3000.0}, {}, "never-due"),
    ({"assignments": (Event.LOGON,)}, NOBODY, "logon-without-a-user"),
    ({"assignments": (Event.LOGOFF,)}, NOBODY, "logon-without-a-user"),
    ({"assignments": ()}, NOBODY, "optional-without-a-user"),
]


@pytest.mark.parametrize(("offer", "program", "rule"), ADVERTISED)
def test_an_advertisement_that_could_never_be_due_is_refused(
    offer: dict[str, Any], program: dict[str, Any], rule: str
) -> None:
    found = findings_of_advertisement(replace(OFFER, **offer), replace(PROGRAM, **program))
    assert [finding.rule for finding in refusals(found)] == [rule]


@pytest.mark.parametrize(
    "offer", [{}, {"assignments": (At(2000.0, 60.0), Event.LOGON), "expires_at": 2001.0}, {"expires_at": 1001.0}]
)
def test_an_advertisement_that_may_be_due_is_taken(offer: dict[str, Any]) -> None:
    assert findings_of_advertisement(replace(OFFER, **offer), PROGRAM) == ()


def test_an_optional_one_is_said_to_be_optional() -> None:
    (finding,) = findings_of_advertisement(replace(OFFER, assignments=()), PROGRAM)
    assert (finding.rule, finding.refuses) == ("optional", False)


def test_every_rule_of_a_package_and_of_an_advertisement_has_a_row() -> None:
    assert {rule for _, rule in PACKAGES} == {finding.rule for _, finding in PACKAGE_RULES}
    rows = {rule for _, _, rule in ADVERTISED} | {"optional"}
    assert rows == {finding.rule for _, finding in (*ADVERTISEMENT_RULES, *OF_BOTH)}
