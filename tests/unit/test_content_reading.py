"""How a package's source becomes the site's own copy of it."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from keyturn.adapters.content.blobs import FolderBlobs
from keyturn.adapters.content.folder import FolderSource
from keyturn.distribution.content import BadContent
from keyturn.model.errors import NotFound, Refused, Unavailable
from keyturn.operations import software_packages
from keyturn.operations.content import UNUSED_S, forget_unused, read_source
from keyturn.operations.content_ports import Found
from keyturn.operations.software_packages import NewPackage
from tests.inner_site import InnerSite
from tests.software import PACKAGE, software_site, source_of


@pytest.fixture
def site(tmp_path: Path) -> Iterator[InnerSite]:
    site = software_site(tmp_path, two_person_approval=False)
    source = source_of(site, "editor", install="the editor", readme="read me")
    (Path(source) / "install").chmod(0o755)
    software_packages.add(site.parts, NewPackage("Editor", source), by="olga")
    yield site
    site.close()


def source(site: InnerSite) -> Path:
    return site.folder / "sources" / "editor"


def test_a_source_is_copied_once_and_named_by_what_is_in_it(site: InnerSite) -> None:
    (source(site) / "same").write_text("the editor")
    reading = read_source(site.parts, PACKAGE, by="olga")
    assert reading.new
    assert reading.manifest.version == 1
    assert [(file.path, file.size, file.executable) for file in reading.manifest.files] == [
        ("install", 10, True),
        ("readme", 7, False),
        ("same", 10, False),
    ]
    kept = [path.name for path in (site.folder / "content" / "sha256").glob("*/*")]
    assert sorted(kept) == sorted(hashlib.sha256(text).hexdigest() for text in (b"the editor", b"read me"))
    assert site.store.manifest(PACKAGE, 1) == reading.manifest


def test_a_source_that_holds_the_same_makes_no_new_version(site: InnerSite) -> None:
    first = read_source(site.parts, PACKAGE, by="olga")
    again = read_source(site.parts, PACKAGE, by="olga")
    assert not again.new
    assert again.manifest == first.manifest
    (source(site) / "readme").write_text("READ ME")
    assert read_source(site.parts, PACKAGE, by="olga").manifest.version == 2


def test_what_was_read_stays_whatever_becomes_of_its_source(site: InnerSite) -> None:
    manifest = read_source(site.parts, PACKAGE, by="olga").manifest
    (source(site) / "install").write_text("something evil")
    blobs = FolderBlobs(site.folder / "content")
    assert b"".join(blobs.read(manifest.files[0].sha256)) == b"the editor"


def test_a_link_is_refused_with_its_name(site: InnerSite) -> None:
    (source(site) / "link").symlink_to("/etc/shadow")
    with pytest.raises(BadContent, match=r"editor/link is a link"):
        read_source(site.parts, PACKAGE, by="olga")


def test_a_linked_folder_is_refused_with_its_name(site: InnerSite) -> None:
    (source(site) / "folder").symlink_to("/etc")
    with pytest.raises(BadContent, match=r"editor/folder is a link"):
        read_source(site.parts, PACKAGE, by="olga")


def test_a_pipe_is_refused_and_not_waited_for(site: InnerSite) -> None:
    os.mkfifo(source(site) / "pipe")
    with pytest.raises(BadContent, match="neither a file nor a folder"):
        read_source(site.parts, PACKAGE, by="olga")


def test_a_name_that_windows_cannot_have_is_refused(site: InnerSite) -> None:
    (source(site) / "aux.txt").write_text("x")
    with pytest.raises(BadContent, match=r"aux\.txt.*device on Windows"):
        read_source(site.parts, PACKAGE, by="olga")


def test_a_package_without_a_source_is_told_so(site: InnerSite) -> None:
    package = software_packages.add(site.parts, NewPackage("Empty"), by="olga")
    with pytest.raises(Refused, match="has no source"):
        read_source(site.parts, package.package_id, by="olga")


def test_a_source_that_is_not_there_is_named(site: InnerSite) -> None:
    (source(site)).rename(site.folder / "elsewhere")
    with pytest.raises(NotFound, match=r"there is no folder .*sources/editor"):
        read_source(site.parts, PACKAGE, by="olga")


class Restless(FolderSource):
    """Somebody writes into it while it is read: `changes` times, each after the first bytes of a file."""

    changes = 0

    def read(self, path: str) -> Iterator[bytes]:
        yield from super().read(path)
        if Restless.changes:
            Restless.changes -= 1
            (self._root / "readme").write_text(f"changed {Restless.changes}")


@pytest.fixture
def restless(site: InnerSite) -> InnerSite:
    assert site.parts.content is not None
    site.parts = replace(site.parts, content=replace(site.parts.content, folder=Restless))
    return site


def test_a_source_that_changes_while_it_is_read_is_read_again(restless: InnerSite) -> None:
    Restless.changes = 1
    manifest = read_source(restless.parts, PACKAGE, by="olga").manifest
    assert {file.path: file.sha256 for file in manifest.files} == {
        name: hashlib.sha256((source(restless) / name).read_bytes()).hexdigest() for name in ("install", "readme")
    }


def test_a_source_that_never_keeps_still_is_refused_with_the_file(restless: InnerSite) -> None:
    Restless.changes = 100
    with pytest.raises(Refused, match="does not keep still: readme changed while it was read"):
        read_source(restless.parts, PACKAGE, by="olga")


def test_a_file_that_becomes_a_link_after_the_look_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("of the server")
    folder = tmp_path / "source"
    (folder / "sub").mkdir(parents=True)
    (folder / "file").symlink_to(tmp_path / "secret")
    (folder / "sub").rmdir()
    (folder / "sub").symlink_to(tmp_path)
    for path in ("file", "sub/secret"):
        with pytest.raises(BadContent, match="no file any more"):
            list(FolderSource(str(folder)).read(path))


def test_a_file_is_listed_with_a_mark_that_changes_with_it(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one")
    [before] = FolderSource(str(tmp_path)).files()
    os.utime(tmp_path / "a", ns=(1, 1))
    [after] = FolderSource(str(tmp_path)).files()
    assert before != after
    assert isinstance(before, Found)


def test_a_relative_folder_is_no_source() -> None:
    with pytest.raises(Refused, match="no absolute path"):
        FolderSource("here")


def test_what_is_kept_twice_is_there_once_and_read_only(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    assert blobs.keep([b"one ", b"file"]) == blobs.keep([b"one file"])
    [kept] = tmp_path.glob("sha256/*/*")
    assert kept.stat().st_mode & 0o777 == 0o444
    assert not list((tmp_path / "new").iterdir())
    assert blobs.place(kept.name) == str(kept)
    assert b"".join(blobs.read(kept.name, 4)) == b"file"


def test_a_copy_that_is_cut_off_leaves_nothing_in_place(tmp_path: Path) -> None:
    def cut_off() -> Iterator[bytes]:
        yield b"half"
        raise NotFound("it has gone")

    blobs = FolderBlobs(tmp_path)
    with pytest.raises(NotFound):
        blobs.keep(cut_off())
    assert not list(tmp_path.glob("sha256/*/*"))
    assert not list((tmp_path / "new").iterdir())


def test_a_full_disk_is_called_so(tmp_path: Path) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full")
    blobs = FolderBlobs(Path("/dev/full"))
    with pytest.raises(Unavailable, match="cannot be written"):
        blobs.keep([b"x"])


def test_a_damaged_copy_is_replaced_when_it_is_read_from_its_source_again(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    kept = blobs.keep([b"the right bytes"])
    path = Path(blobs.place(kept.sha256))
    path.chmod(0o644)
    path.write_bytes(b"the wrong bytes")
    blobs.keep([b"the right bytes"])
    assert path.read_bytes() == b"the right bytes"


def test_what_no_version_names_any_more_is_forgotten_after_a_day(site: InnerSite) -> None:
    read_source(site.parts, PACKAGE, by="olga")
    (source(site) / "readme").write_text("another")
    read_source(site.parts, PACKAGE, by="olga")
    kept = list((site.folder / "content" / "sha256").glob("*/*"))
    assert len(kept) == 3
    for path in kept:
        os.utime(path, (site.clock.now, site.clock.now))
    assert forget_unused(site.parts) == 0
    site.clock.turn(UNUSED_S + 1)
    assert forget_unused(site.parts) == 1
    assert {path.read_text() for path in (site.folder / "content" / "sha256").glob("*/*")} == {"the editor", "another"}
    assert site.store.content_versions() == {PACKAGE: (2,)}
