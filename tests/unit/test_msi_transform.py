"""Transforms: what they change in the Property table, before a package is judged."""

import struct
from collections.abc import Sequence
from pathlib import Path

import pytest

from keyturn.adapters.msi_files import open_package
from keyturn.distribution.msi.context import Context
from keyturn.distribution.msi.damage import Damaged
from keyturn.distribution.msi.package import Package
from keyturn.distribution.msi.stream_names import stored_name
from keyturn.distribution.msi.transform import read_transform
from keyturn.distribution.msi.verdict import Verdict, verdict_for
from tests.msi_streams import Streams
from tests.ole_container import MST, write_container

INSERT, UPDATE, DELETE = 0x0201, 0x0002, 0x0000


def transform(*changes: tuple[int, str, str], wide: bool = False, others: Sequence[str] = ()) -> dict[str, bytes]:
    """Streams of a transform with rows of Property: the mask, the key, the value (none for a deletion)."""
    texts = [text for _, *row in changes for text in row]
    made = Streams({"Property": [(text, None) for text in texts]}, wide=wide).made()
    width = 3 if wide else 2
    numbers = {text: texts.index(text) + 1 for text in texts}
    rows = b""
    for mask, name, value in changes:
        cells = (name,) if mask == DELETE else (name, value)
        rows += struct.pack("<H", mask) + b"".join(numbers[cell].to_bytes(width, "little") for cell in cells)
    strings = {stored_name(table): made[stored_name(table)] for table in ("_StringPool", "_StringData")}
    return {**strings, stored_name("Property"): rows, **{stored_name(table): b"\1\2" for table in others}}


@pytest.mark.parametrize("wide", [False, True])
def test_rows_are_put_in_changed_and_taken_out(wide: bool) -> None:
    made = transform((INSERT, "NEW", "n"), (UPDATE, "ALLUSERS", "1"), (DELETE, "GONE", "?"), wide=wide)
    package = Package({"ALLUSERS": "2", "GONE": "x", "KEPT": "k"}, 2).with_transform(read_transform(made.get))
    assert package.properties == {"ALLUSERS": "1", "NEW": "n", "KEPT": "k"}


def test_a_command_line_goes_before_a_transform_and_a_transform_before_the_package() -> None:
    changed = Package({"ALLUSERS": "1"}, 2).with_transform(read_transform(transform((UPDATE, "ALLUSERS", "2")).get))
    assert verdict_for(changed, Context.LOCAL_SYSTEM, {}).settings.allusers == "2"
    assert verdict_for(changed, Context.LOCAL_SYSTEM, {"ALLUSERS": ""}).settings.allusers == ""


def test_other_tables_that_a_transform_changes_are_named_as_not_looked_into() -> None:
    made = read_transform(transform((UPDATE, "ALLUSERS", "1"), others=["CustomAction"]).get)
    found = verdict_for(Package({}, 2).with_transform(made), Context.LOCAL_SYSTEM, {})
    assert [(f.rule, f.table) for f in found.findings] == [("not-looked-into", "CustomAction")]


@pytest.mark.parametrize(
    ("rows", "told"), [(b"\x01\x02\x01\x00\x02", "cut off"), (b"\x01\x02\xff\x00\x02\x00", "does not exist")]
)
def test_rows_that_are_damaged_are_told(rows: bytes, told: str) -> None:
    made = {**transform((INSERT, "A", "b")), stored_name("Property"): rows}
    with pytest.raises(Damaged, match=told):
        read_transform(made.get)


def test_transforms_of_files_are_applied_in_their_order(tmp_path: Path) -> None:
    package = write_container(tmp_path / "x.msi", Streams({"Property": [("ProductName", "X")]}).made())
    first = write_container(tmp_path / "1.mst", transform((INSERT, "ALLUSERS", "2")), MST)
    second = write_container(tmp_path / "2.mst", transform((INSERT, "ALLUSERS", "1")), MST)
    judged = [
        verdict_for(open_package(package, order), Context.LOCAL_SYSTEM, {})
        for order in ((first, second), (second, first))
    ]
    assert [found.settings.allusers for found in judged] == ["1", "2"]
    assert {found.verdict for found in judged} == {Verdict.ALLOW}
