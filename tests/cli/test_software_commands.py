"""From a folder to an approved advertisement, by the commands that people type, against a site that runs."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from keyturn.cli.demo.stage import SITE, Stage
from keyturn.wiring import _door
from tests.cli.test_transcripts import keyturn

pytestmark = pytest.mark.xdist_group("software-commands")

PHRASE = "a long enough sentence\n"
POINT = f'\n[[site_system]]\nname = "SRV-{SITE}"\nsite = "{SITE}"\nroles = ["distribution-point"]\n'
EDITOR = f"{SITE}00001"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Two persons are needed; paul is the second. One package, one collection."""
    stage = Stage(tmp_path_factory.mktemp("software"), clients=2, interval_s=3600, door=_door)
    try:
        stage.found()
        stage.kill_server()
        settings, sources = stage.directory / "keyturn.toml", stage.root / "sources"
        written = settings.read_text().replace("two_person_approval = false", "two_person_approval = true")
        settings.write_text(f'package_sources = ["{sources}"]\n' + written)
        stage.start_server()
        estate = stage.root / "estate.toml"
        estate.write_text(estate.read_text() + POINT)
        stage.keyturn("estate", "import", str(estate))
        stage.keyturn(
            "person", "add", "paul", "--role", "approver", "--role", "viewer", "--password-stdin", stdin=PHRASE
        )
        (sources / "editor").mkdir(parents=True)
        (sources / "editor" / "install").write_text("#!/bin/sh\n")
        stage.keyturn("package", "add", "Editor", "--source", str(sources / "editor"), "--publisher", "Us")
        stage.keyturn("collection", "add", "Desks", "--client", "PC-0001")
        yield stage
    finally:
        stage.close()


@pytest.fixture(scope="module")
def paul(site: Stage) -> Path:
    """The folder of somebody who is logged in from elsewhere."""
    home = site.root / "paul"
    home.mkdir()
    door = _door(site.directory)
    ca = str(site.directory / "site-ca.pem")
    run = keyturn("login", door.url, "--name", "paul", "--ca", ca, "--password-stdin", cwd=home, stdin=PHRASE)
    assert run.returncode == 0, run.stderr
    return home


def typed(
    site: Stage, *arguments: str, status: int = 0, home: Path | None = None
) -> "subprocess.CompletedProcess[str]":
    where = [] if home else ["--dir", str(site.directory)]
    run = keyturn(*where, *arguments, cwd=home or site.root)
    assert run.returncode == status, run.stderr
    assert "Traceback" not in run.stderr
    return run


def asked(site: Stage, *arguments: str) -> Any:
    return json.loads(typed(site, *arguments, "--json").stdout)


def advertise(site: Stage, program: str, *options: str) -> str:
    typed(site, "program", "add", EDITOR, program, "--command-line", f"./install {program}")
    command = ("advertise", program, "--package", EDITOR, "--to", "Desks", *options, "--yes")
    return str(asked(site, *command)["advertisement"]["advertisement_id"])


def test_a_folder_becomes_a_package_that_distribution_points_hold(site: Stage) -> None:
    (shown,) = [p for p in asked(site, "package", "list") if p["package_id"] == EDITOR]
    assert (shown["name"], shown["publisher"], shown["source_version"]) == ("Editor", "Us", 1)
    assert "goes to SRV-DMO" in typed(site, "package", "distribute", EDITOR).stdout
    assert asked(site, "package", "show", EDITOR)["points"] == ["SRV-DMO"]
    told = typed(site, "package", "show", EDITOR).stdout
    assert "version 1, 1 file, 10 bytes" in told
    assert "SRV-DMO" in told
    assert "nothing new, version 1" in typed(site, "package", "update", EDITOR).stdout
    given = typed(site, "package", "access", EDITOR, "--allow", "CORP/KtClient")
    assert given.stdout == f"package {EDITOR} is read by CORP\\KtClient\n"
    assert asked(site, "package", "access", EDITOR, "--remove", "CORP\\ktclient")["access"] == []


def test_a_program_is_shown_with_what_was_said_of_it(site: Stage) -> None:
    options = ["--rights", "user", "--max-run", "90min", "--detect-package", "editor>=2", "--detect-file", "~/ed"]
    made = typed(site, "program", "add", EDITOR, "For a user", "--command-line", "./install", *options)
    assert made.stdout.startswith(f"program {EDITOR} For a user: as the user, only when a user is logged on\n")
    told = typed(site, "program", "show", EDITOR, "for a USER").stdout
    assert "at most        90 min, then end-it" in told
    assert "detected by    file ~/ed; package editor (>=2)" in told
    assert "For a user" in typed(site, "program", "list", "--package", EDITOR).stdout
    typed(site, "program", "remove", EDITOR, "For a user", "--yes")
    assert "For a user" not in typed(site, "program", "list").stdout


def test_a_password_in_a_command_line_is_remarked_upon_and_is_not_in_the_audit_log(site: Stage) -> None:
    made = typed(site, "program", "add", EDITOR, "Keyed", "--command-line", "./install --key 1 --password Maple7Rain")
    assert "warning: a password seems to stand in the command line" in made.stderr
    told = typed(site, "audit-log", "show", "--json").stdout
    assert "./install --key 1 --password" in told
    assert "Maple7Rain" not in told


def test_a_collection_has_its_members_now(site: Stage) -> None:
    made = typed(site, "collection", "add", "Legacy", "--query", "kind is legacy and name like *2")
    assert "now PC-0002" in made.stdout
    assert typed(site, "collection", "members", "legacy").stdout == "PC-0002\n"
    assert "query   kind is legacy and name like *2" in typed(site, "collection", "show", "legacy").stdout
    replaced = typed(site, "collection", "add", "Legacy", "--replace")
    assert "now nobody" in replaced.stdout
    typed(site, "collection", "remove", "Legacy", "--yes")
    assert [c["name"] for c in asked(site, "collection", "list")] == ["Desks"]


def test_one_person_advertises_another_approves_and_a_change_calls_for_it_again(site: Stage, paul: Path) -> None:
    offer = advertise(site, "Agreed", "--mandatory", "as-soon-as-possible")
    assert "waiting for approval" in typed(site, "advertisement", "show", offer).stdout
    refused = typed(site, "advertisement", "approve", offer, "--yes", status=2)
    assert "admin has said yes to it, so another person approves it" in refused.stderr
    approved = typed(site, "advertisement", "approve", offer, "--yes", home=paul)
    assert "./install Agreed" in approved.stdout
    assert approved.stdout.endswith(f"advertisement {offer}: in force\n")
    refused = typed(site, "advertisement", "approve", offer, "--yes", status=2)
    assert f"advertisement {offer} is in force, and waits for nobody's approval" in refused.stderr
    refused = typed(site, "advertisement", "remove", offer, "--yes", status=2)
    assert f"advertisement {offer} is in force\n" in refused.stderr
    changed = typed(site, "program", "add", EDITOR, "Agreed", "--command-line", "./install other", "--replace")
    assert f"advertisement {offer} waits for approval: no client is offered it" in changed.stderr
    assert f"keyturn advertisement approve {offer}" in changed.stderr
    again = typed(site, "advertisement", "approve", offer, "--yes", home=paul)
    assert again.stdout.endswith(f"advertisement {offer}: in force\n")
    cancelled = typed(site, "advertisement", "cancel", offer, "--yes")
    assert f"advertisement {offer}: cancelled by admin" in cancelled.stdout
    typed(site, "advertisement", "remove", offer, "--yes")
    assert offer not in typed(site, "advertisement", "list").stdout


def test_without_a_yes_only_what_would_be_is_shown(site: Stage) -> None:
    typed(site, "program", "add", EDITOR, "Looked at", "--command-line", "./install")
    before = asked(site, "advertisement", "list")
    ahead = asked(site, "advertise", "Looked at", "--package", EDITOR, "--to", "Desks")
    assert (ahead["clients"], ahead["waits"]) == (["PC-0001"], True)
    assert [finding["rule"] for finding in ahead["warnings"]] in (["optional"], ["optional", "no-point"])
    assert asked(site, "advertisement", "list") == before


def test_whoever_is_asked_and_says_nothing_has_done_nothing(site: Stage) -> None:
    offer = advertise(site, "Unsaid")
    before = asked(site, "advertisement", "list")
    told = typed(site, "advertise", "Unsaid", "--package", EDITOR, "--to", "Desks", status=1)
    assert "stopped; nothing more was done" in told.stderr
    assert "stopped; nothing more was done" in typed(site, "advertisement", "approve", offer, status=1).stderr
    assert asked(site, "advertisement", "list") == before


def test_a_package_whose_source_is_refused_stays_to_be_read_again(site: Stage) -> None:
    source = site.root / "sources" / "linked"
    source.mkdir()
    (source / "install").symlink_to("/etc/hostname")
    refused = typed(site, "package", "add", "Linked", "--source", str(source), status=2)
    (left,) = [p["package_id"] for p in asked(site, "package", "list") if p["name"] == "Linked"]
    assert "is a link" in refused.stderr
    assert f"keyturn package update {left}" in refused.stderr
    (source / "install").unlink()
    assert "version 1, 0 files" in typed(site, "package", "update", left).stdout


def test_a_schedule_is_told_as_it_was_said(site: Stage) -> None:
    times = ["--mandatory", "2030-01-01T18:00+01:00", "--mandatory", "logon", "--every", "7d", "--rerun", "always"]
    offer = advertise(site, "Scheduled", *times, "--expires", "2031-01-01")
    told = typed(site, "advertisement", "show", offer).stdout
    assert "due            logon, 2030-01-01 17:00:00Z, every 7 days" in told
    assert "expires        2031-01-01 00:00:00Z" in told


def test_the_status_names_the_clients_that_were_not_heard(site: Stage) -> None:
    offer = advertise(site, "Unheard")
    told = typed(site, "advertisement", "status", offer)
    assert "PC-0001" in told.stdout
    assert "1 not-heard" in told.stdout
    assert asked(site, "advertisement", "status", offer)["counts"] == {"not-heard": 1}
    assert "has told nothing" in typed(site, "advertisement", "status", offer, "--client", "PC-0001").stdout
    unknown = typed(site, "advertisement", "status", offer, "--client", "PC-9999", status=2)
    assert "no client PC-9999 is known here" in unknown.stderr


def test_a_fact_that_nobody_has_told_is_remarked_upon_and_taken(site: Stage) -> None:
    made = typed(site, "collection", "add", "Misspelt", "--query", "oss is debian")
    assert "warning: no client of this site has told a fact oss" in made.stderr
    assert "hint:    did you mean os?" in made.stderr
    shown = asked(site, "collection", "show", "Misspelt")
    assert [finding["rule"] for finding in shown["warnings"]] == ["fact-unknown"]
    assert asked(site, "collection", "add", "Misspelt", "--replace", "--query", "name like *")["warnings"] == []
    typed(site, "collection", "remove", "Misspelt", "--yes")


def test_a_collection_is_found_by_its_sites_code_and_its_name(site: Stage) -> None:
    named = asked(site, "collection", "show", f"{SITE}/desks")
    assert named == asked(site, "collection", "show", "Desks")
    assert typed(site, "collection", "members", f"{SITE.lower()}/Desks").stdout == "PC-0001\n"
    assert "no collection CEN/Desks" in typed(site, "collection", "show", "CEN/Desks", status=2).stderr


def test_what_is_taken_away_or_compared_is_told_to_a_program_too(site: Stage) -> None:
    package = asked(site, "package", "add", "Short-lived", "--source", str(site.root / "sources" / "editor"))
    this = package["package"]["package_id"]
    assert asked(site, "package", "refresh", this) == []
    typed(site, "program", "add", this, "Once", "--command-line", "./install")
    offer = asked(site, "advertise", "Once", "--package", this, "--to", "Desks", "--yes")
    number = offer["advertisement"]["advertisement_id"]
    typed(site, "collection", "add", "Brief")
    for words, named in (
        (["advertisement", "remove", number], {"advertisement_id": number}),
        (["program", "remove", this, "Once"], {"package": this, "name": "Once"}),
        (["package", "remove", this], {"package_id": this}),
        (["collection", "remove", "Brief"], {"collection": "Brief"}),
    ):
        if "advertisement" in words:
            typed(site, "advertisement", "cancel", number, "--yes")
        unsaid = typed(site, *words, "--json", status=1)
        assert unsaid.stdout == "", "a program cannot be asked: without --yes nothing is done"
        assert asked(site, *words, "--yes") == {**named, "removed": True}


@pytest.mark.parametrize(
    ("arguments", "error", "hint"),
    [
        (["package", "add", "x", "--source", "/etc"], "/etc is outside of the folders", "package_sources"),
        (["package", "add", "x", "--source", "{sources}/../site"], "is outside of the folders", "package_sources"),
        (["package", "add", "x", "--source", r"\\files\x"], "is outside of the folders", "package_sources"),
        (["package", "add", "x", "--access", r"NOWHERE\x"], "no realm NOWHERE", "keyturn estate show"),
        (["package", "update", EDITOR, "--source", "relative"], "a source is a folder of the site server", "--source"),
        (["package", "show", "DMO0FFFF"], "no package DMO0FFFF", "keyturn package list"),
        (["package", "access", EDITOR, "--allow", r"CORP\KtCleint"], "is not in the estate", "did you mean KtClient?"),
        (["package", "access", EDITOR, "--allow", r"CORP\Editors"], "no account of realm CORP", "keyturn account list"),
        (["package", "access", EDITOR], "neither --allow nor --remove", "keyturn package show"),
        (
            ["package", "distribute", EDITOR, "--to", "PC-0001"],
            "PC-0001 is no distribution point",
            "distribution-point",
        ),
        (
            [
                "program",
                "add",
                EDITOR,
                "x",
                "--command-line",
                "./x",
                "--every-user",
                "--logged-on",
                "whether-or-not-a-user-is-logged-on",
            ],
            "what runs once for every user runs only while a user is logged on",
            "--logged-on only-when-a-user-is-logged-on",
        ),
        (["program", "add", EDITOR, "x", "--command-line", "./x", "--replace"], "no program DMO00001 x to replace", ""),
        (["program", "show", EDITOR, "gone"], "no program gone in package DMO00001", "keyturn program list"),
        (["collection", "add", "Desks"], "is named Desks", "--replace"),
        (["collection", "add", "x", "--client", "PC-9"], "no client PC-9 in the estate", "keyturn estate show"),
        (["collection", "add", "x", "--query", "os lik x"], "query, column 4:", "as in: os is debian"),
        (["advertise", "x", "--package", "DMO0FFFF", "--to", "Desks"], "no package DMO0FFFF", "keyturn package list"),
        (["advertise", "Agreed", "--package", EDITOR, "--to", "Dsks"], "no collection Dsks", "keyturn collection list"),
        (["program", "list", "--package", "DMO0FFFF"], "no package DMO0FFFF", "keyturn package list"),
        (
            ["program", "add", EDITOR, "x", "--command-line", "./x", "--run-first", "DMO0FFFF", "x"],
            "there is no program DMO0FFFF x to run first",
            "keyturn program list",
        ),
        (["collection", "add", "Dsks", "--replace"], "no collection Dsks", "keyturn collection list"),
        (["advertise", "x", "--package", EDITOR, "--to", "Desks"], "no program x in package", "keyturn program list"),
        (
            ["advertise", "x", "--package", EDITOR, "--to", "Desks", "--every", "1d"],
            "--every says how often",
            "--mandatory",
        ),
        (["advertise", "x", "--package", EDITOR, "--to", "Desks", "--expires", "soon"], "'soon' is no time", ""),
        (["advertisement", "show", "DMO29999"], "no advertisement DMO29999", "keyturn advertisement list"),
    ],
)
def test_what_is_refused_says_why_and_what_to_do(site: Stage, arguments: list[str], error: str, hint: str) -> None:
    sources = str(site.root / "sources")
    run = typed(site, *(argument.replace("{sources}", sources) for argument in arguments), status=2)
    assert error in run.stderr
    assert hint in run.stderr
