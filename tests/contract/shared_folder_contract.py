"""What a folder on a share promises whoever fills it, whatever carries it."""

import random
from collections.abc import Iterator
from contextlib import AbstractContextManager

import pytest

from keyturn.operations.content_ports import ReachedFolder
from keyturn.operations.inbox_ports import PointTrouble

LARGE = random.Random(7).randbytes(9 * 1024 * 1024 + 3)


class SharedFolderContract:
    @pytest.fixture
    def entered(self) -> AbstractContextManager[ReachedFolder]:
        """Logged on to, and empty."""
        raise NotImplementedError

    @pytest.fixture
    def folder(self, entered: AbstractContextManager[ReachedFolder]) -> Iterator[ReachedFolder]:
        with entered as folder:
            yield folder

    def test_a_file_is_read_back_as_it_was_written(self, folder: ReachedFolder) -> None:
        pieces = (LARGE[at : at + 700_001] for at in range(0, len(LARGE), 700_001))
        folder.write("large", pieces)
        assert b"".join(folder.read("large")) == LARGE

    def test_an_empty_file_is_one(self, folder: ReachedFolder) -> None:
        folder.write("empty", iter(()))
        assert b"".join(folder.read("empty")) == b""
        assert [(found.path, found.size) for found in folder.files()] == [("empty", 0)]

    def test_a_file_is_replaced_whole(self, folder: ReachedFolder) -> None:
        folder.write("file", [b"a longer one"])
        folder.write("file", [b"short"])
        assert b"".join(folder.read("file")) == b"short"
        assert [found.path for found in folder.files()] == ["file"]

    def test_files_are_listed_with_their_paths_below_the_folder(self, folder: ReachedFolder) -> None:
        for path in ("top", "top/sub", "top/sub/ü"):
            folder.make(path)
        folder.write("top/sub/ü/file", [b"four"])
        folder.write("top/other", [b"x"])
        assert {found.path: found.size for found in folder.files()} == {"top/sub/ü/file": 4, "top/other": 1}
        assert {found.path: found.size for found in folder.files("top/sub")} == {"ü/file": 4}
        assert list(folder.files("nothing")) == []

    def test_a_folder_that_is_there_is_made_again(self, folder: ReachedFolder) -> None:
        folder.make("one")
        folder.write("one/file", [b"x"])
        folder.make("one")
        folder.make("two")
        assert sorted(folder.folders()) == ["one", "two"]
        assert b"".join(folder.read("one/file")) == b"x"

    def test_a_write_that_is_cut_off_leaves_what_was_there(self, folder: ReachedFolder) -> None:
        def cut_off() -> Iterator[bytes]:
            yield b"half of it"
            raise PointTrouble("the source has gone")

        folder.write("file", [b"whole"])
        with pytest.raises(PointTrouble):
            folder.write("file", cut_off())
        assert b"".join(folder.read("file")) == b"whole"
        folder.write("file", [b"and again"])
        assert [found.path for found in folder.files()] == ["file"]

    def test_a_folder_goes_with_everything_in_it(self, folder: ReachedFolder) -> None:
        for path in ("top", "top/sub", "other"):
            folder.make(path)
        folder.write("top/sub/file", [b"x"])
        folder.write("other/file", [b"x"])
        folder.remove("top")
        folder.remove("other/file")
        folder.remove("nothing")
        assert folder.folders() == ("other",)
        assert list(folder.files()) == []

    def test_what_is_not_there_is_trouble_with_its_name(self, folder: ReachedFolder) -> None:
        with pytest.raises(PointTrouble, match="nothing"):
            list(folder.read("nothing"))
        with pytest.raises(PointTrouble, match="missing"):
            folder.write("missing/file", [b"x"])

    def test_a_mark_changes_with_its_file(self, folder: ReachedFolder) -> None:
        folder.write("file", [b"one"])
        [before] = folder.files()
        folder.write("file", [b"two"])
        [after] = folder.files()
        assert before.mark != after.mark
