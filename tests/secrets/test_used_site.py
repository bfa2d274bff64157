"""A whole site in use, as processes, with a canary for every secret: nothing that others can read holds one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.secrets.canary import Canaries
from tests.secrets.processes import Processes
from tests.secrets.used_site import UsedSite

pytestmark = pytest.mark.xdist_group("used-site")


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UsedSite]:
    with Processes(tmp_path_factory.mktemp("used")).watched() as processes:
        site = UsedSite(processes, Canaries())
        site.use()
        yield site


def test_no_file_holds_a_secret_that_is_not_its_own(used: UsedSite) -> None:
    theirs = [path for path in used.folder.iterdir() if path.name != "evidence"]
    assert {"site", "home", "tmp", "PC-0001"} <= {path.name for path in theirs}
    used.canaries.nothing_leaked(theirs, {}, used.asked_for)


def test_nothing_is_left_in_the_files_of_a_killed_server(used: UsedSite) -> None:
    own = {(name, str(place)) for name, place in used.asked_for}
    used.canaries.nothing_leaked([], used.left_by_kill, own)


def test_no_command_says_a_secret_that_it_was_not_asked_for(used: UsedSite) -> None:
    used.canaries.nothing_leaked([], used.processes.said, used.asked_for)


def test_no_log_holds_a_secret_though_every_library_tells_everything(used: UsedSite) -> None:
    logs = sorted((used.folder / "evidence").glob("*.log"))
    spoken = {line.split(b" ", 1)[0] for line in used.server_log.splitlines()}
    assert {b"sqlalchemy.engine.Engine", b"uvicorn.error"} <= spoken
    used.canaries.nothing_leaked(logs, {})


def test_no_process_shows_a_secret_in_its_arguments_or_its_environment(used: UsedSite) -> None:
    assert any(b"adopt\0" in content for content in used.processes.seen.values())
    used.canaries.nothing_leaked([], used.processes.seen)


def test_no_secret_is_in_the_name_of_a_file_or_the_arguments_of_a_program_it_starts(used: UsedSite) -> None:
    seen = sorted((used.folder / "evidence").glob("*.seen"))
    assert any(b"store.db" in file.read_bytes() for file in seen)
    used.canaries.nothing_leaked(seen, {})


def test_no_answer_of_the_api_holds_a_secret(used: UsedSite) -> None:
    assert {"POST /login: as meant", "POST /accounts/adopt: a list of password"} <= set(used.answers)
    used.canaries.nothing_leaked([], used.answers, used.asked_for)


def test_a_crash_leaves_no_dump_of_memory(used: UsedSite) -> None:
    limits = Path(f"/proc/{used.server.pid}/limits").read_text().splitlines()
    soft = next(line for line in limits if line.startswith("Max core file size")).split()[4]
    assert soft == "0"
