"""How a client gets the files of a package: bit for bit, whatever its points do."""

import errno
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from keyturn.agent.software.cache import Cache
from keyturn.agent.software.content import ROOM, Content
from keyturn.agent.software.ports import ContentFailed
from keyturn.distribution.accesses import Access
from keyturn.distribution.causes import Cause
from keyturn.distribution.presenting import Presentable
from keyturn.distribution.run_context import RealmAccount
from keyturn.model.errors import Refused
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret
from keyturn.model.software import Manifest, Offer
from keyturn.site.keys import new_keys
from tests.content_points import KEYS, MACHINE, FolderPoint, offer_of, publish

FILES = {
    "install.sh": b"#!/bin/sh\necho done\n",
    "data/big.bin": bytes(range(256)) * 100,
    "data/deep/er/ü.txt": b"umlaut",
    "empty": b"",
}
BIG = "PHX00001.1/files/data/big.bin"
NAA = RealmAccount(r"CORP\NetAccess")


class Client:
    """A client with two distribution points, the first of which is asked first."""

    def __init__(self, folder: Path) -> None:
        self.first, self.second = FolderPoint(folder / "first"), FolderPoint(folder / "second")
        self.root = folder / "cache"
        self.cache = Cache(self.root)
        self.accesses: list[Access] = []
        self.stop: Callable[[], bool] = lambda: False
        self.now = 1_000_000.0
        self.offered: tuple[str, ...] = ()
        points = {"first": self.first, "second": self.second}
        self.content = Content(
            self.cache,
            lambda place: points[place.system],
            lambda: self.now,
            verify_key=lambda: KEYS.verify_key,
            offered=lambda: self.offered,
        )

    def publish(self, files: dict[str, bytes], version: int = 1) -> Manifest:
        publish(self.second.folder, files, version=version)
        return publish(self.first.folder, files, version=version)

    def fetch(self, offer: Offer, *identities: Presentable) -> Path:
        return self.content.fetch(offer, identities or (MACHINE,), self.accesses.append, self.stop)


@pytest.fixture
def client(tmp_path: Path) -> Client:
    return Client(tmp_path)


def test_the_files_are_those_of_the_package(client: Client) -> None:
    folder = client.fetch(offer_of(client.publish(FILES), "first"))
    assert content_of(folder) == FILES
    assert os.access(folder / "install.sh", os.X_OK)
    assert (folder / "install.sh").stat().st_mode & 0o777 == 0o755
    assert (folder / "empty").stat().st_mode & 0o777 == 0o644


def test_whoever_runs_the_program_may_read_it_whatever_the_agents_umask(client: Client) -> None:
    offer = offer_of(client.publish(FILES), "first")
    before = os.umask(0o077)
    try:
        folder = client.fetch(offer)
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o055 for path in (folder, *folder.rglob("*")) if path.is_dir()} == {0o055}


def test_what_is_here_is_not_asked_for_again(client: Client) -> None:
    offer = offer_of(client.publish(FILES), "first")
    client.fetch(offer)
    client.first.gone = True
    assert content_of(client.fetch(offer)) == FILES


def test_a_new_version_brings_only_what_is_new(client: Client) -> None:
    client.fetch(offer_of(client.publish(FILES), "first"))
    client.first.asked.clear()
    changed = {**FILES, "data/deep/er/ü.txt": b"another", "moved/big.bin": FILES["data/big.bin"]}
    folder = client.fetch(offer_of(client.publish(changed, version=2), "first"))
    assert content_of(folder) == changed
    assert [path for path, _ in client.first.asked if "/files/" in path] == ["PHX00001.2/files/data/deep/er/ü.txt"]


def test_what_was_cut_off_goes_on_where_it_was_at_the_next_point(client: Client) -> None:
    client.first.cut_after = [7001]
    folder = client.fetch(offer_of(client.publish(FILES), "first", "second"))
    assert content_of(folder) == FILES
    assert (BIG, 7001) in client.second.asked


def test_what_was_cut_off_goes_on_where_it_was_at_the_next_try(client: Client) -> None:
    client.first.cut_after = [7001]
    offer = offer_of(client.publish(FILES), "first")
    with pytest.raises(ContentFailed) as failed:
        client.fetch(offer)
    assert failed.value.cause == Cause.NO_CONTENT
    assert content_of(client.fetch(offer)) == FILES
    assert (BIG, 7001) in client.first.asked


def test_a_point_with_other_bytes_is_passed_over(client: Client) -> None:
    manifest = client.publish(FILES)
    (client.first.folder / BIG).write_bytes(bytes(len(FILES["data/big.bin"])))
    assert content_of(client.fetch(offer_of(manifest, "first", "second"))) == FILES
    assert client.second.asked


@pytest.mark.parametrize("length", [0, 25_000, 25_601, 60_000])
def test_a_file_of_another_length_is_passed_over(client: Client, length: int) -> None:
    manifest = client.publish(FILES)
    (client.first.folder / BIG).write_bytes(FILES["data/big.bin"].ljust(length, b"x")[:length])
    assert content_of(client.fetch(offer_of(manifest, "first", "second"))) == FILES


def test_an_endless_file_is_not_read_to_its_end(client: Client) -> None:
    manifest = client.publish(FILES)
    with (client.first.folder / BIG).open("ab") as file:
        file.truncate(10**12)
    with pytest.raises(ContentFailed) as failed:
        client.fetch(offer_of(manifest, "first"))
    assert failed.value.cause == Cause.CONTENT_DAMAGED
    assert "data/big.bin is not the file that was signed" in failed.value.message


def test_a_bad_beginning_from_one_point_does_not_spoil_the_good_file_of_the_next(client: Client) -> None:
    manifest = client.publish(FILES)
    (client.first.folder / BIG).write_bytes(bytes(len(FILES["data/big.bin"])))
    client.first.cut_after = [5000]
    assert content_of(client.fetch(offer_of(manifest, "first", "second"))) == FILES
    assert [at for path, at in client.second.asked if path == BIG] == [5000, 0]


def test_a_bad_part_does_not_fail_for_ever(client: Client) -> None:
    manifest = client.publish(FILES)
    good = (client.first.folder / BIG).read_bytes()
    (client.first.folder / BIG).write_bytes(bytes(len(good)))
    with pytest.raises(ContentFailed):
        client.fetch(offer_of(manifest, "first"))
    (client.first.folder / BIG).write_bytes(good)
    assert content_of(client.fetch(offer_of(manifest, "first"))) == FILES


def test_a_file_swapped_in_the_middle_of_its_transfer_is_found(client: Client) -> None:
    manifest = client.publish(FILES)
    path = client.first.folder / BIG
    swapped = iter([False] * 5)

    def stop() -> bool:
        if next(swapped, True) and path.stat().st_size > 1:
            path.write_bytes(FILES["data/big.bin"][::-1])
        return False

    client.stop = stop
    assert content_of(client.fetch(offer_of(manifest, "first", "second"))) == FILES


def test_a_manifest_of_other_content_is_passed_over(client: Client) -> None:
    manifest = client.publish(FILES)
    publish(client.first.folder, {"install.sh": b"something else"})
    assert content_of(client.fetch(offer_of(manifest, "first", "second"))) == FILES
    with pytest.raises(ContentFailed, match="another one than the policy names") as failed:
        Client.fetch(client, offer_of(publish(client.first.folder.parent / "x", {"a": b""}), "first"))
    assert failed.value.cause == Cause.CONTENT_DAMAGED


def test_a_manifest_that_the_site_did_not_sign_is_refused_by_that_name(client: Client) -> None:
    manifest = publish(client.first.folder, FILES, keys=new_keys())
    with pytest.raises(ContentFailed) as failed:
        client.fetch(offer_of(manifest, "first"))
    assert failed.value.cause == Cause.CONTENT_UNSIGNED


def test_identities_are_tried_in_their_order_and_every_one_is_told(client: Client) -> None:
    client.first.answers = {str(MACHINE.identity): Answer.NO_SHARE_ACCESS}
    folder = client.fetch(offer_of(client.publish(FILES), "first"), MACHINE, Presentable(NAA, Secret("x")))
    assert content_of(folder) == FILES
    told = [(access.identity, access.order, access.answer) for access in client.accesses]
    assert told == [("the computer account", 1, Answer.NO_SHARE_ACCESS), (r"CORP\NetAccess", 2, Answer.ACCEPTED)]


@pytest.mark.parametrize("answer", [Answer.WRONG_PASSWORD, Answer.LOCKED, Answer.DISABLED])
def test_an_account_that_the_realm_refused_is_presented_at_no_other_point(client: Client, answer: Answer) -> None:
    client.first.answers = client.second.answers = {str(NAA): answer}
    spoiled: list[str] = []
    account = Presentable(NAA, Secret("old"), lambda: spoiled.append("spoiled"))
    with pytest.raises(ContentFailed) as failed:
        client.fetch(offer_of(client.publish(FILES), "first", "second"), account)
    assert client.first.presented == [str(NAA)]
    assert not client.second.presented
    assert [access.answer for access in failed.value.accesses] == [answer]
    assert spoiled == (["spoiled"] if answer is Answer.WRONG_PASSWORD else [])


def test_an_account_that_one_share_refuses_may_be_let_in_at_the_next(client: Client) -> None:
    client.first.answers = {str(NAA): Answer.NO_SHARE_ACCESS}
    folder = client.fetch(offer_of(client.publish(FILES), "first", "second"), Presentable(NAA, Secret("x")))
    assert content_of(folder) == FILES


def test_a_file_that_is_refused_sends_to_the_next_identity_and_then_the_next_point(client: Client) -> None:
    client.first.refused_files = {BIG: Answer.NO_FILE_ACCESS}
    folder = client.fetch(offer_of(client.publish(FILES), "first", "second"), MACHINE, Presentable(NAA, Secret("x")))
    assert content_of(folder) == FILES
    assert client.first.presented == [str(MACHINE.identity), str(NAA)]


def test_damage_at_one_point_is_the_cause_and_not_that_another_is_away(client: Client) -> None:
    manifest = client.publish(FILES)
    (client.first.folder / BIG).write_bytes(b"short")
    client.second.gone = True
    with pytest.raises(ContentFailed) as failed:
        client.fetch(offer_of(manifest, "first", "second"))
    assert failed.value.cause == Cause.CONTENT_DAMAGED
    assert all(access.let_in for access in failed.value.accesses)


def test_nothing_is_asked_for_that_the_disk_cannot_hold(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cache, "free_bytes", lambda _: ROOM + 25_000)
    with pytest.raises(ContentFailed) as failed:
        client.fetch(offer_of(client.publish(FILES), "first"))
    assert failed.value.cause == Cause.DISK_FULL
    assert not [path for path, _ in client.first.asked if "/files/" in path]


def test_what_nobody_is_offered_makes_room_before_a_disk_is_full(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = client.publish({"old.bin": b"x" * 10})
    client.fetch(offer_of(old, "first"))
    free = iter([ROOM, ROOM + 10**6])
    monkeypatch.setattr(Cache, "free_bytes", lambda _: next(free))
    folder = client.fetch(offer_of(client.publish(FILES, version=2), "first"))
    assert content_of(folder) == FILES
    assert not (client.root / old.digest).exists()


def test_a_disk_that_fills_up_on_the_way_is_called_full(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    offer = offer_of(client.publish(FILES), "first")

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr("keyturn.agent.software.cache.os.write", full)
        with pytest.raises(ContentFailed) as failed:
            client.fetch(offer)
    assert failed.value.cause == Cause.DISK_FULL
    assert content_of(client.fetch(offer)) == FILES


def test_a_client_that_stops_keeps_what_it_has(client: Client) -> None:
    offer = offer_of(client.publish(FILES), "first")
    pieces = iter([False] * 10)
    client.stop = lambda: next(pieces, True)
    with pytest.raises(ContentFailed, match="stopped"):
        client.fetch(offer)
    client.stop = lambda: False
    assert content_of(client.fetch(offer)) == FILES
    assert any(path == BIG and at > 0 for path, at in client.first.asked)


def spoil_content(folder: Path) -> None:
    (folder / "install.sh").write_bytes(b"#!/bin/sh\necho evil\n")


def spoil_mode(folder: Path) -> None:
    (folder / "empty").chmod(0o666)


def add_file(folder: Path) -> None:
    (folder / "data" / "left.log").write_bytes(b"left behind")


def add_folder(folder: Path) -> None:
    (folder / "tmp" / "deep").mkdir(parents=True)


def link_out(folder: Path) -> None:
    (folder / "install.sh").unlink()
    (folder / "install.sh").symlink_to("/bin/true")


def link_folder(folder: Path) -> None:
    (folder / "data").rename(folder / "elsewhere")
    (folder / "data").symlink_to(folder / "elsewhere")


def folder_for_file(folder: Path) -> None:
    (folder / "empty").unlink()
    (folder / "empty").mkdir()


@pytest.mark.parametrize(
    "spoil",
    [spoil_content, spoil_mode, add_file, add_folder, link_out, link_folder, folder_for_file],
)
def test_whatever_a_program_did_to_its_files_is_put_right_before_the_next_run(
    client: Client, spoil: Callable[[Path], None]
) -> None:
    offer = offer_of(client.publish(FILES), "first")
    spoil(client.fetch(offer))
    folder = client.fetch(offer)
    assert content_of(folder) == FILES
    assert not any(path.is_symlink() for path in folder.rglob("*"))
    assert {path.name for path in folder.iterdir()} == {"install.sh", "data", "empty"}
    assert (folder / "empty").stat().st_mode & 0o777 == 0o644


def test_a_cache_that_others_may_write_to_is_refused(client: Client) -> None:
    client.root.mkdir(mode=0o777)
    client.root.chmod(0o777)
    with pytest.raises(Refused, match="others can write"):
        client.fetch(offer_of(client.publish(FILES), "first"))


def test_content_that_is_offered_no_more_goes_when_it_was_long_unused(client: Client) -> None:
    old, new = client.publish(FILES), client.publish({"a": b"a"}, version=2)
    client.fetch(offer_of(old, "first"))
    client.offered = (old.digest,)
    client.now = (client.root / old.digest).stat().st_mtime + 31 * 24 * 3600
    client.fetch(offer_of(new, "first"))
    assert (client.root / old.digest).exists()
    client.offered = ()
    client.fetch(offer_of(new, "first"))
    assert not (client.root / old.digest).exists()


def test_the_longest_unused_goes_first_where_there_is_too_much(client: Client) -> None:
    digests = []
    for version in (1, 2, 3):
        digests.append(client.publish({"a": bytes([version]) * 1000}, version=version).digest)
        client.fetch(offer_of(client.publish({"a": bytes([version]) * 1000}, version=version), "first"))
        os.utime(client.root / digests[-1], (version, version))
    size = client.cache._size(digests[0])
    assert client.cache.prune([], most := 2 * size + size // 2, 0) == 1
    assert most > size
    assert {path.name for path in client.root.iterdir()} == set(digests[1:])


def test_content_that_a_program_runs_from_is_not_taken_away(client: Client) -> None:
    manifest = client.publish(FILES)
    client.fetch(offer_of(manifest, "first"))
    with client.cache.held(manifest.digest):
        assert client.cache.prune([], 0, client.now * 10) == 0
    assert client.cache.prune([], 0, client.now * 10) == 1


def test_programs_that_begin_at_once_may_all_tidy_the_cache(client: Client) -> None:
    """One takes away what another lists, locks, or removes at the same moment."""
    with ProcessPoolExecutor(4, get_context("fork")) as others:
        list(others.map(_use_and_tidy, [client.cache] * 4))


def test_what_a_crash_left_of_what_was_taken_away_goes_with_the_next(client: Client) -> None:
    (client.root / ".taken away" / "files").mkdir(parents=True)
    assert client.cache.prune([], 0, 0) == 0
    assert list(client.root.iterdir()) == []


def _use_and_tidy(cache: Cache) -> None:
    for _ in range(150):
        for digest in "abcd":
            with cache.alone(digest):
                pass
        cache.prune([], 0, unused_since=float("inf"))


def test_nobody_to_present_and_no_point_are_called_so(client: Client) -> None:
    manifest = client.publish(FILES)
    with pytest.raises(ContentFailed) as nowhere:
        client.fetch(offer_of(manifest))
    assert nowhere.value.cause == Cause.NO_POINT
    with pytest.raises(ContentFailed) as nobody:
        client.content.fetch(offer_of(manifest, "first"), (), client.accesses.append, client.stop)
    assert nobody.value.cause == Cause.NO_PROVEN_PASSWORD


def content_of(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
