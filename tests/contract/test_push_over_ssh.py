"""Machines reached by OpenSSH with a password: what goes out, what is written down of it, and what each trouble means.

The agent that is copied there is the real one; its site is not there, so that enrolling fails, as on a bad day. Whole
installations are in `tests/live/test_client_push.py`."""

import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from keyturn.adapters.push.payload import payload
from keyturn.adapters.push.ssh_push import SshPush
from keyturn.model.errors import BudgetExhausted
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret
from keyturn.operations.push_records import Done, Hindered, NotLetIn, Target
from tests.push_machine import PushMachine, push_machine
from tests.sshd import HOST

RIGHT, WRONG = Secret("A right $one 'with' words"), Secret("a-wrong-one")
TOKEN = Secret("an-enrolment-token-of-one-use")
USER, LIMITED = "KtPush1", "KtLimited"


@dataclass
class Written:
    """A `Ledger`."""

    refusing: bool = False
    begun: int = 0
    ended: list[Answer] = field(default_factory=list)

    def begin(self) -> None:
        if self.refusing:
            raise BudgetExhausted("no logon now", retry_s=60)
        self.begun += 1

    def end(self, answer: Answer) -> None:
        self.ended.append(answer)


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PushMachine]:
    with push_machine(tmp_path_factory.mktemp("machine")) as machine:
        machine.add_user(USER, RIGHT.reveal())
        machine.add_user(LIMITED, RIGHT.reveal(), sudo=False)
        yield machine


@pytest.fixture
def push(there: PushMachine) -> SshPush:
    return SshPush("https://127.0.0.1:9", "no authority", str(there.sshd.folder / "known_hosts"))


@pytest.fixture
def target(there: PushMachine) -> Target:
    return Target("PC-0001", HOST, there.sshd.port)


@pytest.fixture
def ledger() -> Written:
    return Written()


@pytest.fixture(autouse=True)
def nothing_outlives_its_connection() -> Iterator[None]:
    yield
    assert not list(waiting_for_nobody())


def waiting_for_nobody() -> Iterator[str]:
    """Programs that were to answer ssh, and whose folder is gone."""
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            words = process.read_bytes().decode(errors="replace").split("\0")
            if any("keyturn-push-" in word and not Path(word).parent.exists() for word in words):
                yield " ".join(words)


def test_a_wrong_password_is_one_attempt_written_down_before_and_after(
    there: PushMachine, push: SshPush, target: Target, ledger: Written
) -> None:
    before = there.refusals()
    assert push.install(target, USER, WRONG, ledger, never) == NotLetIn()
    assert there.refusals() == before + 1
    assert (ledger.begun, ledger.ended) == (1, [Answer.WRONG_PASSWORD])


def test_without_room_in_the_budget_no_password_goes_out(there: PushMachine, push: SshPush, target: Target) -> None:
    before = there.refusals()
    with pytest.raises(BudgetExhausted):
        push.install(target, USER, RIGHT, Written(refusing=True), never)
    assert there.refusals() == before


def test_a_machine_that_is_not_there_costs_no_attempt(push: SshPush, ledger: Written) -> None:
    for target in (Target("PC-0001", HOST, 9), Target("PC-0001", "kt-nowhere.invalid", None)):
        pushed = push.install(target, USER, RIGHT, ledger, never)
        assert isinstance(pushed, Hindered)
        assert not pushed.permanent
        assert f"{target.host} is not reached" in pushed.message
    assert (ledger.begun, ledger.ended) == (0, [])


def test_a_machine_whose_host_key_is_not_known_is_sent_nothing(
    push: SshPush, target: Target, ledger: Written, tmp_path: Path
) -> None:
    stranger = replace(push, known_hosts=str(tmp_path / "known_hosts"))
    pushed = stranger.install(target, USER, RIGHT, ledger, never)
    assert isinstance(pushed, Hindered)
    assert (pushed.permanent, ledger.begun) == (True, 0)
    assert "a host key that is not in" in pushed.message


def test_an_account_that_is_not_root_there_is_told_so(push: SshPush, target: Target, ledger: Written) -> None:
    pushed = push.install(target, LIMITED, RIGHT, ledger, never)
    assert isinstance(pushed, Hindered)
    assert pushed.permanent
    assert "sudo" in pushed.message
    assert ledger.ended == [Answer.ACCEPTED], "the password was right"


def test_a_machine_with_another_python_is_sent_nothing(
    there: PushMachine, push: SshPush, target: Target, ledger: Written
) -> None:
    python = there.sshd.programs / "python3"
    kept = python.read_text()
    said = 'keyturn here {"python": [3, 9], "soabi": "cpython-39-x86_64-linux-gnu", "uid": 0}'
    python.write_text(f"#!/bin/sh\necho Welcome!\necho '{said}'\nexec cat > /dev/null\n")
    try:
        pushed = push.install(target, USER, RIGHT, ledger, never)
    finally:
        python.write_text(kept)
    assert isinstance(pushed, Hindered)
    assert pushed.permanent
    assert "has Python 3.9" in pushed.message


def test_a_machine_without_python_is_told(there: PushMachine, push: SshPush, target: Target, ledger: Written) -> None:
    python = there.sshd.programs / "python3"
    kept = python.read_text()
    python.write_text("#!/bin/sh\necho 'sh: 1: python3: not found' >&2\nexit 127\n")
    try:
        pushed = push.install(target, USER, RIGHT, ledger, never)
    finally:
        python.write_text(kept)
    assert isinstance(pushed, Hindered)
    assert (pushed.permanent, ledger.ended) == (True, [Answer.ACCEPTED])
    assert "lacks a program" in pushed.message


def test_a_machine_that_says_nothing_is_left_in_time(
    there: PushMachine, push: SshPush, target: Target, ledger: Written
) -> None:
    python = there.sshd.programs / "python3"
    kept = python.read_text()
    python.write_text("#!/bin/sh\nexec sleep 1000\n")
    try:
        pushed = replace(push, within_s=2).install(target, USER, RIGHT, ledger, never)
    finally:
        python.write_text(kept)
    assert isinstance(pushed, Hindered)
    assert not pushed.permanent
    assert ledger.ended == [], "so its end is unknown, and it counts as a bad one"


def test_what_the_agent_says_there_is_told_and_the_next_try_goes_on(
    there: PushMachine, push: SshPush, target: Target, ledger: Written
) -> None:
    for _ in range(2):
        pushed = push.install(target, USER, RIGHT, ledger, lambda: TOKEN)
        assert isinstance(pushed, Hindered)
        assert not pushed.permanent
        assert "agent enrol: error: this is no certificate authority" in pushed.message
        assert pushed.message.endswith("(keyturn agent enrol --ca FILE)"), "with the way out"
    assert sorted(path.name for path in there.program.iterdir()) == sorted(
        ["current", "keyturn", "site-ca.pem", payload().digest]
    )
    assert push.remove(target, USER, RIGHT, ledger) == Done("its agent was uninstalled")
    assert not there.program.exists()
    assert push.remove(target, USER, RIGHT, ledger) == Done("no agent that was pushed is there")


def test_neither_password_nor_token_stands_in_arguments_environments_or_files(
    there: PushMachine,
    push: SshPush,
    target: Target,
    ledger: Written,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Looked at while it is under way: ssh has asked, and our program waits there for its orders."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    seen: list[bytes] = []

    def invitation() -> Secret:
        seen.extend([*_everything_shown(), *_written_below(tmp_path)])
        return TOKEN

    push.install(target, USER, RIGHT, ledger, invitation)
    shown = b"\n".join([*seen, *_written_below(there.program), *_written_below(there.agent)])
    assert b"SSH_ASKPASS=" in shown, "it was looked at the right moment"
    assert b"cat " in shown
    for secret in (RIGHT, TOKEN):
        assert secret.reveal().encode() not in shown
    assert list(tmp_path.iterdir()) == [], "nothing is left"


def test_the_agent_as_it_travels_is_small() -> None:
    assert len(payload().archive) < 20 * 1024 * 1024


def _written_below(folder: Path) -> Iterator[bytes]:
    return (path.read_bytes() for path in folder.rglob("*") if path.is_file())


def _everything_shown() -> Iterator[bytes]:
    for process in Path("/proc").glob("[0-9]*"):
        for file in ("cmdline", "environ"):
            try:
                yield (process / file).read_bytes()
            except OSError:
                continue


def never() -> Secret:
    raise AssertionError("no invitation is made for a machine that cannot use it")
