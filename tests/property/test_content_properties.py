"""However a transfer is cut off, and whatever a point has instead of a file, what a client runs is what was signed."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from keyturn.agent.software.cache import Cache
from keyturn.agent.software.content import Content
from keyturn.agent.software.ports import ContentFailed
from keyturn.distribution.content import BadContent, canonical, manifest_of, read_manifest, relative_path
from keyturn.model.software import File, Manifest, PackageId
from keyturn.wire.content import first_of_range, is_one_range
from tests.content_points import KEYS, MACHINE, FolderPoint, offer_of, publish

SIZES = st.integers(0, 5000)
CONTENT = st.dictionaries(
    st.sampled_from(["a", "b.sh", "d/e", "d/f/g", "ü"]), st.binary(max_size=3000), min_size=1, max_size=5
)


@given(files=CONTENT, cuts=st.lists(SIZES, max_size=12), piece=st.integers(1, 700))
@settings(deadline=None, max_examples=60)
def test_content_is_bit_exact_wherever_its_transfer_is_cut_off(
    files: dict[str, bytes], cuts: list[int], piece: int
) -> None:
    with a_client(files) as (point, content, manifest):
        point.cut_after, point.piece = list(cuts), piece
        for _ in range(len(cuts) + 1):
            try:
                folder = fetch(content, manifest)
                break
            except ContentFailed:
                continue
        assert {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()} == files


@given(files=CONTENT, cut=SIZES, wrong=st.binary(max_size=4000), which=st.integers(0, 4))
@settings(deadline=None, max_examples=60)
def test_no_file_is_ever_in_place_that_was_not_signed(
    files: dict[str, bytes], cut: int, wrong: bytes, which: int
) -> None:
    with a_client(files) as (point, content, manifest):
        path = sorted(files)[which % len(files)]
        (point.folder / "PHX00001.1" / "files" / path).write_bytes(wrong)
        point.cut_after = [cut]
        for _ in range(3):
            try:
                folder = fetch(content, manifest)
            except ContentFailed:
                continue
            assert {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()} == files
        for file in (point.folder.parent / "cache").glob("*/files/**/*"):
            if file.is_file():
                assert file.read_bytes() == files[file.relative_to(next(file_root(file))).as_posix()]


@given(st.text(max_size=40))
def test_a_path_is_refused_or_stays_in_its_folder(text: str) -> None:
    try:
        path = relative_path(text)
    except BadContent:
        return
    assert (Path("/root/of/it") / path).resolve().is_relative_to("/root/of/it")
    assert relative_path(path) == path


@given(st.lists(st.tuples(st.text(min_size=1, max_size=12), st.integers(0, 2**48), st.booleans()), max_size=6))
def test_whatever_has_a_manifest_is_read_back_from_it(entries: list[tuple[str, int, bool]]) -> None:
    try:
        files = [File(relative_path(path), size, "0f" * 32, executable) for path, size, executable in entries]
        manifest = manifest_of(PackageId("PHX00001"), 3, files)
    except BadContent:
        return
    assert read_manifest(canonical(manifest)) == manifest


@given(st.binary(max_size=200))
def test_no_bytes_make_the_reader_of_manifests_fail_in_another_way(body: bytes) -> None:
    with suppress(BadContent):
        read_manifest(body)


@given(st.text(max_size=30))
def test_no_header_makes_the_readers_of_ranges_fail(header: str) -> None:
    assert is_one_range(header) in (True, False)
    assert first_of_range(header) is None or header.startswith("bytes ")


@contextmanager
def a_client(files: dict[str, bytes]) -> Iterator[tuple[FolderPoint, Content, Manifest]]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        manifest = publish(folder / "point", files)
        point = FolderPoint(folder / "point")
        content = Content(Cache(folder / "cache"), lambda _: point, lambda: 0.0, verify_key=lambda: KEYS.verify_key)
        yield point, content, manifest


def fetch(content: Content, manifest: Manifest) -> Path:
    return content.fetch(offer_of(manifest, "point"), (MACHINE,), lambda _: None, lambda: False)


def file_root(file: Path) -> Iterator[Path]:
    return (parent for parent in reversed(file.parents) if parent.name == "files")
