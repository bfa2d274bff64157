"""`keyturn site control` against a site that runs."""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from keyturn.cli.demo.stage import SITE, Stage, until
from tests.cli.stages import founded
from tests.cli.test_transcripts import keyturn

pytestmark = pytest.mark.xdist_group("site-control-command")

DESPOOLER = "component.SMS_DESPOOLER.enabled"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with founded(tmp_path_factory.mktemp("control")) as stage:
        yield stage


def control(site: Stage, *arguments: str, status: int = 0, stdin: str = "") -> "subprocess.CompletedProcess[str]":
    run = keyturn("--dir", str(site.directory), "site", "control", *arguments, cwd=site.root, stdin=stdin)
    assert run.returncode == status, run.stderr
    assert "Traceback" not in run.stderr
    return run


def shown(site: Stage, *arguments: str) -> Any:
    return json.loads(control(site, "show", "--json", *arguments).stdout)


def test_a_change_is_shown_compared_and_found_in_the_history(site: Stage) -> None:
    before = shown(site)["serial"]
    told = control(site, "set", "address.NYC.order=2", "address.NYC.place=\\\\nyc\\SMS_SITE")
    assert told.stdout == f"applied: the site control file is at serial {before + 1}\n"
    assert "  address.NYC.order=2\n" in control(site, "show").stdout
    assert "address.NYC" not in control(site, "show", str(before)).stdout
    assert "+ address.NYC.order=2" in control(site, "diff", str(before), str(before + 1)).stdout
    last = json.loads(control(site, "history", "--json").stdout)[-1]
    assert (last["author"], last["status"], last["serial"]) == ("admin", "applied", before + 1)
    control(site, "remove", "--item", "address.NYC")
    assert "same" in control(site, "diff", str(before), str(before + 2)).stdout


@pytest.mark.parametrize(
    ("arguments", "error", "hint"),
    [
        (["set", f"site.{SITE}.server=X"], f"not-its-own: site.{SITE}.server is the estate's", "keyturn estate import"),
        (
            ["set", "--base", "0", f"site.{SITE}.comment=x"],
            "stale: it was made for serial 0",
            "keyturn site control diff 0",
        ),
        (["set", "address.NYC.password=Maple7Rain"], "invalid-value: address.NYC.password is a secret", ""),
        (["set", "house.PHX.comment=x"], "there is no section house", "sections: site"),
        (["remove", "sender.https.speed"], "sender has no property speed", "it has at-once"),
        (["show", "999"], "no serial 999", "keyturn site control history"),
        (["show", "--site", "LAX"], "no site control file of site LAX", ""),
        (["set", "--site", "LAX", "site.LAX.comment=x"], "no site LAX", ""),
    ],
)
def test_what_is_refused_says_why_and_what_to_do(site: Stage, arguments: list[str], error: str, hint: str) -> None:
    before = shown(site)["serial"]
    run = control(site, *arguments, status=2)
    assert error in run.stderr
    assert hint in run.stderr
    assert "Maple7Rain" not in run.stderr
    assert shown(site)["serial"] == before


def test_a_secret_comes_from_standard_input_and_is_shown_as_sealed(site: Stage) -> None:
    control(site, "set", "address.SEA.password", "--stdin", stdin="Birch3Snow-91y\n")
    assert "address.SEA.password=<sealed>" in control(site, "show").stdout
    everything = control(site, "show", "--text").stdout + control(site, "history", "--json").stdout
    assert "Birch3Snow" not in everything
    assert not any(b"Birch3Snow" in path.read_bytes() for path in site.directory.iterdir() if path.is_file())


def test_the_text_form_goes_out_and_comes_back_changed(site: Stage) -> None:
    control(site, "export", "first.ct0")
    control(site, "export", "first.ct0", status=2)
    text = (site.root / "first.ct0").read_bytes()
    head = text.index(b"<SMS_DESPOOLER>")
    changed = text[:head] + text[head:].replace(b"<Enabled><><><1>", b"<Enabled><><><0>", 1)
    (site.root / "second.ct0").write_bytes(changed + b"BEGIN_UNKNOWN\r\n  <\x81>\r\nEND_UNKNOWN\r\n")
    assert "applied" in control(site, "import", "second.ct0").stdout
    assert f"  {DESPOOLER}=no\n" in control(site, "show").stdout
    control(site, "export", "third.ct0")
    assert b"BEGIN_UNKNOWN\r\n  <\x81>\r\nEND_UNKNOWN\r\n" in (site.root / "third.ct0").read_bytes()
    assert "stale" in control(site, "import", "first.ct0", status=2).stderr
    assert "says what the site control file says" in control(site, "import", "third.ct0").stdout


def test_a_component_that_is_switched_off_stops_and_runs_again_when_it_is_on(site: Stage) -> None:
    def state() -> str:
        components = {one["name"]: one["state"] for one in site.api.get("/site/status")["components"]}
        return str(components["SMS_DESPOOLER"])

    control(site, "set", f"{DESPOOLER}=no")
    until("the despooler stops", lambda: state() == "stopped", 60)
    control(site, "set", f"{DESPOOLER}=yes")
    until("the despooler runs", lambda: state() == "running", 60)


def test_a_place_that_is_none_is_refused_before_its_secret_is_asked_for(site: Stage) -> None:
    refused = control(site, "set", "password", status=2)
    assert "password is not SECTION.ITEM.PROPERTY" in refused.stderr
