"""A site whose clients read the access point on a share: told when they enrol, and filled by `keyturn site publish`."""

import json
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from keyturn.agent.records import Standing
from keyturn.cli.site import site as command
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.operations import clients
from keyturn.server.access_point import access_files
from keyturn.wire.agent import FOLDER, NoAnswer, Reading, accounts_file
from tests.estates import ADDITIONAL
from tests.inner_site import InnerSite, site_in
from tests.share_fleet import Machine, RoutesOf

SHARE = r"\\fs1.corp.example\cap"
ON_A_SHARE = (
    ADDITIONAL
    + f"""
[[site_system]]
name = "FS1"
site = "PHX"
roles = ["client-access-point"]
share = '{SHARE}'
"""
)


@dataclass
class FileServer:
    """As far as an agent sees one: `says` is what the next read comes to, or that it is not reached."""

    says: Answer | None = Answer.ACCEPTED
    reads: int = 0

    @contextmanager
    def reach(self):  # type: ignore[no-untyped-def]
        if self.says is None:
            raise NoAnswer("file server fs1 does not answer")
        yield self

    def read(self, name: str, account: str, secret: object, box: str = FOLDER) -> Reading:
        assert self.says
        self.reads += 1
        return Reading(self.says, b"{}" if self.says is Answer.ACCEPTED else None)


@pytest.fixture
def site(tmp_path: Path) -> InnerSite:
    site = site_in(tmp_path, ON_A_SHARE)
    site.create("KtClient")
    return site


def machine_of(site: InnerSite, folder: Path, server: FileServer) -> Machine:
    machine = Machine(site, RoutesOf(site), folder / "PC-0001", gated=True, smb=lambda place, protocol: server)
    machine.enrol()
    return machine


def held(machine: Machine) -> Standing:
    (copy,) = machine.client.credentials.held()
    return copy.standing


def test_a_client_is_told_of_the_share_and_of_its_protocol_when_it_enrols(site: InnerSite, tmp_path: Path) -> None:
    installation = machine_of(site, tmp_path, FileServer()).home.installation()
    assert (installation.access_point, installation.protocol) == (SHARE, LogonProtocol.NTLM)


def test_a_file_server_that_is_down_uses_up_no_attempt_of_a_new_credential(site: InnerSite, tmp_path: Path) -> None:
    server = FileServer(says=None)
    machine = machine_of(site, tmp_path, server)
    for _ in range(3):
        assert machine.contact().note == "file server fs1 does not answer"
    assert held(machine) is Standing.FRESH
    server.says = Answer.ACCEPTED
    assert machine.contact().answer is Answer.ACCEPTED
    assert held(machine) is Standing.PROVEN


@pytest.mark.parametrize("missing", [Answer.NO_SHARE, Answer.NO_FILE, Answer.REVOKED])
def test_what_others_must_see_to_holds_nobody_up_once_it_is_over(
    site: InnerSite, tmp_path: Path, missing: Answer
) -> None:
    server = FileServer(says=missing)
    machine = machine_of(site, tmp_path, server)
    for _ in range(3):
        assert machine.contact().answer is missing
    server.says = Answer.ACCEPTED
    assert machine.contact().answer is Answer.ACCEPTED


@pytest.mark.parametrize("lacking", [Answer.NO_SHARE_ACCESS, Answer.NO_FILE_ACCESS, Answer.NOT_FROM_HERE])
def test_an_account_without_rights_is_not_proven_and_waits_for_a_person(
    site: InnerSite, tmp_path: Path, lacking: Answer
) -> None:
    server = FileServer(says=lacking)
    machine = machine_of(site, tmp_path, server)
    machine.contact()
    machine.contact()
    assert server.reads == 1
    server.says = Answer.ACCEPTED
    clients.readmit(site.parts, machine.name, by="paul")
    assert machine.contact().answer is Answer.ACCEPTED


class Api:
    def __init__(self, site: InnerSite) -> None:
        self._site = site

    def get(self, path: str) -> list[dict[str, str]]:
        assert path == "/access-point/files"
        files = access_files(self._site.parts)
        return [{"name": file.name, "content": file.content().decode(), "box": file.box} for file in files]


@dataclass
class Session:
    site: InnerSite

    def api(self) -> Api:
        return Api(self.site)


def test_what_is_published_is_whole_and_as_open_as_its_folder(site: InnerSite, tmp_path: Path) -> None:
    machine_of(site, tmp_path, FileServer())
    folder = tmp_path / "cap"
    folder.mkdir()
    folder.chmod(0o750)
    for _ in range(2):
        done = CliRunner().invoke(command, ["publish", "--to", str(folder)], obj=Session(site))
        assert done.exit_code == 0, done.output
    published = {path.name: path for path in (folder / "clidata.box").iterdir()}
    assert set(published) == {"site.json", accounts_file("PC-0001")}
    assert json.loads(published["site.json"].read_text())["site"] == "PHX"
    assert {path.stat().st_mode & 0o777 for path in published.values()} == {0o640}
    assert (folder / "clidata.box").stat().st_mode & 0o777 == 0o750
