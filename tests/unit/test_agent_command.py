"""`keyturn agent`, verb by verb, against a site in memory."""

import json
import os
import signal
from dataclasses import replace
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from keyturn.cli.agent import agent
from keyturn.model.errors import NotFound, Refused
from tests.story.agent_site import FIRST, SERVER, Machine, MemorySite

PASSWORD = "the password of the account"


@pytest.fixture
def site():
    site = MemorySite()
    site.realm.set_password(FIRST, PASSWORD)
    site.publish(FIRST, 1, PASSWORD)
    return site


@pytest.fixture
def machine(site, tmp_path):
    return Machine(site, tmp_path / "agent")


def keyturn_agent(machine, *words, stdin="", parts=None):
    arguments = [*words, "--dir", str(machine.folder)]
    return CliRunner().invoke(agent, arguments, input=stdin, obj=SimpleNamespace(agent=parts or machine.parts))


def enrol(machine, tmp_path, *more):
    (tmp_path / "ca.pem").write_text("the authority")
    token = machine.site.invite("PC-0001").reveal()
    words = ("enrol", "--server", SERVER, "--name", "PC-0001", "--token-stdin", "--ca", str(tmp_path / "ca.pem"))
    return keyturn_agent(machine, *words, *more, stdin=token + "\n")


def test_enrolling_by_a_token_on_stdin(machine, tmp_path):
    result = enrol(machine, tmp_path)
    assert (result.exit_code, result.stdout) == (0, "PC-0001 belongs to site PHX\n")


def test_enrolling_by_a_token_in_a_file_and_a_fingerprint(machine, tmp_path):
    (tmp_path / "token").write_text(machine.site.invite("PC-0001").reveal())
    parts = replace(machine.parts, authority=lambda server, fingerprint: f"authority {fingerprint} of {server}")
    words = ("enrol", "--server", SERVER, "--name", "PC-0001", "--token-file", str(tmp_path / "token"))
    result = keyturn_agent(machine, *words, "--ca-fingerprint", "ab:cd", "--json", parts=parts)
    assert json.loads(result.stdout) == {"agent": "PC-0001", "site": "PHX"}
    assert machine.home.installation().ca == f"authority ab:cd of {SERVER}"


@pytest.mark.parametrize(
    "words",
    [
        ("--token-stdin",),
        ("--ca-fingerprint", "ab"),
        ("--token-stdin", "--ca-fingerprint", "ab", "--ca", os.devnull),
        ("--token-stdin", "--token-file", os.devnull, "--ca-fingerprint", "ab"),
        ("--token-file", os.devnull, "--ca-fingerprint", "ab"),
    ],
    ids=" ".join,
)
def test_one_token_and_one_authority_are_needed(machine, words):
    result = keyturn_agent(machine, "enrol", "--server", SERVER, "--name", "PC-0001", *words, stdin="token")
    assert result.exit_code == 2


@pytest.mark.parametrize("name", ["", "a/b", "a b", "x" * 64, ".hidden"])
def test_a_name_that_could_not_stand_in_a_path_is_refused(machine, name):
    words = ("enrol", "--server", SERVER, "--name", name, "--token-stdin", "--ca-fingerprint", "ab")
    assert isinstance(keyturn_agent(machine, *words, stdin="token").exception, Refused)


def test_one_contact_as_a_line_of_json(machine, tmp_path):
    enrol(machine, tmp_path)
    result = keyturn_agent(machine, "run", "--once", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {
        "at": machine.site.clock.now,
        "agent": "PC-0001",
        "account": FIRST,
        "generation": 1,
        "answer": "accepted",
        "adopted": [{"account": FIRST, "generation": 1}],
    }
    assert result.stderr == (
        f"2027-01-15T08:00:00+00:00 PC-0001: adopted {FIRST} generation 1; {FIRST} generation 1: accepted\n"
    )


def test_one_failed_contact_is_exit_code_1(machine, tmp_path):
    enrol(machine, tmp_path)
    machine.site.down = True
    result = keyturn_agent(machine, "run", "--once", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["answer"] is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_agent_after_its_contact(machine, tmp_path, number):
    enrol(machine, tmp_path)
    pauses = []

    def wait(event, seconds):
        pauses.append(seconds)
        os.kill(os.getpid(), number)
        return event.wait(60)

    result = keyturn_agent(machine, "run", "--interval", "3", parts=replace(machine.parts, wait=wait))
    assert (result.exit_code, pauses) == (0, [3])


def test_an_ungated_agent_is_known_as_one(machine, tmp_path):
    enrol(machine, tmp_path)
    keyturn_agent(machine, "run", "--once", "--ungated")
    assert json.loads(keyturn_agent(machine, "status", "--json").stdout)["gated"] is False


def test_the_status_in_words(machine, tmp_path):
    enrol(machine, tmp_path)
    assert keyturn_agent(machine, "status").stdout == "PC-0001: no contact yet\n"
    keyturn_agent(machine, "run", "--once")
    assert keyturn_agent(machine, "status").stdout.splitlines() == [
        f"PC-0001, site PHX, last contact 2027-01-15T08:00:00+00:00: {FIRST} generation 1: accepted",
        f"  {FIRST} generation 1, proven",
    ]


def test_a_logon_script_changes_nothing_for_a_client_that_got_in(machine, tmp_path):
    enrol(machine, tmp_path)
    keyturn_agent(machine, "run", "--once")
    machine.site.check_ins.clear()
    result = keyturn_agent(machine, "logon")
    assert (result.exit_code, result.stderr) == (0, "PC-0001 needs no reinstallation\n")
    assert machine.site.check_ins == []


def test_a_logon_script_brings_an_orphan_back(machine, tmp_path):
    enrol(machine, tmp_path)
    keyturn_agent(machine, "run", "--once", "--ungated")
    machine.site.realm.set_password(FIRST, "another")
    machine.site.publish(FIRST, 2, "another")
    keyturn_agent(machine, "run", "--once", "--ungated")
    assert "keyturn agent logon" in keyturn_agent(machine, "status").stdout
    result = keyturn_agent(machine, "logon", "--json")
    assert json.loads(result.stdout)["generation"] == 2
    assert result.exit_code == 0


def test_reinstalling_fetches_everything_anew(machine, tmp_path):
    enrol(machine, tmp_path)
    keyturn_agent(machine, "run", "--once")
    result = keyturn_agent(machine, "reinstall", "--json")
    assert json.loads(result.stdout)["adopted"] == [{"account": FIRST, "generation": 1}]


def test_leaving_asks_first(machine, tmp_path):
    enrol(machine, tmp_path)
    assert keyturn_agent(machine, "leave", stdin="n\n").exit_code == 1
    assert machine.home.keys()
    result = keyturn_agent(machine, "leave", "--yes")
    assert (result.exit_code, result.stdout) == (0, "PC-0001 has left site PHX; there: keyturn client forget PC-0001\n")
    with pytest.raises(NotFound):
        machine.home.keys()


@pytest.mark.parametrize("verb", ["run", "status", "logon", "reinstall", "leave"])
def test_without_an_enrolment_every_verb_says_so(machine, verb):
    error = keyturn_agent(machine, verb).exception
    assert isinstance(error, NotFound)
    assert error.hint == "keyturn agent enrol"


def test_no_password_and_no_key_is_ever_printed(machine, tmp_path):
    token = "token-0-for-PC-0001"
    shown = enrol(machine, tmp_path).output
    for verb in (("run", "--once", "--json"), ("status", "--json"), ("status",), ("reinstall",), ("leave", "--yes")):
        secrets = [PASSWORD, token, *machine_keys(machine)]
        shown += keyturn_agent(machine, *verb).output
        assert not [secret for secret in secrets if secret in shown]


def machine_keys(machine):
    return [str(part) for part in json.loads((machine.folder / "keys").read_bytes()).values()]
