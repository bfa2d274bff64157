"""Who uses an account, by a machine's own report and by a record that a person brings, against a site that runs."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from keyturn.cli.demo.stage import ACCOUNT, FULL_NAME, REALM, Stage, keyturn
from tests.cli.stages import founded

pytestmark = pytest.mark.xdist_group("sightings-command")

LOGON = {
    "timestamp": "2026-11-21T10:00:00+0000",
    "type": "Authentication",
    "Authentication": {
        "status": "NT_STATUS_OK",
        "clientAccount": ACCOUNT,
        "clientDomain": REALM,
        "workstation": "OLD-SERVER",
        "remoteAddress": "ipv4:192.0.2.7:50000",
        "serviceDescription": "SMB2",
        "passwordType": "NTLMv2",
    },
}


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with founded(tmp_path / "stage") as stage:
        stage.enrol(stage.names)
        yield stage


def test_where_each_sighting_comes_from_is_shown(stage: Stage, tmp_path: Path) -> None:
    assert stage.keyturn("estate", "sightings").startswith("nobody was seen")
    (machine,) = stage.names
    files, record = tmp_path / "files", tmp_path / "audit.json"
    files.mkdir()
    (files / "app.ini").write_text(f"\nuser = {ACCOUNT}\n")
    record.write_text(json.dumps(LOGON) + "\n")
    keyturn("agent", "scan", "--report", "--also", str(files), "--dir", str(stage.root / machine))
    stage.keyturn("estate", "discover", "--holders", str(record))
    assert stage.keyturn("estate", "sightings").splitlines() == [
        FULL_NAME,
        "  OLD-SERVER, a stranger: let in 1 (NTLMv2), last 2026-11-21",
        f"  {machine}: named in 1 place (scan), last {today(stage)}",
        f"    {files}/app.ini:2 (configuration file, logs on as it)",
        "strangers to the estate: OLD-SERVER",
        "name each as a [[consumer]] or client of its account, or find out why it has it",
    ]


def today(stage: Stage) -> str:
    """As the site keeps it, however late it is."""
    seen = json.loads(stage.keyturn("estate", "sightings", "--json"))
    return str(datetime.fromtimestamp(seen[1]["last_at"], UTC).date())
