"""A client that was pushed to a machine over a real sshd is a folder there, and runs what is advertised to it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from keyturn.adapters.runners.posix.accounts import TOKEN_NAME, legal_name
from keyturn.cli.demo.stage import Stage, until
from keyturn.model.accounts import Credential
from keyturn.model.secret import Secret
from keyturn.model.software import ClientKind
from keyturn.wiring import _door, _site
from tests.push_machine import PushMachine, push_machine

PC, OFFER, WITHIN_S = "PC-0001", "DMO20001", 90
TOKEN = legal_name(TOKEN_NAME)
HOMES = {ClientKind.LEGACY: f"/home/{TOKEN}", ClientKind.ADVANCED: "/root"}
_ACCOUNT = """
[[account]]
name = "KtPush"
realm = "CORP"
role = "client-push-installation"
sites = ["DMO"]
"""


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[PushMachine]:
    with push_machine(tmp_path / "machine") as machine:
        machine.sshd.run("mount", "-t", "tmpfs", "-o", "mode=0755", "homes", "/home")
        yield machine


@pytest.fixture(params=ClientKind)
def kind(request: pytest.FixtureRequest) -> ClientKind:
    found: ClientKind = request.param
    return found


@pytest.fixture
def stage(tmp_path: Path, machine: PushMachine, kind: ClientKind) -> Iterator[Stage]:
    stage = Stage(tmp_path / "site", clients=1, interval_s=0.5, door=_door)
    try:
        stage.found()
        estate = stage.root / "estate.toml"
        estate.write_text(estate.read_text().replace('"legacy"', f'"{kind}"') + _ACCOUNT)
        stage.keyturn("estate", "import", str(estate))
        stage.keyturn("account", "create", "CORP\\KtPush", "--yes")
        with _site(stage.directory, lambda: Secret("")) as parts:
            made = parts.store.named("CORP\\KtPush")
            assert made.generation
            machine.add_user("KtPush", parts.store.secret(Credential(made.account, made.generation)).reveal())
        (stage.directory / "known_hosts").write_text((machine.sshd.folder / "known_hosts").read_text())
        yield stage
    finally:
        stage.close()


@pytest.mark.timeout(600)
def test_a_pushed_client_runs_what_is_advertised_to_it_as_its_kind_does(
    stage: Stage, machine: PushMachine, kind: ClientKind
) -> None:
    """It learns its kind when it joins. A legacy client's policy comes by the access point."""
    command_line = 'sh -c "echo $(id -u) $(cat /proc/self/loginuid) $HOME > /var/lib/told"'
    stage.keyturn("package", "add", "Tools")
    stage.keyturn("program", "add", "DMO00001", "show", "--command-line", command_line)
    stage.keyturn("collection", "add", "all", "--client", PC)
    stage.keyturn(
        *("advertise", "show", "--package", "DMO00001", "--to", "all"), *("--mandatory", "as-soon-as-possible", "--yes")
    )
    stage.keyturn("client", "push", PC, "--address", f"127.0.0.1:{machine.sshd.port}", "--yes")
    until("it has run", lambda: standing(stage)["state"] in ("succeeded", "failed"), WITHIN_S)
    assert standing(stage)["state"] == "succeeded", standing(stage)
    uid, login, home = (machine.root / "var/lib/told").read_text().split()
    assert (uid, home) == ("0", HOMES[kind])
    made = f"{TOKEN}:x:{login}:" in (machine.sshd.etc / "passwd").read_text()
    assert made is (kind is ClientKind.LEGACY)
    assert list((machine.agent / "software" / "runs").iterdir()) == []


def standing(stage: Stage) -> dict[str, Any]:
    shown = stage.api.get(f"/advertisements/{OFFER}/status")
    return next((one for one in shown["clients"] if one["client"] == PC), {"state": ""})
