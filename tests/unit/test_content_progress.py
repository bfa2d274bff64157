"""What a reading of a package's source tells of itself, what it need not do again, and what ends it."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from keyturn.adapters.content.folder import FolderSource
from keyturn.model.errors import Refused, Unavailable
from keyturn.model.software import Manifest
from keyturn.operations import software_packages
from keyturn.operations.content import UNUSED_S, forget_unused, read_source
from keyturn.operations.content_ports import SETTLED_S, Found
from keyturn.operations.content_progress import SILENT_S, TELL_S, reading_of
from keyturn.operations.software_packages import NewPackage
from keyturn.operations.source_records import SourceReading
from tests.inner_site import InnerSite
from tests.software import PACKAGE, software_site, source_of

FILES = {"a": "first", "b": "second", "c": "third"}
OLD_NS = 10**18


class Watched(FolderSource):
    """Whose files have lain there for long. `opened` are those that were read; `meanwhile` is called before each."""

    opened: list[str]
    meanwhile: Callable[[str], None]
    settled = True

    def files(self) -> Iterator[Found]:
        return (replace(one, settled=Watched.settled) for one in super().files())

    def read(self, path: str) -> Iterator[bytes]:
        Watched.meanwhile(path)
        Watched.opened.append(path)
        return super().read(path)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[InnerSite]:
    site = software_site(tmp_path, two_person_approval=False)
    software_packages.add(site.parts, NewPackage("Editor", source_of(site, "editor", **FILES)), by="olga")
    assert site.parts.content is not None
    site.parts = replace(site.parts, content=replace(site.parts.content, folder=Watched))
    Watched.opened, Watched.meanwhile, Watched.settled = [], lambda path: None, True
    yield site
    site.close()


def source(site: InnerSite) -> Path:
    return site.folder / "sources" / "editor"


def read(site: InnerSite, *, by: str = "olga", every_file: bool = False) -> Manifest:
    Watched.opened.clear()
    return read_source(site.parts, PACKAGE, by=by, every_file=every_file).manifest


def now(site: InnerSite) -> SourceReading | None:
    return reading_of(site.parts, site.store.package(PACKAGE))


def test_what_has_not_changed_is_not_read_again_unless_every_file_is_asked_for(site: InnerSite) -> None:
    first = read(site)
    assert Watched.opened == ["a", "b", "c"]
    assert read(site) == first
    assert Watched.opened == []
    assert read(site, every_file=True) == first
    assert Watched.opened == ["a", "b", "c"]


def test_what_has_changed_is_read_and_what_is_gone_is_forgotten(site: InnerSite) -> None:
    read(site)
    (source(site) / "b").write_text("anew")
    (source(site) / "c").unlink()
    (source(site) / "d").write_text("another")
    assert [file.path for file in read(site).files] == ["a", "b", "d"]
    assert Watched.opened == ["b", "d"]
    assert site.store.known_files(PACKAGE).keys() == {"a", "b", "d"}


def test_a_file_that_may_be_executed_from_now_on_makes_a_new_version(site: InnerSite) -> None:
    read(site)
    (source(site) / "a").chmod(0o755)
    assert [file.executable for file in read(site).files] == [True, False, False]


def test_a_change_that_keeps_size_and_time_is_found_on_a_disk_of_the_server(site: InnerSite) -> None:
    os.utime(source(site) / "a", ns=(OLD_NS, OLD_NS))
    before = read(site)
    (source(site) / "a").write_text("FIRST")
    os.utime(source(site) / "a", ns=(OLD_NS, OLD_NS))
    assert read(site).digest != before.digest


def test_a_file_that_was_changed_just_now_is_read_again(site: InnerSite) -> None:
    Watched.settled = False
    read(site)
    read(site)
    assert Watched.opened == ["a", "b", "c"]


@pytest.mark.parametrize(("older_s", "settled"), [(0.0, False), (SETTLED_S, False), (SETTLED_S + 1, True)])
def test_a_file_is_settled_once_its_last_change_lies_back_two_seconds(
    tmp_path: Path, older_s: float, settled: bool
) -> None:
    (tmp_path / "a").write_text("x")
    os.utime(tmp_path / "a", ns=(OLD_NS, OLD_NS))  # whoever sets the one time moves the other
    changed_at = (tmp_path / "a").stat().st_ctime
    [found] = FolderSource(str(tmp_path), lambda: changed_at + older_s).files()
    assert found.settled is settled


def test_another_source_with_the_same_files_is_read(site: InnerSite) -> None:
    read(site)
    (source(site)).rename(site.folder / "sources" / "moved")
    moved = str(site.folder / "sources" / "moved")
    Watched.opened.clear()
    assert not software_packages.update(site.parts, PACKAGE, source=moved, by="olga").new
    assert Watched.opened == ["a", "b", "c"]


def test_a_copy_that_the_store_has_lost_is_read_again(site: InnerSite) -> None:
    file = read(site).files[1]
    assert site.parts.content is not None
    Path(site.parts.content.blobs.place(file.sha256)).unlink()
    read(site)
    assert Watched.opened == ["b"]


def test_a_copy_that_is_good_for_another_reading_is_not_swept_before_its_manifest_is_there(site: InnerSite) -> None:
    """As when a reading was cut off a day ago: no manifest names what it had learnt."""
    Watched.meanwhile = fail_at("c")
    with pytest.raises(Refused, match="no more"):
        read(site)
    assert site.parts.content is not None
    for known in site.store.known_files(PACKAGE).values():
        os.utime(site.parts.content.blobs.place(known.sha256), (site.clock.now, site.clock.now))
    site.clock.turn(UNUSED_S + 1)
    Watched.meanwhile = lambda path: swept.append(forget_unused(site.parts))
    swept: list[int] = []
    read(site)
    assert (Watched.opened, swept) == (["c"], [0])


def fail_at(path: str) -> Callable[[str], None]:
    def meanwhile(now_read: str) -> None:
        if now_read == path:
            raise Refused("no more")

    return meanwhile


def test_a_reading_that_failed_is_gone_on_with(site: InnerSite) -> None:
    Watched.meanwhile = fail_at("c")
    with pytest.raises(Refused, match="no more"):
        read(site)
    assert site.store.package(PACKAGE).source_version == 0
    assert now(site) is None
    Watched.meanwhile = lambda path: None
    assert len(read(site).files) == 3
    assert Watched.opened == ["c"]


def test_how_far_it_is_is_told_about_once_a_second(site: InnerSite) -> None:
    seen: list[tuple[int, int, int, int]] = []

    def look(path: str) -> None:
        site.clock.turn(TELL_S)
        reading = now(site)
        assert reading is not None
        seen.append((reading.files, reading.of_files, reading.size, reading.of_size))

    Watched.meanwhile = look
    read(site)
    assert seen == [(0, 3, 0, 16), (0, 3, 5, 16), (1, 3, 11, 16)]
    assert now(site) is None


def test_what_has_not_changed_does_not_count_as_read(site: InnerSite) -> None:
    read(site)
    (source(site) / "b").write_text("other")

    def look(path: str) -> None:
        reading = now(site)
        assert reading is not None
        assert (reading.of_files, reading.of_size, reading.unchanged, reading.by) == (1, 5, 2, "paul")

    Watched.meanwhile = look
    read(site, by="paul")


def test_who_asks_again_takes_over_and_goes_on_from_there(site: InnerSite) -> None:
    def again(path: str) -> None:
        site.clock.turn(TELL_S)
        if path == "c":
            Watched.meanwhile = lambda path: None
            assert len(read(site, by="paul").files) == 3

    Watched.meanwhile = again
    with pytest.raises(Refused, match="somebody else has begun to read PHX00001"):
        read(site)
    assert Watched.opened == ["b", "c", "c"]
    assert site.store.package(PACKAGE).source_version == 1


def test_a_process_that_is_to_end_leaves_off_and_the_next_goes_on(site: InnerSite) -> None:
    Watched.meanwhile = lambda path: site.clock.turn(TELL_S)
    with pytest.raises(Unavailable, match="what was read of PHX00001 stays") as stopped:
        read_source(site.parts, PACKAGE, by="olga", stopping=lambda: "b" in Watched.opened)
    assert "goes on" in stopped.value.hint
    assert site.store.package(PACKAGE).source_version == 0
    read(site)
    assert Watched.opened == ["b", "c"]


def test_a_reading_whose_process_was_killed_is_not_shown_for_ever(site: InnerSite) -> None:
    site.store.begin_reading(SourceReading(PACKAGE, "killed", "olga", site.clock.now, site.clock.now))
    assert now(site) is not None
    site.clock.turn(SILENT_S)
    assert now(site) is None
