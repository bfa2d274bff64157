"""Programs that reach a share of a real file server while they run: as whom, and what they see of the password."""

import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from keyturn.adapters.runners.posix.runner import PosixRunner
from keyturn.agent.software.ports import Ended, HowEnded, RunOrder, SharePath
from keyturn.contracts.runner import INSTALLER, LONG_S
from keyturn.distribution.accesses import Access
from keyturn.distribution.presenting import Presentable
from keyturn.distribution.run_context import ExecuteAs, LocalSystem, LoggedOnUser, RaisedAccount
from keyturn.model.logon import Answer
from tests.file_server import READER, RIGHT, FileServer, account, serving
from tests.posix_runs import STAND_IN, USER, left_of, machine

TEXT = "on the share\n"

NOSY = f"""\
import glob, os
wanted = "".join(map(chr, {[ord(character) for character in RIGHT.reveal()]}))  # so that it does not find itself
def seen(where, data):
    if any(form in data for form in (wanted.encode(), wanted.encode("utf-16-le"))):
        print("SEEN in", where)
for process in glob.glob("/proc/[0-9]*"):
    if process == f"/proc/{{os.getpid()}}":
        continue
    print(process, open(f"{{process}}/cmdline", "rb").read())
    for name in ("cmdline", "environ", "auxv", "status"):
        seen(f"{{process}}/{{name}}", open(f"{{process}}/{{name}}", "rb").read())
    for opened in os.listdir(f"{{process}}/fd"):
        seen("a name", os.readlink(f"{{process}}/fd/{{opened}}").encode())
    memory = open(f"{{process}}/mem", "rb", 0)
    for line in open(f"{{process}}/maps"):
        start, end = (int(part, 16) for part in line.split()[0].split("-"))
        try:
            memory.seek(start)
            seen(f"{{process}}/mem", memory.read(end - start))
        except (OSError, OverflowError, ValueError):
            pass
    print("read", process)
for folder, _, names in os.walk("/run/keyturn"):
    for name in names:
        seen(name, open(os.path.join(folder, name), "rb").read())
seen("its own environment", repr(os.environ).encode())
"""


@pytest.fixture(scope="module")
def server() -> Iterator[FileServer]:
    with serving() as server:
        (server.shared / "tools v2").mkdir()
        (server.shared / "tools v2" / "a b.txt").write_text(TEXT)
        (server.shared / "setup.sh").write_text("#!/bin/sh\necho set up from the share\n")
        (server.shared / "setup.sh").chmod(0o755)
        yield server


@pytest.fixture(scope="module", autouse=True)
def here(server: FileServer) -> Iterator[None]:
    with machine():
        yield


@pytest.fixture
def noted(tmp_path: Path) -> Callable[[Access], None]:
    """Leaves a file `noted` in the folder that the program runs in."""
    return lambda _: (tmp_path / "content" / "noted").touch()


@pytest.fixture
def reach(server: FileServer, tmp_path: Path, noted: Callable[[Access], None]) -> Iterator[Callable[..., Ended]]:
    folder, runs = tmp_path / "content", tmp_path / "runs"
    folder.mkdir(mode=0o755)
    (folder / "nosy.py").write_text(NOSY)
    runner = PosixRunner(runs, grace_s=0.3)

    def run(command_line: str, who: ExecuteAs = LocalSystem(), *presented: Presentable) -> Ended:  # noqa: B008
        shares = (SharePath(server.share, presented or (account(READER),)),)
        order = RunOrder("run-1", command_line, str(folder), who, shares, max_run_s=LONG_S)
        return runner.run(order, tell=lambda _: None, stop=lambda: False, note=noted)

    yield run
    assert left_of(runs) == []
    assert not Path("/run/keyturn/shares").exists()


def test_root_reads_a_share_as_the_network_access_account(server: FileServer, reach: Callable[..., Ended]) -> None:
    ended = reach(rf"cat '{server.share}\tools v2\a b.txt'")
    assert (ended.exit_code, ended.executed_as, ended.output) == (0, "root", TEXT.encode())
    (access,) = ended.accesses
    assert (access.answer, access.identity, access.order) == (Answer.ACCEPTED, rf"FILES\{READER}", 1)


def test_an_access_is_told_while_the_program_still_runs(server: FileServer, reach: Callable[..., Ended]) -> None:
    """It ends by itself once it was."""
    ended = reach(
        rf'timeout 60 sh -c "cat \"{server.share}\tools v2\a b.txt\"; until test -e noted; do sleep 0.1; done"'
    )
    assert (ended.how, ended.exit_code) == (HowEnded.EXITED, 0)
    assert [access.answer for access in ended.accesses] == [Answer.ACCEPTED]


def test_the_software_installation_account_runs_and_reaches_the_share_itself(
    server: FileServer, reach: Callable[..., Ended]
) -> None:
    ended = reach(rf'sh -c "id -u; cat \"{server.share}\tools v2\a b.txt\""', RaisedAccount(INSTALLER))
    assert ended.exit_code == 0, ended.output
    assert ended.output == b"0\n" + TEXT.encode()
    assert (ended.executed_as, ended.login) == ("root", STAND_IN)


def test_a_user_reads_it_too_and_a_program_finds_it_in_its_environment(
    server: FileServer, reach: Callable[..., Ended]
) -> None:
    variable = f"KEYTURN_SHARE_{server.address.replace('.', '_')}_APPS"
    ended = reach(
        f'sh -c \'id -un; cat "${variable}/tools v2/a b.txt"; printf %s "$KEYTURN_SHARES"\'', LoggedOnUser(USER)
    )
    place = f"/run/keyturn/shares/{server.address}/apps"
    assert ended.output.decode() == f"{USER}\n{TEXT}{server.share}={place}"


def test_a_program_starts_from_a_share(server: FileServer, reach: Callable[..., Ended]) -> None:
    for written in (server.share, server.share.upper()):
        ended = reach(rf"{written}\setup.sh")
        assert (ended.exit_code, ended.output) == (0, b"set up from the share\n"), ended


def test_whoever_the_share_does_not_let_in_is_named_and_the_program_fails(
    server: FileServer, reach: Callable[..., Ended]
) -> None:
    ended = reach(rf"cat '{server.share}\tools v2\a b.txt'", LocalSystem(), account("kt-stranger"))
    assert ended.how is HowEnded.EXITED
    assert ended.exit_code == 1
    assert b"Permission denied" in ended.output
    assert [(access.identity, access.answer) for access in ended.accesses] == [
        (r"FILES\kt-stranger", Answer.NO_SHARE_ACCESS)
    ]


def test_a_root_program_that_looks_everywhere_does_not_find_the_password(
    server: FileServer, reach: Callable[..., Ended]
) -> None:
    words = shlex.join([sys.executable, "-I", "nosy.py"])
    ended = reach(words)
    assert ended.exit_code == 0, ended.output.decode()
    printed = ended.output.decode()
    assert "read /proc/1\n" in printed  # it looked, and could
    assert "SEEN" not in printed
