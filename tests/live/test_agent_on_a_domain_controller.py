"""Legacy clients on the domain controllers of a real domain: administrative programs run as its one token account."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ldap
import pytest

from keyturn.adapters.runners.posix.domain_token import GROUP, NAME
from keyturn.cli.api import Api
from keyturn.cli.demo.stage import free_port, keyturn, until
from keyturn.model.errors import KeyturnError
from keyturn.wiring import _door
from tests import samba
from tests.posix_runs import left_of
from tests.samba import BASE, Samba

pytestmark = pytest.mark.timeout(900)

CLIENTS = {"dc1": "DC-0001", "dc2": "DC-0002"}
LOGIN = "CORP\\smsclitoknacct&"
WITHIN_S = 90
ESTATE = """
product = "sms2003"

[[realm]]
name = "HERE"

[[site]]
code = "PHX"
realm = "HERE"
server = "SRV-PHX"

[[account]]
name = "KtClient"
realm = "HERE"
role = "client-connection-additional"
sites = ["PHX"]

[[client]]
name = "DC-0001"
kind = "legacy"
site = "PHX"

[[client]]
name = "DC-0002"
kind = "legacy"
site = "PHX"
"""
_JOINED = "passwd: files winbind\ngroup: files winbind\nhosts: files dns\n"
_ON_ITS_OWN = 'mount -t tmpfs -o mode=0755 homes /home; exec "$@"'
"""A profile of the token account is made there, and is not to stay on this machine."""


@dataclass
class Place:
    """A site on this machine, and a legacy client on each controller."""

    root: Path
    domain: Samba
    offered: int = 0

    def typed(self, *words: str) -> str:
        return keyturn("--dir", str(self.root / "site"), *words)

    def answers(self) -> bool:
        try:
            Api(_door(self.root / "site")).get("/estate")
        except KeyturnError:
            return False
        return True

    def enrol(self, node: str) -> None:
        door = _door(self.root / "site")
        token = Api(door).post("/clients", {"name": CLIENTS[node]})["token"]
        site = ("--server", f"https://{self.host}:{door.url.rpartition(':')[2]}")
        authority = ("--ca", str(self.root / "site" / "site-ca.pem"))
        options = ("--name", CLIENTS[node], "--token-stdin", "--dir", str(self.agent(node)))
        keyturn("agent", "enrol", *site, *authority, *options, stdin=token)

    @property
    def host(self) -> str:
        """This machine, as the controllers reach it."""
        return f"{self.domain.hosts[0].rpartition('.')[0]}.1"

    def agent(self, node: str) -> Path:
        return self.root / node

    def offer(self, name: str, command_line: str, node: str) -> str:
        """The advertisement's number."""
        self.typed("program", "add", "PHX00001", name, "--command-line", command_line)
        options = ("--package", "PHX00001", "--to", node, "--mandatory", "as-soon-as-possible", "--yes")
        self.typed("advertise", name, *options)
        self.offered += 1
        return f"PHX2{self.offered:04X}"

    def started(self, node: str, before: str = "") -> "subprocess.Popen[bytes]":
        """One contact, and what is due, in the namespaces of that controller."""
        words = (sys.executable, "-m", "keyturn", "agent", "run", "--once", "--dir", str(self.agent(node)))
        with (self.root / f"{node}.log").open("ab") as out:
            return subprocess.Popen(
                [samba.ADLAB, "ex", node, "sh", "-euc", before + _ON_ITS_OWN, "sh", *words],
                env=self.domain.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )

    def started_until(self, node: str, happens: Callable[[], bool]) -> "subprocess.Popen[bytes]":
        """The contact in which that happens: the one before may have come before the policy."""
        agents = [self.started(node)]

        def happened() -> bool:
            if agents[-1].poll() is not None and not happens():
                agents.append(self.started(node))
            return happens()

        until(f"the agent on {node} does what is asked", happened, WITHIN_S)
        return agents[-1]

    def standing(self, node: str, advertisement: str) -> dict[str, Any]:
        shown = self.domain.adlab(
            *("ex", node, sys.executable, "-m", "keyturn", "agent", "software", "status", "--json"),
            *("--dir", str(self.agent(node))),
        )
        rows: list[dict[str, Any]] = json.loads(shown)
        return next((row for row in rows if row["advertisement"] == advertisement), {"state": "", "reason": ""})

    def comes_to(self, node: str, advertisement: str, *states: str, before: str = "") -> dict[str, Any]:
        """After as many contacts as it takes: the first ones bring the account and then the policy."""

        def came() -> bool:
            self.started(node, before).wait()
            return self.standing(node, advertisement)["state"] in states

        until(f"{advertisement} on {node} is {' or '.join(states)}", came, WITHIN_S)
        return self.standing(node, advertisement)

    def told(self, node: str, advertisement: str) -> str:
        shown = Api(_door(self.root / "site")).get(f"/advertisements/{advertisement}/status")
        return next((one["state"] for one in shown["clients"] if one["client"] == CLIENTS[node]), "")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    root = tmp_path_factory.mktemp("controllers")
    with samba.running() as domain:
        for node in CLIENTS:
            (domain.directory / node / "etc" / "nsswitch.conf").write_text(_JOINED)
        place = Place(root, domain)
        door = ("--host", place.host, "--name", place.host, "--port", str(free_port()))
        keyturn("init", str(root / "site"), "--realm", "HERE", *door, "--contact", "1", "--no-default-account")
        with (root / "site.log").open("ab") as out:
            command = [sys.executable, "-m", "keyturn", "up", str(root / "site")]
            site = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        try:
            until("the site answers", place.answers, 60)
            (root / "estate.toml").write_text(ESTATE)
            place.typed("estate", "import", str(root / "estate.toml"))
            place.typed("account", "create", "HERE\\KtClient", "--yes")
            place.typed("package", "add", "Tools")
            for node, client in CLIENTS.items():
                place.enrol(node)
                place.typed("collection", "add", node, "--client", client)
            yield place
        finally:
            site.send_signal(signal.SIGTERM)
            site.wait(60)


def test_both_controllers_run_programs_as_one_account_that_the_first_has_made(place: Place) -> None:
    told = place.root / "told"
    offers = {node: place.offer(f"show-{node}", shows(told, node), f"{node}") for node in CLIENTS}

    waits = place.comes_to("dc2", offers["dc2"], "waiting")
    assert "it waits for the domain's token account" in waits["reason"]
    assert "the agent on DC1, the PDC emulator, makes it" in waits["reason"]
    assert accounts(place, "dc2") == []

    assert place.comes_to("dc1", offers["dc1"], "succeeded", "failed")["state"] == "succeeded"
    place.domain.adlab("sync", "dc1", "dc2")
    assert place.comes_to("dc2", offers["dc2"], "succeeded", "failed")["state"] == "succeeded"

    for node in CLIENTS:
        uid, login, home = (told / node).read_text().split()
        assert uid == "0"
        assert login == uid_on(place, node)
        assert home == "/home/CORP/smsclitoknacct_"
        standing = place.standing(node, offers[node])
        assert (standing["executed_as"], standing["login"]) == ("root", LOGIN)
        assert left_of(place.agent(node) / "software" / "runs") == []
        place.started(node).wait()  # reports go with a contact
        until("the site knows", lambda node=node: place.told(node, offers[node]) == "succeeded", WITHIN_S)
    place.domain.adlab("sync", "dc2", "dc1")
    assert accounts(place, "dc1") == accounts(place, "dc2")
    [account] = accounts(place, "dc1")
    assert account["primaryGroupID"] == number_of_group(place)
    assert account["memberOf"] == f"CN=Domain Users,CN=Users,{BASE}"
    assert "smsclitoknacct" not in Path("/etc/passwd").read_text().lower()


def test_an_agent_killed_while_a_program_is_raised_leaves_nothing_raised(place: Place) -> None:
    mark = f"sleep {7000 + os.getpid() % 1000}.5"
    advertisement = place.offer("long", f"/bin/{mark}", "dc1")
    agent = place.started_until("dc1", lambda: bool(processes(f"/bin/{mark}")))
    for pid in processes(f"agent run --once --dir {place.agent('dc1')}"):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    agent.wait()
    until("what it started has ended with it", lambda: not processes(f"/bin/{mark}"), WITHIN_S)
    assert [line for line in left_of(place.agent("dc1") / "software" / "runs") if "on disk" not in line] == []

    assert place.comes_to("dc1", advertisement, "interrupted")["state"] == "interrupted"
    log = (place.agent("dc1") / "logs" / "SMSAPM32.log").read_text()
    assert "put right: run" in log
    assert left_of(place.agent("dc1") / "software" / "runs") == []
    assert "not allowed to run sudo" in place.domain.adlab("ex", "dc1", "sudo", "-n", "-l", "-U", LOGIN)
    assert len(accounts(place, "dc1")) == 1


def test_a_local_account_in_the_place_of_the_domains_is_named_and_not_used(place: Place, tmp_path: Path) -> None:
    """Taken for the domain's, it would be raised on a controller with whatever password it has."""
    local = tmp_path / "passwd"
    local.write_text(Path("/etc/passwd").read_text() + "smsclitoknacct_:x:4242:4242::/home/x:/bin/sh\n")
    advertisement = place.offer("beside", "true", "dc1")
    waits = place.comes_to("dc1", advertisement, "waiting", before=f"mount --bind {local} /etc/passwd;")
    assert "smsclitoknacct_ is an account of this domain controller itself" in waits["reason"]
    assert place.comes_to("dc1", advertisement, "succeeded")["login"] == LOGIN


def test_an_account_of_the_domain_that_somebody_else_made_is_named_and_not_used(place: Place) -> None:
    advertisement = place.offer("somebodys", "true", "dc1")
    dn = f"CN={NAME},CN=Users,{BASE}"
    place.domain.write(dn, description="made by hand")
    waits = place.comes_to("dc1", advertisement, "waiting")
    assert f"{NAME} exists in the domain, and not by Keyturn's hand" in waits["reason"]
    place.domain.write(dn, description="Keyturn, taken over by olga")
    assert place.comes_to("dc1", advertisement, "succeeded")["login"] == LOGIN


def test_what_was_cut_off_while_it_was_made_is_finished_by_the_one_that_makes_it(place: Place) -> None:
    """Before the last step the account is in its group, and has the primary group of everybody."""
    place.domain.write(f"CN={NAME},CN=Users,{BASE}", primaryGroupID=513)
    place.domain.adlab("sync", "dc1", "dc2")
    advertisement = place.offer("after", "true", "dc2")
    assert "has not come" in place.comes_to("dc2", advertisement, "waiting")["reason"]
    there = place.offer("before", "true", "dc1")
    assert place.comes_to("dc1", there, "succeeded")["login"] == LOGIN
    assert accounts(place, "dc1")[0]["primaryGroupID"] == number_of_group(place)
    place.domain.adlab("sync", "dc1", "dc2")
    assert place.comes_to("dc2", advertisement, "succeeded")["login"] == LOGIN


def shows(told: Path, node: str) -> str:
    told.mkdir(exist_ok=True)
    return f"sh -c 'echo $(id -u) $(cat /proc/self/loginuid) $HOME > {told / node}'"


def uid_on(place: Place, node: str) -> str:
    return place.domain.adlab("ex", node, "id", "-u", LOGIN).strip()


def accounts(place: Place, node: str) -> list[dict[str, str]]:
    """All of that name, as that controller has them."""
    administrator = place.domain.administer(place.domain.hosts[list(CLIENTS).index(node)])
    wanted = ["objectGUID", "objectSid", "primaryGroupID", "memberOf"]
    found = administrator.search_s(BASE, ldap.SCOPE_SUBTREE, f"(sAMAccountName={NAME})", wanted)
    administrator.unbind_s()
    return [{name: _text(values[0]) for name, values in one.items()} for dn, one in found if dn]


def number_of_group(place: Place) -> str:
    shown = place.domain.adlab("ex", "dc1", "wbinfo", "--name-to-sid", f"CORP\\{GROUP}")
    return shown.split()[0].rpartition("-")[2]


def processes(words: str) -> list[int]:
    """Whose command line ends so."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            continue
        if line.endswith(words):
            found.append(int(folder.name))
    return found


def _text(octets: bytes) -> str:
    return octets.decode() if octets.isascii() else octets.hex()
