"""The built-in realm's file: durable at any kill, shared by threads and processes, never another realm's."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from keyturn.adapters.authorities.builtin.realm import BuiltinRealm
from keyturn.model.accounts import Account, AccountToBe, RealmName
from keyturn.model.errors import AuthorityError
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.policy import RealmPolicy
from keyturn.model.secret import Secret
from tests.builtin import REALM, Clock, password, realm_in

NTLM = LogonProtocol.NTLM
WRONG = Secret("Never-was-a-key-0")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def realm(tmp_path: Path, clock: Clock) -> Iterator[BuiltinRealm]:
    realm = realm_in(tmp_path, clock)
    yield realm
    realm.close()


@pytest.fixture
def ada(realm: BuiltinRealm) -> Account:
    return realm.create(AccountToBe(REALM, "ada"), password(1))


OPENS_WHEN_TOLD = """
import os, sys, time
from pathlib import Path
from keyturn.adapters.authorities.builtin.realm import BuiltinRealm
from keyturn.model.accounts import AccountToBe, RealmName
from keyturn.model.logon import LogonProtocol
from keyturn.model.secret import Secret
print("ready", flush=True)
sys.stdin.readline()
realm = BuiltinRealm(Path(sys.argv[1]), RealmName("HEARTH"), now=time.time)
"""
SETS_FOR_EVER = """
account = realm.find("ada")
for number in range(realm.describe(account).pinned.version + 1, 10_000):
    realm.set_password(account, Secret(f"Turn-the-key-{number:04d}"))
    realm.logon("ada", Secret("Never-was-a-key-0"), protocol=LogonProtocol.NTLM, source="child")
    print(number, flush=True)
"""
COUNTS_FORTY = """
for _ in range(40):
    realm.logon("ada", Secret("Never-was-a-key-0"), protocol=LogonProtocol.NTLM, source="child")
"""
TELLS_A_NEW_IDENTITY = """
print(realm.create(AccountToBe("HEARTH", f"account-{os.getpid()}"), Secret("Turn-the-key-0001")).sid)
"""


class Child:
    """Another process at the same file. It opens the realm and does its work once it is told to."""

    def __init__(self, path: Path, work: str) -> None:
        command = [sys.executable, "-c", OPENS_WHEN_TOLD + work, str(path)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.line() == "ready"

    def go(self) -> None:
        assert self.process.stdin
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def line(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def rest(self) -> list[str]:
        """What it said since, once it has ended."""
        return self.process.communicate()[0].split()


def at_once(path: Path, work: str, count: int) -> list[list[str]]:
    children = [Child(path, work) for _ in range(count)]
    for child in children:
        child.go()
    said = [child.rest() for child in children]
    assert [child.process.returncode for child in children] == [0] * count
    return said


def test_what_was_answered_survives_a_kill_at_any_moment(realm: BuiltinRealm, ada: Account, tmp_path: Path) -> None:
    realm.administration.set_policy(RealmPolicy(lockout_threshold=1_000_000))
    for _ in range(3):
        child = Child(tmp_path / "realm.db", SETS_FOR_EVER)
        child.go()
        told = [int(child.line()) for _ in range(7)]
        child.process.kill()
        told += map(int, child.rest())
        landed = realm.describe(ada).pinned.version
        assert landed in (told[-1], told[-1] + 1)  # the last set may have landed without being told
        assert realm.try_logon(ada, password(landed), protocol=NTLM) is Answer.ACCEPTED


def test_several_processes_count_together(realm: BuiltinRealm, ada: Account, tmp_path: Path) -> None:
    realm.administration.set_policy(RealmPolicy(lockout_threshold=1_000_000))
    at_once(tmp_path / "realm.db", COUNTS_FORTY, 3)
    assert realm.describe(ada).pinned.bad_count == 3 * 40


def test_processes_that_found_a_realm_at_once_share_one(tmp_path: Path) -> None:
    sids = [sid for (sid,) in at_once(tmp_path / "realm.db", TELLS_A_NEW_IDENTITY, 4)]
    assert len(set(sids)) == 4
    assert len({sid.rpartition("-")[0] for sid in sids}) == 1
    assert os.listdir(tmp_path) == ["realm.db"]


def test_a_realm_founded_meanwhile_stands(tmp_path: Path, clock: Clock) -> None:
    meanwhile: list[BuiltinRealm] = []

    def random(count: int) -> bytes:
        if not meanwhile:
            meanwhile.append(realm_in(tmp_path, clock))
        return bytes(count)

    late = BuiltinRealm(tmp_path / "realm.db", REALM, now=clock, random=random)
    ada = meanwhile[0].create(AccountToBe(REALM, "ada"), password(1))
    assert late.try_logon(ada, password(1), protocol=NTLM) is Answer.ACCEPTED
    assert not ada.sid.startswith("S-1-5-21-0-0-0-")
    for realm in (late, *meanwhile):
        realm.close()


def test_several_threads_count_together(realm: BuiltinRealm, ada: Account) -> None:
    realm.administration.set_policy(RealmPolicy(lockout_threshold=1_000_000))
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: realm.try_logon(ada, WRONG, protocol=NTLM), range(200)))
    assert answers == [Answer.WRONG_PASSWORD] * 200
    assert realm.describe(ada).pinned.bad_count == 200


def test_a_realm_opened_again_is_the_same_realm(realm: BuiltinRealm, ada: Account, tmp_path: Path) -> None:
    realm.administration.set_policy(replace(RealmPolicy(), lockout_threshold=3))
    realm.set_password(ada, password(2))
    realm.try_logon(ada, WRONG, protocol=NTLM)
    before = realm.describe(ada)
    realm.close()
    again = realm_in(tmp_path, Clock())
    assert again.describe(ada) == before
    assert again.try_logon(ada, password(2), protocol=NTLM) is Answer.ACCEPTED
    again.close()


def test_a_file_of_another_realm_is_refused(realm: BuiltinRealm, tmp_path: Path, clock: Clock) -> None:
    with pytest.raises(AuthorityError, match="is the realm HEARTH, not COUNTING") as raised:
        BuiltinRealm(tmp_path / "realm.db", RealmName("COUNTING"), now=clock)
    assert raised.value.permanent


def test_a_file_that_is_no_realm_is_refused(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "realm.db").write_bytes(b"")
    with pytest.raises(AuthorityError, match="is no realm") as raised:
        realm_in(tmp_path, clock)
    assert raised.value.permanent


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path, clock: Clock) -> None:
    with pytest.raises(AuthorityError) as raised:
        realm_in(tmp_path / "nowhere", clock)
    assert raised.value.permanent
