"""A password reaches the programs of a machine before the machine proves it: files, a running daemon, a hook."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from keyturn.agent.consumers.handing import NotHanded, listed
from keyturn.model.errors import NotFound
from keyturn.model.logon import Answer
from tests.story.agent_site import FIRST, SECOND, Machine, MemorySite

OLD, NEW = "first password of the account", "second {name} \\ password\xe9"


@pytest.fixture
def site() -> MemorySite:
    site = MemorySite()
    site.realm.set_password(FIRST, OLD)
    site.publish(FIRST, 1, OLD)
    return site


@pytest.fixture
def machine(site: MemorySite, tmp_path: Path) -> Machine:
    return Machine(site, tmp_path / "agent").enrol()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "app.conf"
    file.write_text(f"password={OLD}\n")
    file.chmod(0o640)
    return file


def consumers(machine: Machine, text: str) -> None:
    settings = machine.folder / "consumers.toml"
    settings.write_text(dedent(text))
    settings.chmod(0o600)


def a_file(file: Path, more: str = "") -> str:
    return f"""
    [[consumer]]
    account = 'PHX\\SMSClient_PHX'
    path = "{file}"
    content = "password={{password}}\\n"
    {more}
    """


def change(site: MemorySite) -> None:
    site.realm.set_password(FIRST, NEW)
    site.publish(FIRST, 2, NEW)


def program(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(f"#!{sys.executable}\n{dedent(text)}")
    path.chmod(0o700)
    return path


# Files.


def test_a_file_has_the_new_password_with_its_mode_before_it_is_proven(
    site: MemorySite, machine: Machine, file: Path
) -> None:
    consumers(machine, a_file(file))
    machine.contact()
    change(site)
    machine.contact()
    assert file.read_text() == f"password={NEW}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert site.proofs[-1] == ("PC-0001", FIRST, 2, Answer.ACCEPTED)


def test_what_it_held_before_is_kept_sealed_and_can_be_put_back(site: MemorySite, machine: Machine, file: Path) -> None:
    consumers(machine, a_file(file))
    machine.contact()
    change(site)
    machine.contact()
    kept = [path for path in machine.folder.rglob("*") if path.is_file()]
    assert not [path for path in kept if OLD.encode() in path.read_bytes()]
    machine.client().put_back(file)
    assert file.read_text() == f"password={OLD}\n"
    machine.contact()
    assert file.read_text() == f"password={NEW}\n", "the next contact hands on what is current"
    with pytest.raises(NotFound, match="nothing is kept"):
        machine.client().put_back(file.with_name("other.conf"))


def test_a_program_that_cannot_work_with_it_keeps_the_old_one_and_nothing_is_proven(
    site: MemorySite, machine: Machine, file: Path, tmp_path: Path
) -> None:
    check = program(
        tmp_path,
        "check",
        f"""
        import sys
        text = open({str(file)!r}).read()
        if "second" in text:
            print("cannot log on with", text)
            sys.exit(3)
        """,
    )
    consumers(machine, a_file(file, f'check = ["{check}"]'))
    machine.contact()
    change(site)
    proven = list(site.proofs)
    report, status = machine.contact()
    [trouble] = report.of(NotHanded)
    assert (trouble.account, trouble.consumer) == (FIRST, str(file))
    assert "ended with 3" in trouble.reason
    assert "second" not in trouble.reason, "the password is in what it printed"
    assert file.read_text() == f"password={OLD}\n"
    assert site.proofs == proven
    assert str(file) in status.note or str(file) in report.failure or report.of(NotHanded)


def test_once_it_can_the_next_contact_hands_it_over_and_proves(
    site: MemorySite, machine: Machine, file: Path, tmp_path: Path
) -> None:
    blocked = tmp_path / "blocked"
    blocked.touch()
    check = program(tmp_path, "check", f"import os, sys; sys.exit(os.path.exists({str(blocked)!r}))")
    consumers(machine, a_file(file, f'check = ["{check}"]'))
    machine.contact()
    assert site.proofs == []
    blocked.unlink()
    machine.contact()
    assert site.proofs == [("PC-0001", FIRST, 1, Answer.ACCEPTED)]


def test_a_file_that_is_named_later_gets_what_is_held(site: MemorySite, machine: Machine, file: Path) -> None:
    file.write_text("nothing yet")
    machine.contact()
    consumers(machine, a_file(file))
    machine.contact()
    assert file.read_text() == f"password={OLD}\n"


def test_nothing_is_restarted_while_nothing_changes(
    site: MemorySite, machine: Machine, file: Path, tmp_path: Path
) -> None:
    count = tmp_path / "count"
    restart = program(tmp_path, "restart", f"open({str(count)!r}, 'a').write('x')")
    consumers(machine, a_file(file, f'restart = ["{restart}"]'))
    file.unlink()
    for _ in range(4):
        machine.contact()
    assert count.read_text() == "x"


def test_wrong_settings_stop_the_contact_by_name_and_nothing_is_presented(
    site: MemorySite, machine: Machine, file: Path
) -> None:
    consumers(machine, a_file(file, "mood = 'good'"))
    report, _ = machine.contact()
    assert "consumers.toml: consumer 1: mood is no key of it" in report.failure
    assert site.realm.logons == []


def test_settings_that_others_may_write_are_refused(site: MemorySite, machine: Machine, file: Path) -> None:
    consumers(machine, a_file(file))
    (machine.folder / "consumers.toml").chmod(0o666)
    report, _ = machine.contact()
    assert "others can write" in report.failure


# A second account takes over.


def take_over(site: MemorySite) -> None:
    site.realm.set_password(SECOND, NEW)
    site.publish(SECOND, 1, NEW, succeeds=(FIRST,))


def test_whoever_uses_an_account_is_given_the_one_that_takes_its_place_before_that_is_proven(
    site: MemorySite, machine: Machine, file: Path, tmp_path: Path
) -> None:
    blocked = tmp_path / "blocked"
    blocked.touch()
    check = program(tmp_path, "check", f"import os, sys; sys.exit(os.path.exists({str(blocked)!r}))")
    content = 'content = "{name} {password}"'
    consumers(machine, a_file(file, f'check = ["{check}"]').replace('content = "password={password}\\n"', content))
    blocked.unlink()
    machine.contact()
    assert file.read_text() == f"SMSClient_PHX {OLD}"
    take_over(site)
    blocked.touch()
    machine.contact()
    assert [proof for proof in site.proofs if proof[1] == SECOND] == []
    assert file.read_text() == f"SMSClient_PHX {OLD}"
    blocked.unlink()
    machine.contact()
    assert file.read_text() == f"SMSClient_PHX2 {NEW}"
    assert site.proofs[-1] == ("PC-0001", SECOND, 1, Answer.ACCEPTED)


def test_the_account_before_is_never_handed_out_again_while_both_are_held(
    site: MemorySite, machine: Machine, file: Path
) -> None:
    consumers(machine, a_file(file))
    machine.contact()
    take_over(site)
    machine.contact()
    file.write_text("lost by somebody")
    consumers(machine, a_file(file, 'mode = "0600"'))  # all of them are due again
    for _ in range(2):
        machine.contact()
    assert file.read_text() == f"password={NEW}\n"
    site.realm.set_password(FIRST, "changed in place meanwhile")
    site.publish(FIRST, 2, "changed in place meanwhile")
    machine.contact()
    assert file.read_text() == f"password={NEW}\n"
    client = machine.client()
    client.credentials.refresh()
    [row] = listed(client.handing(), client.credentials.held())
    assert (row.account, row.handed) == (SECOND, True)


# A daemon.


@pytest.fixture
def daemon(tmp_path: Path, file: Path) -> Iterator[Path]:
    """A real process that reads its password at its start, as most do. Its file of state tells which."""
    state = tmp_path / "daemon.json"
    source = program(
        tmp_path,
        "daemon",
        f"""
        import json, os, signal, sys
        password = open({str(file)!r}).read().strip().partition("=")[2]
        json.dump({{"pid": os.getpid(), "knows": "second" if password.startswith("second") else "first"}},
                  open({str(state)!r} + ".new", "w"))
        os.replace({str(state)!r} + ".new", {str(state)!r})
        signal.pause()
        """,
    )
    program(
        tmp_path,
        "service",
        f"""
        import json, os, signal, subprocess, sys, time
        try:
            pid = json.load(open({str(state)!r}))["pid"]
            os.kill(pid, signal.SIGTERM)
            os.unlink({str(state)!r})
        except (OSError, ValueError):
            pass
        subprocess.Popen([{str(source)!r}], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL, start_new_session=True)
        while not os.path.exists({str(state)!r}):
            time.sleep(0.01)
        """,
    )
    subprocess.run([tmp_path / "service"], check=True)
    yield state
    os.kill(json.loads(state.read_text())["pid"], signal.SIGTERM)


def test_a_running_daemon_knows_the_new_password_when_the_machine_proves_it(
    site: MemorySite, machine: Machine, file: Path, tmp_path: Path, daemon: Path
) -> None:
    consumers(machine, a_file(file, f'restart = ["{tmp_path / "service"}"]'))
    machine.contact()
    before = json.loads(daemon.read_text())
    change(site)
    machine.contact()
    after = json.loads(daemon.read_text())
    assert (before["knows"], after["knows"]) == ("first", "second")
    assert before["pid"] != after["pid"]
    assert site.proofs[-1][2] == 2


# Hooks.


@pytest.fixture
def hook(tmp_path: Path) -> Path:
    """Keeps what it was given, and every call beside it."""
    return program(
        tmp_path,
        "hook",
        f"""
        import json, os, sys
        verb, about = sys.argv[1], json.load(sys.stdin)
        with open({str(tmp_path / "calls")!r}, "a") as calls:
            calls.write(verb + " " + ",".join(sorted(about)) + " " + " ".join(sorted(os.environ)) + "\\n")
        kept = {str(tmp_path / "kept")!r}
        known = json.load(open(kept)) if os.path.exists(kept) else {{}}
        if verb == "adopt":
            json.dump(about, open(kept, "w"))
        elif verb == "holds":
            sys.exit(known.get("generation") != about["generation"])
        elif os.path.exists({str(tmp_path / "broken")!r}):
            print("the database refuses")
            sys.exit(1)
        """,
    )


def a_hook(hook: Path) -> str:
    return f"[[consumer]]\naccount = 'PHX/SMSClient_PHX'\ncommand = [\"{hook}\"]\n"


def test_a_hook_is_asked_given_and_asked_to_show(
    site: MemorySite, machine: Machine, hook: Path, tmp_path: Path
) -> None:
    consumers(machine, a_hook(hook))
    for _ in range(3):
        machine.contact()
    calls = [line.split() for line in (tmp_path / "calls").read_text().splitlines()]
    assert [call[0] for call in calls] == ["holds", "adopt", "verify"], "and never again while nothing changes"
    assert calls[1][1] == "account,generation,name,password"
    assert json.loads((tmp_path / "kept").read_text())["password"] == OLD
    assert not any("password" in name.lower() for call in calls for name in call[2:])


def test_a_hook_that_cannot_show_it_holds_the_proof_back_in_its_own_words(
    site: MemorySite, machine: Machine, hook: Path, tmp_path: Path
) -> None:
    consumers(machine, a_hook(hook))
    (tmp_path / "broken").touch()
    report, _ = machine.contact()
    [trouble] = report.of(NotHanded)
    assert trouble.reason.endswith("ended with 1: the database refuses")
    assert site.proofs == []
    (tmp_path / "broken").unlink()
    machine.contact()
    assert site.proofs
    verbs = [line.split()[0] for line in (tmp_path / "calls").read_text().splitlines()]
    assert verbs == ["holds", "adopt", "verify", "holds", "verify"], "given once"


def test_a_hook_that_hangs_is_ended(site: MemorySite, machine: Machine, tmp_path: Path) -> None:
    slow = program(tmp_path, "slow", "import time; time.sleep(60)")
    consumers(machine, a_hook(slow) + "timeout_s = 0.3\n")
    began = time.monotonic()
    report, _ = machine.contact()
    assert time.monotonic() - began < 30
    assert "did not end within" in report.of(NotHanded)[0].reason
