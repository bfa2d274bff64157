"""A package read at its source on a real file server, whose site keeps the manifest at an access point there."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from keyturn.adapters.shares.smb_content import SmbPoint
from keyturn.agent.software.cache import Cache
from keyturn.agent.software.content import Content
from keyturn.agent.software.ports import ContentFailed
from keyturn.agent.software.sources import Manifests, SourcePoint
from keyturn.distribution.accesses import Access
from keyturn.distribution.causes import Cause, cause_of_access
from keyturn.distribution.content import canonical, folder_of, manifest_of
from keyturn.distribution.presenting import Presentable
from keyturn.distribution.signed_content import PURPOSE, write_signed
from keyturn.model.software import File, Manifest
from keyturn.wire.policy import PACKAGE_BOX, package_file
from tests.content_points import KEYS, PACKAGE, offer_of
from tests.file_server import WRONG, FileServer, account, serving

READER, SECOND = account("kt-reader"), account("kt-second")
FILES = {"install.sh": b"#!/bin/sh\n", "deep/er/ü data.bin": bytes(range(256)) * 9000, "empty": b""}


@pytest.fixture(scope="module")
def server() -> Iterator[FileServer]:
    with serving() as server:
        yield server


@pytest.fixture
def manifest(server: FileServer) -> Manifest:
    for path, content in FILES.items():
        file = server.shared / "sources" / "seven" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    listed = [File(path, len(content), hashlib.sha256(content).hexdigest()) for path, content in FILES.items()]
    manifest = manifest_of(PACKAGE, 2, listed)
    box = server.shared / PACKAGE_BOX
    box.mkdir(exist_ok=True)
    signed = write_signed(manifest, KEYS.signing.sign(PURPOSE + canonical(manifest)))
    (box / package_file(folder_of(PACKAGE, 2))).write_bytes(signed)
    return manifest


class Client:
    def __init__(self, server: FileServer, root: Path, at_access_point: Presentable) -> None:
        self.accesses: list[Access] = []
        self.place = rf"{server.share}\sources\seven"
        manifests = Manifests(
            lambda: SmbPoint(server.share),
            lambda folder: f"{PACKAGE_BOX}/{package_file(folder)}",
            lambda: (at_access_point,),
        )
        self.content = Content(
            Cache(root),
            lambda place: SourcePoint(SmbPoint(place.place), manifests),
            lambda: 1_000_000.0,
            verify_key=lambda: KEYS.verify_key,
        )

    def fetch(self, manifest: Manifest, identity: Presentable) -> dict[str, bytes]:
        folder = self.content.fetch(offer_of(manifest, self.place), (identity,), self.accesses.append, lambda: False)
        return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_files_come_from_the_source_and_what_they_are_from_the_access_point(
    server: FileServer, manifest: Manifest, tmp_path: Path
) -> None:
    client = Client(server, tmp_path / "cache", SECOND)
    assert client.fetch(manifest, READER) == FILES
    told = [(access.identity, access.let_in) for access in client.accesses]
    assert told == [(str(READER.identity), True), (str(SECOND.identity), True)]


def test_a_file_that_was_changed_or_is_gone_is_named(server: FileServer, manifest: Manifest, tmp_path: Path) -> None:
    client = Client(server, tmp_path / "cache", SECOND)
    (server.shared / "sources" / "seven" / "install.sh").write_bytes(b"#!/bin/rm\n")
    with pytest.raises(ContentFailed, match=r"install.sh is not the file that was signed") as changed:
        client.fetch(manifest, READER)
    assert changed.value.cause == Cause.CONTENT_DAMAGED
    (server.shared / "sources" / "seven" / "install.sh").unlink()
    with pytest.raises(ContentFailed) as gone:
        client.fetch(manifest, READER)
    assert cause_of_access(gone.value.accesses) is Cause.NO_SUCH_FILE
    assert gone.value.accesses[-1].unc == rf"{client.place}\install.sh"


def test_a_wrong_password_at_either_place_costs_one_attempt_and_is_spoiled(
    server: FileServer, manifest: Manifest, tmp_path: Path
) -> None:
    spoiled: list[str] = []
    wrong = Presentable(account("kt-wrong").identity, WRONG, lambda: spoiled.append("spoiled"))
    before = server.bad_count("kt-wrong")
    for at_source, at_access_point in ((wrong, SECOND), (READER, wrong)):
        with pytest.raises(ContentFailed) as failed:
            Client(server, tmp_path / "cache", at_access_point).fetch(manifest, at_source)
        assert cause_of_access(failed.value.accesses) is Cause.WRONG_PASSWORD
    assert (len(spoiled), server.bad_count("kt-wrong") - before) == (2, 2)
