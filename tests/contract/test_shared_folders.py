"""Folders on shares: a real file server, and the one in memory that other tests use."""

import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from keyturn.adapters.shares.smb_folder import SmbFolder
from keyturn.model.logon import Answer
from keyturn.operations.content_ports import SETTLED_S, ReachedFolder
from keyturn.operations.inbox_ports import AccessDenied, PointTrouble
from tests.contract.shared_folder_contract import SharedFolderContract
from tests.file_server import RIGHT, WRONG, FileServer, serving
from tests.memory_shared_folder import MemorySharedFolder


class TestMemory(SharedFolderContract):
    @pytest.fixture
    def entered(self) -> AbstractContextManager[ReachedFolder]:
        return MemorySharedFolder().reach()


@pytest.fixture(scope="module")
def server() -> Iterator[FileServer]:
    with serving() as server:
        yield server


@contextmanager
def logged_on(place: str) -> Iterator[ReachedFolder]:
    with SmbFolder(place).reach() as folder:
        assert folder.log_on(r"FILES\kt-reader", RIGHT) is Answer.ACCEPTED
        yield folder


class TestSmb(SharedFolderContract):
    @pytest.fixture
    def entered(self, server: FileServer, request: pytest.FixtureRequest) -> AbstractContextManager[ReachedFolder]:
        inner = server.shared / request.node.name
        inner.mkdir()
        inner.chmod(0o777)
        return logged_on(rf"{server.share}\{inner.name}")


def test_a_wrong_password_is_told_and_costs_one_attempt(server: FileServer) -> None:
    before = server.bad_count("kt-wrong")
    with SmbFolder(server.share).reach() as folder:
        assert folder.log_on(r"FILES\kt-wrong", WRONG) is Answer.WRONG_PASSWORD
    assert server.bad_count("kt-wrong") == before + 1


def test_a_server_that_is_not_there_costs_none() -> None:
    with pytest.raises(PointTrouble, match="does not answer"), SmbFolder(r"\\127.0.0.1\apps").reach():
        pass


def test_a_share_that_may_only_be_read_says_so(server: FileServer) -> None:
    place = server.share.replace(r"\apps", r"\fixed")
    with logged_on(place) as folder, pytest.raises(AccessDenied, match=r"denied to FILES\\kt-reader"):
        folder.write("file", [b"x"])


def test_a_server_that_stops_answering_in_the_middle_is_trouble(
    server: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keyturn.adapters.shares.smb_folder.ANSWER_S", 1.0)

    def pieces() -> Iterator[bytes]:
        yield b"x" * 100_000
        server._signal("STOP")
        yield b"y" * 8_000_000

    try:
        with logged_on(server.share) as folder, pytest.raises(PointTrouble, match="did not finish"):
            folder.write("never-whole", pieces())
    finally:
        server._signal("CONT")
    assert not (server.shared / "never-whole").exists()


def test_a_link_on_a_share_is_not_taken_for_a_file_of_the_package(server: FileServer) -> None:
    source = server.shared / "source"
    source.mkdir()
    (source / "file").write_text("x")
    (source / "out").symlink_to("/etc/passwd")
    with logged_on(rf"{server.share}\source") as folder:
        assert [one.path for one in folder.files()] == ["file"]


def test_a_file_on_a_share_is_settled_two_seconds_after_its_change(server: FileServer) -> None:
    source = server.shared / "settling"
    source.mkdir()
    (source / "file").write_text("x")
    with logged_on(rf"{server.share}\settling") as folder:
        [found] = folder.files()
        assert not found.settled
        until = time.monotonic() + 60
        while not found.settled:
            assert time.monotonic() < until, "it never settles"
            time.sleep(0.1)  # the file server's clock is nobody's to turn
            [found] = folder.files()
        assert time.time() - (source / "file").stat().st_ctime > SETTLED_S


def test_a_file_in_the_place_of_another_has_another_mark_with_the_same_size_and_time(server: FileServer) -> None:
    source = server.shared / "kept"
    source.mkdir()
    for name in ("file", "other"):
        (source / name).write_text(name[:3])
        os.utime(source / name, ns=(10**18, 10**18))
    with logged_on(rf"{server.share}\kept") as folder:
        before = {found.path: found for found in folder.files()}["file"]
        (source / "other").replace(source / "file")
        [after] = folder.files()
    assert before.mark != after.mark
