"""Content that a client reads from a distribution point on a real file server."""

import random
from collections.abc import Iterator
from contextlib import suppress

import pytest
from smbprotocol.open import CreateDisposition, CreateOptions, FilePipePrinterAccessMask

from keyturn.adapters.shares.smb_content import SmbPoint
from keyturn.adapters.shares.smb_entering import let_in
from keyturn.adapters.shares.smb_opening import EVERYBODY, Opened
from keyturn.adapters.shares.smb_reading import PIECE, ask
from keyturn.adapters.shares.smb_session import close, credits_of, open_connection, place_of
from keyturn.distribution.accesses import Access
from keyturn.distribution.presenting import NotLetIn, Presentable
from keyturn.distribution.run_context import AsUser, Machine, RealmAccount
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.wire.agent import NoAnswer
from tests.file_server import RIGHT, WRONG, FileServer, account, serving

READER = account("kt-reader")
CREDIT = 64 * 1024
_READING = (
    FilePipePrinterAccessMask.GENERIC_READ,
    EVERYBODY,
    CreateDisposition.FILE_OPEN,
    CreateOptions.FILE_NON_DIRECTORY_FILE,
)


@pytest.fixture(scope="module")
def server() -> Iterator[FileServer]:
    with serving() as server:
        content = server.shared / "PHX00001.3"
        (content / "files" / "bin").mkdir(parents=True)
        (content / "manifest.json").write_text("{}")
        (content / "files" / "empty").write_text("")
        (content / "files" / "bin" / "setup").write_bytes(random.Random(3).randbytes(13 * 1024 * 1024 + 7))
        (content / "files" / "closed").write_text("x")
        (content / "files" / "closed").chmod(0o600)
        yield server


@pytest.fixture
def point(server: FileServer) -> SmbPoint:
    return SmbPoint(server.share + r"\PHX00001.3")


@pytest.mark.parametrize("offset", [0, 1, 1024 * 1024, 5_000_001, 13 * 1024 * 1024 + 6, 13 * 1024 * 1024 + 7])
def test_a_file_comes_whole_from_any_offset(server: FileServer, point: SmbPoint, offset: int) -> None:
    whole = (server.shared / "PHX00001.3" / "files" / "bin" / "setup").read_bytes()
    assert read(point, "files/bin/setup", offset) == whole[offset:]


def test_an_empty_file_has_no_bytes(point: SmbPoint) -> None:
    assert read(point, "files/empty") == b""


def test_who_was_let_in_is_noted_with_the_share(server: FileServer, point: SmbPoint) -> None:
    noted: list[Access] = []
    with point.reach(READER, 3, noted.append):
        pass
    (access,) = noted
    assert (access.unc, access.identity, access.order) == (server.share, r"FILES\kt-reader", 3)
    assert access.let_in


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("kt-wrong", Answer.WRONG_PASSWORD),
        ("kt-locked", Answer.LOCKED),
        ("kt-expired", Answer.ACCOUNT_EXPIRED),
        ("kt-disabled", Answer.DISABLED),
        ("kt-stranger", Answer.NO_SHARE_ACCESS),
    ],
)
def test_who_is_not_let_in_is_noted_with_the_reason(
    server: FileServer, point: SmbPoint, name: str, answer: Answer
) -> None:
    spoiled: list[str] = []
    secret = WRONG if name == "kt-wrong" else RIGHT
    presented = Presentable(RealmAccount(rf"FILES\{name}"), secret, lambda: spoiled.append(name))
    before = server.bad_count(name)
    access = refused(point, presented)
    assert (access.unc, access.identity, access.answer) == (server.share, rf"FILES\{name}", answer)
    assert spoiled == (["kt-wrong"] if name == "kt-wrong" else [])
    assert server.bad_count(name) == before + (name == "kt-wrong")


@pytest.mark.parametrize(
    ("identity", "status"),
    [
        (Presentable(Machine()), 0xC000018A),
        (Presentable(AsUser("nobody")), 0xC000005F),
        (Presentable(RealmAccount(r"FILES\kt-reader")), 0xC000005F),
    ],
    ids=["no computer account", "no tickets", "no password"],
)
def test_an_identity_with_nothing_to_present_is_told_from_one_that_is_refused(
    point: SmbPoint, identity: Presentable, status: int
) -> None:
    access = refused(point, identity)
    assert (access.answer, access.status) == (None, status)


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("files/closed", Answer.NO_FILE_ACCESS),
        ("files/gone", Answer.NO_FILE),
        ("gone/setup", Answer.NO_FILE),
    ],
)
def test_a_file_that_is_refused_is_noted_by_its_path(
    server: FileServer, point: SmbPoint, path: str, answer: Answer
) -> None:
    noted: list[Access] = []
    with point.reach(READER, 1, noted.append) as reached, pytest.raises(NotLetIn):
        list(reached.read(path, 0))
    assert (noted[-1].unc, noted[-1].answer) == (
        server.share + "\\PHX00001.3\\" + path.replace("/", "\\"),
        answer,
    )


def test_a_share_that_is_missing_is_noted(server: FileServer) -> None:
    gone = SmbPoint(server.share.replace("apps", "gone"))
    assert refused(gone, READER).answer is Answer.NO_SHARE


def test_a_machine_that_is_down_is_noted_and_costs_no_attempt(server: FileServer) -> None:
    before = server.bad_count("kt-wrong")
    noted: list[Access] = []
    down = SmbPoint(r"\\127.0.0.1\apps")
    with pytest.raises(NoAnswer, match=r"127\.0\.0\.1"), down.reach(account("kt-wrong", WRONG), 1, noted.append):
        pass
    assert [(access.answer, access.status) for access in noted] == [(None, 0)]
    assert server.bad_count("kt-wrong") == before


def test_a_point_that_goes_away_leaves_what_came_before(server: FileServer, point: SmbPoint) -> None:
    whole = (server.shared / "PHX00001.3" / "files" / "bin" / "setup").read_bytes()
    came = b""
    with suppress(NoAnswer), point.reach(READER, 1, lambda _: None) as reached:
        for piece in reached.read("files/bin/setup", 0):
            came += piece
            server.drop_sessions()
        raise AssertionError("it did not go away")
    assert 0 < len(came) < len(whole)
    assert whole.startswith(came)


def test_more_reads_than_the_server_has_granted_credits_for_wait_for_each_other(server: FileServer) -> None:
    whole = (server.shared / "PHX00001.3" / "files" / "bin" / "setup").read_bytes()
    connection = open_connection(server.address, 60)
    try:
        tree = let_in(connection, place_of(server.share), READER, 1, lambda _: None, LogonProtocol.NTLM)
        with Opened(tree, r"PHX00001.3\files\bin\setup", *_READING) as file:
            assert len(whole) // CREDIT > credits_of(connection)
            asked = [ask(file, offset, PIECE) for offset in range(0, len(whole), PIECE)]
            assert b"".join(take() for take in asked) == whole
    finally:
        close(connection)


def read(point: SmbPoint, path: str, offset: int = 0) -> bytes:
    with point.reach(READER, 1, lambda _: None) as reached:
        return b"".join(reached.read(path, offset))


def refused(point: SmbPoint, identity: Presentable) -> Access:
    noted: list[Access] = []
    with suppress(NotLetIn), point.reach(identity, 1, noted.append):
        raise AssertionError("it was let in")
    (access,) = noted
    return access
