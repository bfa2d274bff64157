"""What a logon script does for an agent, as it finds it: the real agent's folder, and a site in memory that checks
every signature and counts every logon."""

import hashlib
import json
import ssl
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from keyturn.agent.home import KEYS, STATE
from keyturn.agent.logon_install import MISSED, Found, Outcome, Site, logon_install
from keyturn.agent.ports import AgentParts
from keyturn.cli.logon_install import logon_install as command
from keyturn.model.errors import Refused
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret
from tests.story.agent_site import FIRST, SERVER, Machine, MemorySite

PASSWORD = "the password of the account"
CA = ssl.DER_cert_to_PEM_cert(b"the site's authority")
FINGERPRINT = hashlib.sha256(b"the site's authority").hexdigest()


@dataclass
class Service:
    """Says what was asked of it."""

    known: bool = False
    running: bool = False
    said: list[str] = field(default_factory=list)

    def start(self) -> str:
        self.said.append("start")
        return ""

    def stop(self) -> None:
        self.said.append("stop")


@pytest.fixture
def site() -> MemorySite:
    site = MemorySite()
    site.realm.set_password(FIRST, PASSWORD)
    site.publish(FIRST, 1, PASSWORD)
    return site


@pytest.fixture
def machine(site: MemorySite, tmp_path: Path) -> Machine:
    return Machine(site, tmp_path / "agent")


def named(site: MemorySite) -> Site:
    """As the logon script says it; every look at the key is an invitation used."""
    return Site(SERVER, "PC-0001", FINGERPRINT, lambda: CA, lambda: site.invite("PC-0001"))


def at_logon(machine: Machine, service: Service | None = None, **said: object) -> Outcome:
    site = replace(named(machine.site), **said)  # type: ignore[arg-type]
    return logon_install(
        machine.home, lambda: machine.parts, site, service or Service(known=True, running=True), machine.site.clock.now
    )


def installed(machine: Machine) -> Machine:
    assert at_logon(machine).did == "enrolled, contacted the site"
    return machine


def unused() -> Secret:
    raise AssertionError("the logon key is not looked at")


def test_a_machine_without_an_agent_is_enrolled_and_its_agent_started(machine: Machine) -> None:
    service = Service()
    outcome = at_logon(machine, service)
    assert outcome == Outcome(Found.NOT_INSTALLED, "enrolled, contacted the site, started")
    assert service.said == ["stop", "start"]
    assert {answer for _, _, answer in machine.site.realm.logons} == {Answer.ACCEPTED}


def test_nothing_is_asked_loaded_or_said_while_all_is_well(machine: Machine) -> None:
    installed(machine)
    asked, logons = len(machine.site.paths), len(machine.site.realm.logons)

    def load() -> AgentParts:
        raise AssertionError("all is well, so nothing is loaded")

    service, site = Service(known=True), replace(named(machine.site), key=unused)
    now = machine.site.clock.now
    assert logon_install(machine.home, load, site, service, now) == Outcome(Found.WELL)
    assert (len(machine.site.paths), len(machine.site.realm.logons), service.said) == (asked, logons, [])


def test_a_client_that_no_account_lets_in_gets_the_current_ones_by_its_own_key(machine: Machine) -> None:
    installed(machine)
    machine.gated = False
    machine.site.realm.set_password(FIRST, "the next password")
    machine.contact()
    machine.site.publish(FIRST, 2, "the next password")
    wrong = machine.site.realm.wrong(FIRST)
    assert at_logon(machine, key=unused) == Outcome(Found.NO_WAY_IN, "credentials fetched anew")
    assert machine.site.realm.wrong(FIRST) == wrong
    assert at_logon(machine, key=unused).found is Found.WELL


def test_credentials_that_are_damaged_are_fetched_anew(machine: Machine) -> None:
    installed(machine)
    (machine.folder / STATE).write_bytes(b"{")
    machine.site.clock.now += 1
    assert at_logon(machine, key=unused) == Outcome(Found.DAMAGED, "credentials fetched anew")


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"{")])
def test_an_agent_without_its_keys_is_enrolled_anew(machine: Machine, damage: object) -> None:
    installed(machine)
    damage(machine.folder / KEYS)  # type: ignore[operator]
    outcome = at_logon(machine)
    assert outcome.found in (Found.NOT_INSTALLED, Found.KEYS_LOST)
    assert outcome.did == "enrolled, contacted the site"


def test_keys_that_others_can_read_are_taken_for_stolen_and_a_person_is_asked(machine: Machine) -> None:
    installed(machine)
    (machine.folder / KEYS).chmod(0o644)
    with pytest.raises(Refused, match="others can read"):
        at_logon(machine, key=unused)


def test_an_agent_of_a_site_that_was_set_up_anew_is_enrolled_there(machine: Machine) -> None:
    installed(machine)
    anew = ssl.DER_cert_to_PEM_cert(b"another authority")
    fingerprint = hashlib.sha256(b"another authority").hexdigest().upper()
    outcome = at_logon(machine, fingerprint=fingerprint, authority=lambda: anew)
    assert outcome == Outcome(Found.ANOTHER_SITE, "enrolled, contacted the site")
    assert machine.home.installation().ca == anew


def test_an_agent_that_stopped_contacts_its_site_and_is_started_again(machine: Machine) -> None:
    installed(machine)
    machine.site.clock.now += MISSED * machine.site.contact_s + 1
    service = Service(known=True, running=False)
    assert at_logon(machine, service, key=unused) == Outcome(Found.SILENT, "contacted the site, started")
    assert service.said == ["start"]
    assert machine.site.realm.wrong(FIRST) == 0


def test_an_agent_that_somebody_else_runs_is_not_started(machine: Machine) -> None:
    """In a container, say: nothing here has ever started it."""
    installed(machine)
    machine.site.clock.now += MISSED * machine.site.contact_s + 1
    service = Service(known=False)
    at_logon(machine, service)
    assert service.said == []


def test_an_agent_that_its_site_has_forgotten_is_enrolled_anew(machine: Machine) -> None:
    installed(machine)
    machine.site.keys["PC-0001"] = bytes(32)
    machine.site.clock.now += MISSED * machine.site.contact_s + 1
    outcome = at_logon(machine)
    assert outcome == Outcome(Found.TURNED_AWAY, "enrolled, contacted the site")
    assert machine.site.realm.wrong(FIRST) == 0


def test_a_site_that_is_not_reached_changes_nothing_and_is_asked_at_the_next_logon(machine: Machine) -> None:
    installed(machine)
    machine.site.clock.now += MISSED * machine.site.contact_s + 1
    machine.site.down = True
    outcome = at_logon(machine, key=unused)
    assert (outcome.found, outcome.trouble) == (Found.SILENT, "the site did not answer")
    machine.site.down = False
    assert at_logon(machine, key=unused).trouble == ""
    assert at_logon(machine, key=unused).found is Found.WELL


# From the command line.


def typed(machine: Machine, tmp_path: Path, *more: str) -> tuple[int, str, str]:
    (tmp_path / "logon.key").write_text(machine.site.invite("PC-0001").reveal() + "\n")
    words = ["--server", SERVER, "--ca-fingerprint", FINGERPRINT, "--name", "PC-0001"]
    words += ["--key-file", str(tmp_path / "logon.key"), "--dir", str(machine.folder)]
    parts = replace(machine.parts, authority=lambda server, fingerprint: CA)
    ran = CliRunner().invoke(command, [*words, *more], obj=SimpleNamespace(agent=parts))
    return ran.exit_code, ran.stdout, ran.stderr


def test_the_command_is_silent_when_all_is_well(machine: Machine, tmp_path: Path) -> None:
    machine.site.clock.now = time.time()
    installed(machine)
    assert typed(machine, tmp_path) == (0, "", "")
    code, out, _ = typed(machine, tmp_path, "--json")
    assert (code, json.loads(out)) == (0, {"agent": "PC-0001", "found": "well", "did": ""})


def test_the_command_says_what_was_wrong_and_that_a_later_logon_tries_again(machine: Machine, tmp_path: Path) -> None:
    installed(machine)
    machine.site.down = True
    assert typed(machine, tmp_path) == (1, "", "PC-0001: it has not been in contact; the site did not answer\n")
