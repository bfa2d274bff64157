"""Files that are no package, or only claim to be one: told in one line, in little time and memory."""

from pathlib import Path

import pytest

from keyturn.adapters.msi_files import MOST_READ, MOST_STREAMS, open_package, open_transform
from keyturn.distribution.msi.stream_names import stored_name
from keyturn.model.errors import Refused
from tests.msi_streams import Streams
from tests.ole_container import MSI, MSP, MST, write_container

STREAMS = Streams({"Property": [("ALLUSERS", "1")]}).made()
PACKAGE = "cannot be read as a package"


def package(folder: Path, **more: bytes) -> Path:
    return write_container(folder / "x.msi", {**STREAMS, **more})


@pytest.mark.parametrize("sector", [512, 4096])
def test_a_package_of_2_gb_is_read_without_its_payload(tmp_path: Path, sector: int) -> None:
    file = write_container(tmp_path / "x.msi", STREAMS, hole=2 << 30, sector=sector)
    assert file.stat().st_size > 2 << 30 > 16 * MOST_READ
    assert open_package(file).properties == {"ALLUSERS": "1"}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "no OLE2 container"),
        (b"PK\x03\x04" + b"\0" * 1000, "no OLE2 container"),
        (b"MZ" + b"\0" * 1000, "no OLE2 container"),
        (bytes.fromhex("d0cf11e0a1b11ae1"), "no OLE2 container"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 504, "container is broken"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + b"\xff" * 5000, "container is broken"),
    ],
    ids=["nothing", "a zip", "a program", "eight bytes", "zeros", "ones"],
)
def test_what_is_no_container_is_told(tmp_path: Path, content: bytes, told: str) -> None:
    file = tmp_path / "x.msi"
    file.write_bytes(content)
    with pytest.raises(Refused, match=told) as refused:
        open_package(file)
    assert str(file) in refused.value.message
    assert refused.value.hint


def test_a_package_that_was_cut_off_anywhere_is_told(tmp_path: Path) -> None:
    whole = package(tmp_path, Payload=b"x" * 20_000).read_bytes()
    file = tmp_path / "cut.msi"
    for size in range(0, len(whole) - 512, 97):
        file.write_bytes(whole[:size])
        with pytest.raises(Refused, match=PACKAGE):
            open_package(file)


@pytest.mark.parametrize("sector", [b"\x40\x00\x00\x00", b"\x00\x00\x10\x00"], ids=["just behind", "far behind"])
def test_a_payload_that_was_cut_off_is_told_though_the_tables_are_whole(tmp_path: Path, sector: bytes) -> None:
    file = package(tmp_path)
    content = file.read_bytes()
    last = content.index(b"\xfe\xff\xff\xff", fat_of(content))
    file.write_bytes(content[:last] + sector + content[last + 4 :])
    with pytest.raises(Refused, match="cut off"):
        open_package(file)


def test_a_last_sector_that_is_in_use_must_be_there_as_a_whole(tmp_path: Path) -> None:
    file = package(tmp_path)
    content = bytearray(file.read_bytes())
    added = fat_of(content) + 4 * (len(content) // 512 - 1)
    content[added : added + 4] = b"\xfe\xff\xff\xff"
    file.write_bytes(content + b"x" * 512)
    assert open_package(file).properties
    file.write_bytes(content + b"x" * 511)
    with pytest.raises(Refused, match="cut off"):
        open_package(file)


@pytest.mark.parametrize(
    ("kind", "told"), [(MST, r"it is a transform \(\.mst\)"), (MSP, r"it is a patch \(\.msp\)")], ids=["mst", "msp"]
)
def test_another_kind_of_file_is_called_what_it_is(tmp_path: Path, kind: object, told: str) -> None:
    file = write_container(tmp_path / "x", STREAMS, MST if kind is MST else MSP)
    with pytest.raises(Refused, match=told):
        open_package(file)


def test_a_package_is_no_transform(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"cannot be read as a transform.*it is a package"):
        open_transform(write_container(tmp_path / "x", STREAMS, MSI))


def test_a_container_of_something_else_is_no_package(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="the summary information is missing"):
        open_package(write_container(tmp_path / "x.doc", {"WordDocument": b"text"}))


def test_a_directory_with_more_parts_than_any_package_has_is_not_walked_through(tmp_path: Path) -> None:
    parts = {f"part{number}": b"" for number in range(MOST_STREAMS)}
    with pytest.raises(Refused, match="more than 8192 parts"):
        open_package(write_container(tmp_path / "x.msi", {**STREAMS, **parts}))


def test_tables_larger_than_any_package_has_are_not_read_to_their_end(tmp_path: Path) -> None:
    data = {stored_name("_StringData"): b"x" * (MOST_READ + 1)}
    with pytest.raises(Refused, match="more than 64 MiB"):
        open_package(write_container(tmp_path / "x.msi", {**STREAMS, **data}))


def test_a_directory_that_bites_its_tail_is_read_once(tmp_path: Path) -> None:
    """Its length is written nowhere, so that only its chain of sectors can end it."""
    file = package(tmp_path)
    content = bytearray(file.read_bytes())
    directory = int.from_bytes(content[48:52], "little")
    follows = fat_of(content) + 4 * directory
    content[follows : follows + 4] = directory.to_bytes(4, "little")
    file.write_bytes(content)
    with pytest.raises(Refused, match=PACKAGE):
        open_package(file)


def fat_of(content: bytes | bytearray) -> int:
    """Where the first sector of the FAT begins."""
    return 512 * (int.from_bytes(content[76:80], "little") + 1)


def test_a_directory_of_the_file_system_and_a_file_that_is_not_there_are_told(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no ordinary file"):
        open_package(tmp_path)
    with pytest.raises(Refused, match="No such file"):
        open_package(tmp_path / "none.msi")
