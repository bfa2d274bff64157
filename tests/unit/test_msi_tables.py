"""The tables of a package, read from streams written by hand."""

import struct

import pytest

from keyturn.distribution.msi.damage import Damaged
from keyturn.distribution.msi.package import read_package
from keyturn.distribution.msi.stream_names import stored_name
from keyturn.distribution.msi.strings import MOST_STRINGS
from keyturn.distribution.msi.summary import word_count
from keyturn.distribution.msi.tables import MOST_ROWS, Tables
from tests.msi_streams import SCHEMA, Streams, summary

PROPERTIES = [("ProductName", "Näme"), ("ALLUSERS", "2")]


@pytest.mark.parametrize("wide", [False, True], ids=["two bytes", "three bytes"])
@pytest.mark.parametrize("code_page", [65001, 1252, 437])
def test_strings_are_read_in_either_width_and_in_their_code_page(wide: bool, code_page: int) -> None:
    streams = Streams({"Property": PROPERTIES, "Registry": [("r", -1, "K")]}, wide=wide, code_page=code_page)
    package = read_package(streams.reader())
    assert package.properties == dict(PROPERTIES)


def test_a_string_of_more_than_64_kib_moves_no_other() -> None:
    long = "x" * 70_000
    tables = Tables(Streams({"Property": [("Long", long), ("After", "it")]}).reader())
    assert list(tables.texts("Property", "Value")) == [long, "it"]


def test_numbers_keep_their_sign_and_no_value_is_nought() -> None:
    rows = [("a", -1, "K"), ("b", 2, "K"), ("c", None, "K")]
    streams = Streams({"Registry": rows, "ServiceInstall": [("s", "svc", -70_000)]})
    tables = Tables(streams.reader())
    assert list(tables.numbers("Registry", "Root")) == [-1, 2, 0]
    assert list(tables.numbers("ServiceInstall", "ServiceType")) == [-70_000]


def test_a_key_of_several_columns_is_named_whole() -> None:
    event = ("Folder", "Next", "[ALLUSERS]", "2", None)
    assert Tables(Streams({"ControlEvent": [event]}).reader()).key("ControlEvent", 0) == "Folder/Next/[ALLUSERS]/2/"


def test_a_table_that_is_not_there_has_no_rows() -> None:
    tables = Tables(Streams({"Property": PROPERTIES}).reader())
    assert list(tables.texts("Nosuch", "Column")) == list(tables.numbers("Nosuch", "Column")) == []


def test_names_of_tables_are_packed_as_windows_packs_them() -> None:
    assert stored_name("_StringPool") == "\u4840\u3f3f\u4577\u446c\u3e6a\u44b2\u482f"


@pytest.mark.parametrize("missing", ["_StringPool", "_StringData", "_Columns"])
def test_a_stream_that_must_be_there_is_named(missing: str) -> None:
    with pytest.raises(Damaged, match=missing):
        read_package(Streams({"Property": PROPERTIES}, replaced={missing: None}).reader())


@pytest.mark.parametrize(
    ("table", "stream", "told"),
    [
        ("_StringPool", b"\x00" * 6, "_StringPool is cut off"),
        ("_StringPool", b"\x00" * (4 * MOST_STRINGS + 4), "more than"),
        ("_StringPool", struct.pack("<IHH", 0, 0, 1), "ends within a string"),
        ("_StringPool", struct.pack("<IHHI", 0, 0, 1, 0xFFFF_FFFF), "shorter than"),
        ("_StringData", b"", "shorter than"),
        ("_Columns", b"\x01\x00\x01\x80\x01", "cut off within a row"),
        ("_Columns", b"\x00" * (8 * MOST_ROWS + 8), "more than"),
        ("Property", b"\x01\x00\x02\x00\x03", "cut off within a row"),
        ("Property", b"\xff\xff\xff\xff", "string 65535, which does not exist"),
        ("Property", b"\x00" * (4 * MOST_ROWS + 4), "more than"),
    ],
)
def test_what_is_wrong_with_a_stream_is_told(table: str, stream: bytes, told: str) -> None:
    with pytest.raises(Damaged, match=told):
        read_package(Streams({"Property": PROPERTIES}, replaced={table: stream}).reader())


def test_a_standard_table_without_a_standard_column_is_no_package() -> None:
    tables = Tables(Streams({"Property": PROPERTIES, "Component": [("c", "d")]}).reader())
    with pytest.raises(Damaged, match="Component has no column KeyPath"):
        list(tables.texts("Component", "KeyPath"))


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("Action=s72* Condition=S255 Sequence=S255", "Sequence of table InstallExecuteSequence is no number"),
        ("Action=s72* Condition=i2 Sequence=I2", "Condition of table InstallExecuteSequence is no text"),
    ],
)
def test_a_standard_column_of_another_type_is_damage(monkeypatch: pytest.MonkeyPatch, spec: str, told: str) -> None:
    monkeypatch.setitem(SCHEMA, "InstallExecuteSequence", spec)
    with pytest.raises(Damaged, match=told):
        read_package(Streams({"Property": PROPERTIES, "InstallExecuteSequence": [("1", 1, 1)]}).reader())


def test_a_merge_module_is_no_package() -> None:
    with pytest.raises(Damaged, match="merge module"):
        read_package(Streams({"File": [("f", "c")]}).reader())


@pytest.mark.parametrize(
    ("stream", "found"), [(summary((14, 500), (15, 10)), 10), (summary((14, 500)), None), (summary((15, -1)), 0xFFFF)]
)
def test_word_count_is_property_15_of_the_summary(stream: bytes, found: int | None) -> None:
    assert word_count(stream) == found


@pytest.mark.parametrize(
    ("stream", "told"),
    [
        (b"", "cut off"),
        (summary((15, 2))[:-1], "cut off"),
        (struct.pack("<44xI", 0x7FFF_FFFF), "cut off"),
        (struct.pack("<44xIII", 48, 0, 0x7FFF_FFFF), "claims 2147483647 entries"),
        (summary((15, 2)).replace(b"\x03\x00\x00\x00", b"\x1e\x00\x00\x00"), "no number"),
    ],
)
def test_a_broken_summary_is_told(stream: bytes, told: str) -> None:
    with pytest.raises(Damaged, match=told):
        word_count(stream)
