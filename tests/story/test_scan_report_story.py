"""A machine looks for accounts in its own files and tells its site: one that uses an account and is missing from the
estate holds the account's retirement up, by name and place."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from starlette.applications import Starlette
from starlette.testclient import TestClient

from keyturn.adapters.shares.https import HttpsShare
from keyturn.agent.client import open_client
from keyturn.agent.enrolment import enrol
from keyturn.agent.home import Home
from keyturn.agent.ports import AgentParts
from keyturn.cli.agent import agent
from keyturn.model.errors import KeyturnError, Refused
from keyturn.model.estate import Sighted
from keyturn.operations import clients, plans
from keyturn.server import agents, scans
from keyturn.server.serving import _refused
from keyturn.wire import scan as wire
from keyturn.wire.agent import Headers, Reply, in_clear, write
from keyturn.wire.signing import Request
from tests.estates import ADDITIONAL, MACHINES, account
from tests.inner_site import InnerSite, site_in

HOST = "site.example:8443"
STRANGER = "LT-0001"
NAME = "CORP\\KtClient"
SECRET = "Maple7Rain-42x"
ESTATE = (
    ADDITIONAL.replace('name = "CORP"', 'name = "CORP"\nbind_account = "CORP/KtOwn"', 1)
    + account("KtOwn", "database")
    + f'\n[[client]]\nname = "{STRANGER}"\nsite = "PHX"\nkind = "advanced"\n'
)


@dataclass
class Laptop:
    """An agent in its folder, which speaks to the routes of a real site. `files` is what a person lets it look at
    beside the usual places."""

    site: InnerSite
    http: TestClient
    folder: Path
    name: str = STRANGER

    @property
    def files(self) -> Path:
        return self.folder / "files"

    @property
    def home(self) -> Home:
        return Home(self.folder / "agent")

    @property
    def agent(self) -> AgentParts:
        return AgentParts(
            exchange=lambda server, ca: self.send,
            share=HttpsShare,
            authority=lambda server, fingerprint: "",
            now=self.site.clock,
            random=lambda: 0.5,
        )

    def send(self, request: Request, headers: Headers) -> Reply:
        answer = self.http.request(request.method, request.path, content=request.body, headers=in_clear(headers))
        return Reply(answer.status_code, dict(answer.headers), answer.content)

    def enrol(self) -> "Laptop":
        token = clients.invite(self.site.parts, self.name, by="test")
        enrol(self.home, self.agent, server=f"https://{HOST}", name=self.name, token=token, ca="")
        return self

    def written(self, name: str, text: str) -> Path:
        self.files.mkdir(exist_ok=True)
        (self.files / name).write_text(text)
        return self.files / name

    def scan(self, *more: str) -> Result:
        self.files.mkdir(exist_ok=True)
        where = ("--dir", str(self.home.path), "--also", str(self.files))
        return CliRunner().invoke(agent, ["scan", "--report", *where, *more], obj=self)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[InnerSite]:
    folder = tmp_path / "site"
    folder.mkdir()
    site = site_in(folder, ESTATE)
    site.create(NAME)
    for machine in MACHINES:
        site.enrol(machine)
    yield site
    site.close()


@pytest.fixture
def laptop(tmp_path: Path, site: InnerSite) -> Laptop:
    names = frozenset({HOST})
    routes = [*agents.routes(site.parts, b"", names), *scans.routes(site.parts, names)]
    app = Starlette(routes=routes, exception_handlers={KeyturnError: _refused})
    return Laptop(site, TestClient(app, base_url=f"https://{HOST}"), tmp_path).enrol()


def kept(site: InnerSite, name: str = NAME) -> tuple[Sighted, ...]:
    return site.store.estate().managed(name).sightings


def test_a_machine_that_the_estate_does_not_name_holds_the_retirement_up_by_name(
    site: InnerSite, laptop: Laptop
) -> None:
    file = laptop.written("yearly.ini", f"user = KtClient\npassword = {SECRET}\n")
    told = laptop.scan()
    assert told.exit_code == 0, told.output
    assert "told site PHX" in told.stderr
    [seen] = kept(site)
    assert (seen.source, seen.how, seen.accepted) == (STRANGER, "scan", 1)
    assert seen.places == (f"{file}:1 (configuration file, logs on as it)",)
    record = site.rotate(NAME)
    assert any(f"is used from {STRANGER}, which the estate does not name" in note for note in record.plan.notes)
    ended = site.run(record.plan_id, machines=MACHINES, rounds=40)
    assert (ended.state, ended.missing) == ("waiting", (STRANGER,))
    plans.release(site.parts, record.plan_id, {STRANGER}, by="paul")
    assert site.run(record.plan_id, machines=MACHINES, rounds=40).state == "done"


def test_only_names_and_places_leave_the_machine(site: InnerSite, laptop: Laptop) -> None:
    sent: list[bytes] = []
    carry = laptop.send
    laptop.send = lambda request, headers: (sent.append(request.body), carry(request, headers))[1]  # type: ignore[method-assign]
    laptop.written("app.ini", f"user = KtClient\npassword = {SECRET}\nserver = db7.corp.example\n")
    laptop.scan()
    assert b"app.ini" in sent[-1]
    assert not any(text.encode() in body for body in sent for text in (SECRET, "db7.corp.example"))


def test_what_a_machine_may_look_for_are_the_accounts_of_the_estate_but_for_keyturns_own(laptop: Laptop) -> None:
    assert open_client(laptop.home, laptop.agent).link.accounts_to_find() == (NAME,)


def test_nobody_who_is_not_enrolled_learns_a_name(site: InnerSite, laptop: Laptop, tmp_path: Path) -> None:
    assert laptop.http.get(wire.NAMES).status_code == 401
    other = Laptop(site, laptop.http, tmp_path / "other", MACHINES[0])
    other.folder.mkdir()
    other.enrol()
    site.enrol(MACHINES[0])  # another machine has taken its place
    with pytest.raises(Refused):
        open_client(other.home, other.agent).link.accounts_to_find()


def test_an_account_that_a_person_names_is_looked_for_whatever_the_site_asks(site: InnerSite, laptop: Laptop) -> None:
    laptop.written("app.ini", "user = KtOwn\n")
    assert laptop.scan("--account", "CORP\\KtOwn").exit_code == 0
    assert [seen.source for seen in kept(site, "CORP\\KtOwn")] == [STRANGER]


@pytest.mark.parametrize("options", [("--machine", "OTHER"), ("--account", "KtClient")])
def test_nothing_is_told_for_another_machine_or_of_an_account_of_no_realm(
    site: InnerSite, laptop: Laptop, options: tuple[str, ...]
) -> None:
    laptop.written("app.ini", "user = KtClient\n")
    assert laptop.scan(*options).exit_code == 2
    assert kept(site) == ()


def test_the_same_scan_again_changes_nothing_and_a_later_one_says_where_it_stands_now(
    site: InnerSite, laptop: Laptop
) -> None:
    file = laptop.written("app.ini", "user = KtClient\n")
    laptop.scan()
    laptop.scan()
    [before] = kept(site)
    assert before.accepted == 1
    laptop.written("app.ini", "\n\nuser = KtClient\n")
    laptop.scan()
    [after] = kept(site)
    assert (after.accepted, after.places) == (1, (f"{file}:3 (configuration file, logs on as it)",))


def test_a_name_in_a_comment_is_not_told(site: InnerSite, laptop: Laptop) -> None:
    laptop.written("app.ini", "# user = KtClient\n")
    laptop.scan()
    assert kept(site) == ()


def test_of_many_places_some_are_told(site: InnerSite, laptop: Laptop) -> None:
    laptop.written("app.ini", "user = KtClient\n" * (wire.MOST_PLACES + 1))
    laptop.scan()
    [seen] = kept(site)
    assert len(seen.places) == seen.accepted == wire.MOST_PLACES


def test_a_hostile_report_counts_for_its_sender_alone_now_and_steers_no_terminal(
    site: InnerSite, laptop: Laptop
) -> None:
    place = wire.Place(NAME, "/etc/\x1b[2J\n/etc/shadow", 1, "x\x07", wire.Use.RUNS)
    link = open_client(laptop.home, laptop.agent).link
    with laptop.home.lock():
        link.tell_scan(wire.ScanReport(site.clock.now + 1e9, (place,) * 100))
    [seen] = kept(site)
    assert (seen.source, seen.last_at, len(seen.places)) == (STRANGER, site.clock.now, wire.MOST_PLACES)
    assert all(text.isprintable() for text in seen.places)


def test_what_is_not_a_report_is_refused_and_nothing_is_kept(site: InnerSite, laptop: Laptop) -> None:
    client = open_client(laptop.home, laptop.agent)
    bad = wire.Place("no realm", "/etc/a", 1, "x", wire.Use.RUNS)
    with laptop.home.lock(), pytest.raises(Refused):
        client.link.tell_scan(wire.ScanReport(1.0, (bad,)))
    large = write(wire.ScanReport(1.0, (wire.Place(NAME, "x" * 4096, 1, "x", wire.Use.RUNS),) * 300))
    assert len(large) > wire.MAX_REPORT
    assert laptop.http.post(wire.REPORT, content=large).status_code == 400
    assert kept(site) == ()
