"""The shares that a program reaches, through the helper that holds the credentials, on a real file server."""

import errno
import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from ctypes.util import find_library
from pathlib import Path

import pytest

from keyturn.adapters.runners.posix import kernel
from keyturn.adapters.runners.posix.share_errors import Shown
from keyturn.adapters.runners.posix.share_files import look
from keyturn.adapters.runners.posix.share_link import Link
from keyturn.adapters.runners.posix.share_mounting import Mounted, NotMounted
from keyturn.adapters.runners.posix.share_telling import Telling
from keyturn.distribution.accesses import Access
from keyturn.distribution.presenting import Presentable, SharePath
from keyturn.distribution.run_context import Machine, RealmAccount
from keyturn.model.logon import Answer, LogonProtocol
from tests.file_server import RIGHT, WRONG, FileServer, account, serving

READER = account("kt-reader")
UNTIL_S = 60
NO_TRUST = 0xC000018A
ACCESS_DENIED = 0xC0000022


@pytest.fixture(scope="module")
def server() -> Iterator[FileServer]:
    if not os.access("/dev/fuse", os.W_OK):
        pytest.skip("no FUSE on this machine (/dev/fuse)")
    with serving() as server:
        (server.shared / "setup.txt").write_text("version=1\n")
        (server.shared / "closed.txt").write_text("x")
        (server.shared / "closed.txt").chmod(0o600)
        (server.shared / "large.bin").write_bytes(random.Random(7).randbytes(9 * 1024 * 1024 + 12_345))
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "shares"
    folder.mkdir()
    yield folder
    if is_mounted(folder):  # a test has failed
        subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture
def mounted(server: FileServer, folder: Path) -> Iterator[Mounted]:
    with Mounted(folder, (SharePath(server.share, (READER,)),)) as mounted:
        yield mounted


def test_a_program_reads_a_share_as_the_account_that_is_presented(server: FileServer, folder: Path) -> None:
    with Mounted(folder, (SharePath(server.share, (READER,)),)) as mounted:
        assert said_by("cat", mounted.path(server.share + r"\setup.txt")) == b"version=1\n"
    (access,) = mounted.accesses
    assert (access.unc, access.identity, access.order) == (server.share, r"FILES\kt-reader", 1)
    assert access.let_in
    assert list(folder.iterdir()) == []


def test_a_program_that_is_not_root_reads_it_too(server: FileServer) -> None:
    folder = server.folder / "of-a-user"
    folder.mkdir()
    with Mounted(folder, (SharePath(server.share, (READER,)),)) as mounted:
        as_nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
        assert said_by(*as_nobody, "cat", mounted.path(server.share + r"\setup.txt")) == b"version=1\n"


def test_nobody_is_presented_before_the_program_reaches_for_the_share(server: FileServer, folder: Path) -> None:
    with Mounted(folder, (SharePath(server.share, (READER,)),)) as mounted:
        assert [host.name for host in folder.iterdir()] == [server.address]
    assert mounted.accesses == ()


def test_a_large_file_comes_bit_for_bit_whole_and_in_ranges(server: FileServer, mounted: Mounted) -> None:
    there, here = server.shared / "large.bin", mounted.path(server.share) / "large.bin"
    whole = there.read_bytes()
    assert hashlib.sha256(here.read_bytes()).digest() == hashlib.sha256(whole).digest()
    places = random.Random(11)
    with here.open("rb", buffering=0) as file:
        for _ in range(200):
            start, size = places.randrange(len(whole) + 1000), places.choice([1, 4096, 70_000, 2_500_000])
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            assert os.pread(file.fileno(), size, start) == whole[start : start + size], (start, size)


def test_a_program_that_lies_on_a_share_is_run(server: FileServer, mounted: Mounted) -> None:
    (server.shared / "setup.sh").write_text('#!/bin/sh\ncat "${0%/*}/setup.txt"\n')
    assert said_by(mounted.path(server.share + r"\setup.sh")) == b"version=1\n"


@pytest.mark.parametrize("size", [4, 1024 * 1024])
def test_a_file_that_grows_is_read_to_its_new_end(server: FileServer, mounted: Mounted, size: int) -> None:
    there, here = server.shared / f"growing.{size}", mounted.path(server.share) / f"growing.{size}"
    there.write_bytes(b"1" * size)
    with here.open("rb", buffering=0) as file:
        assert file.read(size) == b"1" * size
        with there.open("ab") as growing:
            growing.write(b"2" * 100)
        wait_for(lambda: here.stat().st_size == size + 100)
        assert file.read(200) == b"2" * 100


def test_a_program_writes_where_the_share_lets_it(server: FileServer, mounted: Mounted) -> None:
    here = mounted.path(server.share) / "logs"
    here.mkdir()
    log = here / "setup.log"
    log.write_bytes(b"begun\n" * 100_000)
    with log.open("ab") as more:
        more.write(b"ended\n")
    os.utime(log, (1_000_000, 2_000_000))
    assert log.stat().st_mtime == 2_000_000
    log.rename(here / "old.log")
    os.truncate(here / "old.log", 12)
    there = server.shared / "logs"
    assert [path.name for path in there.iterdir()] == ["old.log"]
    assert (there / "old.log").read_bytes() == b"begun\nbegun\n"
    with pytest.raises(OSError, match="not empty") as raised:
        here.rmdir()
    assert raised.value.errno == errno.ENOTEMPTY
    (here / "old.log").unlink()
    here.rmdir()
    assert not there.exists()


def test_a_share_that_is_only_read_from_denies_a_write_by_name(server: FileServer, folder: Path) -> None:
    fixed = server.share.replace("apps", "fixed")
    with Mounted(folder, (SharePath(fixed, (READER,)),)) as mounted:
        with pytest.raises(PermissionError):
            (mounted.path(fixed) / "new.log").write_text("x")
        assert (mounted.path(fixed) / "setup.txt").read_text() == "version=1\n"
    assert told(mounted, Answer.NO_FILE_ACCESS) == [fixed + r"\new.log"]


@pytest.mark.parametrize(
    ("name", "answer", "status"),
    [
        ("kt-wrong", Answer.WRONG_PASSWORD, 0xC000006D),
        ("kt-locked", Answer.LOCKED, 0xC0000234),
        ("kt-expired", Answer.ACCOUNT_EXPIRED, 0xC0000193),
        ("kt-disabled", Answer.DISABLED, 0xC0000072),
        ("kt-stranger", Answer.NO_SHARE_ACCESS, ACCESS_DENIED),
    ],
)
def test_an_account_that_is_not_let_in_is_named_with_the_reason_and_presented_once(
    server: FileServer, folder: Path, name: str, answer: Answer, status: int
) -> None:
    presented = account(name, WRONG if name == "kt-wrong" else RIGHT)
    before = server.bad_count(name)
    with Mounted(folder, (SharePath(server.share, (presented,)),)) as mounted:
        for _ in range(10):
            assert b"Permission denied" in complaint_of("cat", mounted.path(server.share + r"\setup.txt"))
    (access,) = mounted.accesses
    assert (access.unc, access.identity, access.answer, access.status) == (
        server.share,
        rf"FILES\{name}",
        answer,
        status,
    )
    assert server.bad_count(name) == before + (name == "kt-wrong")


def test_a_file_that_is_refused_is_named_once(server: FileServer, mounted: Mounted) -> None:
    for _ in range(10):
        assert b"Permission denied" in complaint_of("cat", mounted.path(server.share + r"\closed.txt"))
    assert told(mounted, Answer.NO_FILE_ACCESS) == [server.share + r"\closed.txt"]


def test_a_path_that_is_missing_is_named_at_the_end(server: FileServer, folder: Path) -> None:
    with Mounted(folder, (SharePath(server.share, (READER,)),)) as mounted:
        assert b"No such file" in complaint_of("cat", mounted.path(server.share + r"\gone\setup.txt"))
        (mounted.path(server.share) / "made.txt").write_text("looked for, then made")
    assert told(mounted, Answer.NO_FILE) == [server.share + r"\gone"]


def test_a_share_that_is_missing_is_named(server: FileServer, folder: Path) -> None:
    gone = server.share.replace("apps", "gone")
    with Mounted(folder, (SharePath(gone, (READER,)),)) as mounted, pytest.raises(PermissionError):
        list(mounted.path(gone).iterdir())
    assert told(mounted, Answer.NO_SHARE) == [gone]


def test_a_machine_that_is_down_is_named_and_costs_no_attempt(server: FileServer, folder: Path) -> None:
    before = server.bad_count("kt-wrong")
    with Mounted(folder, (SharePath(r"\\127.0.0.1\apps", (account("kt-wrong", WRONG),)),)) as mounted:
        with pytest.raises(OSError, match="No route to host") as raised:
            list(mounted.path(r"\\127.0.0.1\apps").iterdir())
        assert raised.value.errno == errno.EHOSTUNREACH
    (access,) = mounted.accesses
    assert (access.unc, access.answer, access.status) == (r"\\127.0.0.1\apps", None, 0)
    assert server.bad_count("kt-wrong") == before


def test_identities_are_tried_in_their_order_until_one_is_let_in(server: FileServer, folder: Path) -> None:
    identities = (Presentable(Machine()), account("kt-stranger"), account("kt-second"), READER)
    with Mounted(folder, (SharePath(server.share, identities),)) as mounted:
        assert (mounted.path(server.share) / "setup.txt").read_text() == "version=1\n"
    assert [(a.order, a.identity, a.answer) for a in mounted.accesses] == [
        (1, "the computer account", None),
        (2, r"FILES\kt-stranger", Answer.NO_SHARE_ACCESS),
        (3, r"FILES\kt-second", Answer.ACCEPTED),
    ]
    assert mounted.accesses[0].status == NO_TRUST


def test_a_share_that_nobody_is_to_reach_says_so(server: FileServer, folder: Path) -> None:
    with Mounted(folder, (SharePath(server.share, ()),)) as mounted, pytest.raises(PermissionError):
        list(mounted.path(server.share).iterdir())
    (access,) = mounted.accesses
    assert (access.identity, access.answer, access.status) == ("nobody", Answer.NO_SHARE_ACCESS, ACCESS_DENIED)


def test_a_wrong_password_is_presented_to_one_share_of_a_run_and_spoiled_for_all(
    server: FileServer, folder: Path
) -> None:
    spoiled: list[str] = []
    wrong = Presentable(RealmAccount(r"FILES\kt-wrong"), WRONG, lambda: spoiled.append("kt-wrong"))
    shares = (server.share, server.share.replace("apps", "fixed"))
    before = server.bad_count("kt-wrong")
    with Mounted(folder, tuple(SharePath(share, (wrong,)) for share in shares)) as mounted:
        for share in shares:
            with pytest.raises(PermissionError):
                list(mounted.path(share).iterdir())
    assert server.bad_count("kt-wrong") == before + 1
    assert spoiled == ["kt-wrong"]


def test_a_lost_connection_is_made_again_while_a_file_is_read(server: FileServer, mounted: Mounted) -> None:
    whole = (server.shared / "large.bin").read_bytes()
    with (mounted.path(server.share) / "large.bin").open("rb", buffering=0) as file:
        begun = file.read(100_000)
        server.drop_sessions()
        assert begun + file.read() == whole
    assert [access.answer for access in mounted.accesses] == [Answer.ACCEPTED] * 2


def test_a_file_that_is_another_one_after_a_lost_connection_is_not_read_on(
    server: FileServer, mounted: Mounted
) -> None:
    swapped = server.shared / "swapped.bin"
    swapped.write_bytes(b"a" * 5_000_000)
    with (mounted.path(server.share) / "swapped.bin").open("rb", buffering=0) as file:
        file.read(10)
        server.drop_sessions()
        swapped.unlink()
        swapped.write_bytes(b"b" * 5_000_000)
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        with pytest.raises(OSError, match="Stale file handle"):
            os.pread(file.fileno(), 10, 4_000_000)


def test_a_password_changed_during_the_run_is_presented_once_more_and_never_again(
    server: FileServer, folder: Path
) -> None:
    with Mounted(folder, (SharePath(server.share, (account("kt-second"),)),)) as mounted:
        here = mounted.path(server.share) / "setup.txt"
        assert here.read_text() == "version=1\n"
        before = server.bad_count("kt-second")
        server.set_password("kt-second", WRONG)
        try:
            server.drop_sessions()
            for _ in range(5):
                with pytest.raises(PermissionError):
                    here.read_text()
        finally:
            count = server.bad_count("kt-second")
            server.set_password("kt-second", RIGHT)
    assert count == before + 1
    assert [access.answer for access in mounted.accesses] == [Answer.ACCEPTED, Answer.WRONG_PASSWORD]


def test_a_server_that_hangs_keeps_nobody(server: FileServer) -> None:
    told: list[Access] = []
    link = Link(server.share, (READER,), Telling(told.append), set(), LogonProtocol.NTLM, answer_s=1)
    assert link.do("setup.txt", lambda at: look(at.tree, "setup.txt")).size == 10
    with server.stopped(), pytest.raises(Shown) as raised:
        link.do("setup.txt", lambda at: look(at.tree, "setup.txt"))
    assert raised.value.errno in (errno.ETIMEDOUT, errno.EHOSTUNREACH)
    assert [access.answer for access in told] == [Answer.ACCEPTED, None]


def test_however_many_files_are_refused_few_are_told(server: FileServer, folder: Path) -> None:
    with Mounted(folder, (SharePath(server.share.replace("apps", "fixed"), (READER,)),)) as mounted:
        here = mounted.path(server.share.replace("apps", "fixed"))
        for number in range(100):
            with pytest.raises(PermissionError):
                (here / f"{number}.log").write_text("x")
            assert not (here / f"{number}.cfg").exists()
    assert len(told(mounted, Answer.NO_FILE_ACCESS)) == 20
    assert len(told(mounted, Answer.NO_FILE)) == 10


def test_names_that_lead_elsewhere_on_the_server_are_not_there(server: FileServer, mounted: Mounted) -> None:
    here = mounted.path(server.share)
    for name in (r"logs\..\setup.txt", "setup.txt:stream", "setup.*"):
        assert not (here / name).exists()


def killed_helper(mounted: Mounted) -> None:
    os.kill(serving_process(mounted), signal.SIGKILL)


def killed_keeper(mounted: Mounted) -> None:
    os.kill(mounted.helper, signal.SIGKILL)


@pytest.mark.parametrize("killed", [killed_helper, killed_keeper])
def test_the_folder_is_gone_when_its_helper_is_killed(
    server: FileServer, folder: Path, killed: Callable[[Mounted], None]
) -> None:
    with Mounted(folder, (SharePath(server.share, (READER,)),)) as mounted:
        held = os.open(mounted.path(server.share) / "setup.txt", os.O_RDONLY)
        helper = serving_process(mounted)
        killed(mounted)
        wait_for(lambda: not is_mounted(folder))
        wait_for(lambda: kernel.started_at(helper) is None)
        with suppress(OSError):  # whoever served it is gone
            os.close(held)


def test_the_folder_and_the_helper_are_gone_when_the_runner_is_killed(server: FileServer, folder: Path) -> None:
    runner = subprocess.Popen(
        [sys.executable, "-c", _RUNNER, str(folder), server.share], stdout=subprocess.PIPE, text=True, cwd=_ROOT
    )
    assert runner.stdout is not None
    keeper = int(runner.stdout.readline())
    assert is_mounted(folder)
    runner.kill()
    runner.wait()
    runner.stdout.close()
    wait_for(lambda: not is_mounted(folder) and kernel.started_at(keeper) is None)


def test_what_cannot_be_mounted_is_told_with_the_reason(server: FileServer, tmp_path: Path) -> None:
    with (
        pytest.raises(NotMounted, match="could not be made a folder"),
        Mounted(tmp_path / "gone", (SharePath(server.share, (READER,)),)),
    ):
        pass


def test_no_password_is_where_others_look_for_one(server: FileServer, mounted: Mounted) -> None:
    (mounted.path(server.share) / "setup.txt").read_text()
    for pid in (mounted.helper, serving_process(mounted)):
        for name in ("environ", "cmdline", "comm"):
            assert RIGHT.reveal().encode() not in Path(f"/proc/{pid}/{name}").read_bytes()
        limits = Path(f"/proc/{pid}/limits").read_text()
        assert next(line for line in limits.splitlines() if line.startswith("Max core")).split()[4:6] == ["0", "0"]


def test_the_process_that_holds_passwords_is_the_first_of_a_pid_namespace(mounted: Mounted) -> None:
    status = Path(f"/proc/{serving_process(mounted)}/status").read_text()
    numbers = next(line for line in status.splitlines() if line.startswith("NSpid:")).split()[1:]
    assert numbers == [str(serving_process(mounted)), "1"]


@pytest.mark.parametrize("library", [name for name in ("fuse3", "fuse") if find_library(name)])
def test_each_libfuse_of_the_machine_serves(server: FileServer, folder: Path, library: str) -> None:
    shares, of = (SharePath(server.share, (READER,)),), {"FUSE_LIBRARY_PATH": str(find_library(library))}
    with Mounted(folder, shares, environment=of) as mounted:
        here = mounted.path(server.share)
        assert (here / "large.bin").read_bytes() == (server.shared / "large.bin").read_bytes()
        (here / f"{library}.log").write_bytes(b"ended\n" * 50_000)
        assert (server.shared / f"{library}.log").read_bytes() == b"ended\n" * 50_000


def test_root_in_a_pid_namespace_of_its_own_sees_and_traces_no_helper(server: FileServer, mounted: Mounted) -> None:
    (mounted.path(server.share) / "setup.txt").read_text()
    helper = serving_process(mounted)
    assert RIGHT.reveal().encode() in memory_of(helper), "there is a password to be found by whoever may look"
    looked = subprocess.run(
        [
            "unshare",
            "--pid",
            "--fork",
            "--mount-proc",
            sys.executable,
            "-c",
            _LOOKING,
            str(helper),
            str(mounted.helper),
        ],
        input=RIGHT.reveal(),
        capture_output=True,
        text=True,
    )
    assert looked.stdout == "nothing found\n", looked.stderr


def said_by(*command: object) -> bytes:
    return subprocess.run([str(word) for word in command], capture_output=True, check=True).stdout


def complaint_of(*command: object) -> bytes:
    done = subprocess.run([str(word) for word in command], capture_output=True)
    assert done.returncode != 0
    return done.stderr


def told(mounted: Mounted, answer: Answer) -> list[str]:
    """Once the mount has ended, or as it happens."""
    return [access.unc for access in mounted.accesses if access.answer is answer]


def serving_process(mounted: Mounted) -> int:
    return int(Path(f"/proc/{mounted.helper}/task/{mounted.helper}/children").read_text())


def is_mounted(folder: Path) -> bool:
    return f" {folder} " in Path("/proc/self/mountinfo").read_text()


def wait_for(held: Callable[[], bool]) -> None:
    until = time.monotonic() + UNTIL_S
    while not held():
        assert time.monotonic() < until, "it does not come to hold"
        time.sleep(0.02)  # neither the kernel nor a process that ends tells those who did not start it


def memory_of(pid: int) -> bytes:
    """All that root outside may read."""
    content = bytearray()
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            start, end = (int(text, 16) for text in line.split()[0].split("-"))
            if " rw" in line and end - start < 256 * 1024 * 1024:
                with suppress(OSError, ValueError, OverflowError):
                    memory.seek(start)
                    content += memory.read(end - start)
    return bytes(content)


_ROOT = Path(__file__).parents[2]

_RUNNER = """
import sys, time
from pathlib import Path
from keyturn.adapters.runners.posix.share_mounting import Mounted
from keyturn.distribution.presenting import SharePath
from tests.file_server import account
folder, share = sys.argv[1:]
with Mounted(Path(folder), (SharePath(share, (account("kt-reader"),)),)) as mounted:
    (mounted.path(share) / "setup.txt").read_text()
    print(mounted.helper, flush=True)
    time.sleep(600)
"""

_LOOKING = r"""
import ctypes, os, subprocess, sys
from pathlib import Path
secret = sys.stdin.read().encode()
for pid in os.listdir("/proc"):
    if pid.isdigit() and int(pid) != os.getpid():
        for name in ("environ", "cmdline"):
            try:
                assert secret not in Path("/proc", pid, name).read_bytes()
            except FileNotFoundError:
                pass
for pid in map(int, sys.argv[1:]):
    assert not Path("/proc", str(pid)).exists()
    assert ctypes.CDLL(None, use_errno=True).ptrace(16, pid, 0, 0) == -1  # PTRACE_ATTACH
    assert subprocess.run(["kill", "-0", str(pid)], capture_output=True).returncode != 0
print("nothing found")
"""
