"""A client pushed to a machine for real: a site in a process of its own, a real sshd, the agent as it travels."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from keyturn.cli.demo.stage import Stage, until
from keyturn.model.accounts import Credential
from keyturn.model.secret import Secret
from keyturn.wiring import _door, _site
from tests.push_machine import PushMachine, push_machine

PC, WITHIN_S = "PC-0001", 60
_ACCOUNTS = "".join(
    f'\n[[account]]\nname = "{name}"\nrealm = "CORP"\nrole = "client-push-installation"\nsites = ["DMO"]\n'
    for name in ("KtPush1", "KtPush2")
)


@dataclass(frozen=True, slots=True)
class There:
    stage: Stage
    machine: PushMachine

    def push(self) -> None:
        address = f"127.0.0.1:{self.machine.sshd.port}"
        self.stage.keyturn("client", "push", PC, "--address", address, "--yes")

    @property
    def request(self) -> dict[str, Any]:
        [found] = self.stage.api.get("/push")
        assert isinstance(found, dict)
        return found

    def becomes(self, state: str) -> None:
        until(f"the request is {state}", lambda: self.request["state"] in (state, "failed"), WITHIN_S)
        assert self.request["state"] == state, self.request

    def clients(self) -> list[str]:
        return [client["name"] for client in self.stage.api.get("/clients")]


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[There]:
    folder = tmp_path_factory.mktemp("push")
    stage = Stage(folder / "site", clients=1, interval_s=0.5, door=_door)
    with push_machine(folder / "machine") as machine:
        try:
            stage.found()
            _with_accounts(stage, machine)
            (stage.directory / "known_hosts").write_text((machine.sshd.folder / "known_hosts").read_text())
            yield There(stage, machine)
        finally:
            stage.close()


def _with_accounts(stage: Stage, machine: PushMachine) -> None:
    """The machine takes another password for the first account than the one that is kept."""
    estate = stage.root / "estate.toml"
    estate.write_text(estate.read_text() + _ACCOUNTS)
    stage.keyturn("estate", "import", str(estate))
    for name in ("KtPush1", "KtPush2"):
        stage.keyturn("account", "create", f"CORP\\{name}", "--yes")
    with _site(stage.directory, lambda: Secret("")) as parts:
        second = parts.store.named("CORP\\KtPush2")
        assert second.generation
        right = parts.store.secret(Credential(second.account, second.generation))
    machine.add_user("KtPush1", "another password")
    machine.add_user("KtPush2", right.reveal())


def test_a_server_killed_while_it_installs_has_the_client_there_in_the_end(there: There) -> None:
    there.push()
    until("the agent's files arrive", lambda: any(there.machine.program.glob("*")), WITHIN_S)
    there.stage.kill_server()
    there.stage.start_server()
    there.push()
    there.becomes("done")
    assert there.machine.refusals() == 1, "the wrong password of the first account was tried once"
    assert there.clients() == [PC]


def test_the_pushed_agent_has_the_accounts_and_logs_on_with_them(there: There) -> None:
    status = there.machine.agent / "status.json"
    until("it logged on", lambda: '"answer":"accepted"' in status.read_text(), WITHIN_S)


def test_pushing_again_replaces_the_agent_that_runs(there: There) -> None:
    before = (there.machine.agent / "pid").read_text()
    there.push()
    there.becomes("done")
    after = (there.machine.agent / "pid").read_text()
    assert after != before
    assert not runs(before.split()[0])
    assert there.machine.refusals() == 1, "what was refused once is not presented again"


def test_a_removed_client_leaves_nothing_there_and_is_not_known_here(there: There) -> None:
    agent = (there.machine.agent / "pid").read_text().split()[0]
    there.stage.keyturn("client", "remove", PC, "--yes")
    there.becomes("done")
    assert not runs(agent)
    assert not there.machine.program.exists()
    assert not there.machine.agent.exists()
    assert there.clients() == []
    events = there.stage.keyturn("audit-log", "show", "--json")
    for kind in ("client-install-asked", "client-install-done", "client-remove-asked", "client-remove-done"):
        assert f'"{kind}"' in events


def runs(pid: str) -> bool:
    """Not so for one that has ended and whose parent has not looked yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
