"""Whatever a file holds, it is a package or it is refused in one line."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyturn.adapters.msi_files import open_package
from keyturn.distribution.msi.command_line import add_properties, read_command_line
from keyturn.distribution.msi.conditions import holds
from keyturn.distribution.msi.context import Context
from keyturn.distribution.msi.damage import Damaged
from keyturn.distribution.msi.package import Package, read_package
from keyturn.distribution.msi.stream_names import SUMMARY
from keyturn.distribution.msi.verdict import verdict_for
from keyturn.model.errors import Refused
from tests.msi_streams import Streams
from tests.ole_container import write_container

STREAMS = Streams({
    "Property": [("ALLUSERS", "2"), ("MSIINSTALLPERUSER", "1"), ("Long", "x" * 5000)],
    "CustomAction": [("Set", 51, "ALLUSERS", "1"), ("Do", 3073, "dll", "f")],
    "InstallExecuteSequence": [("Set", "NOT ALLUSERS", 10), ("Do", None, 20)],
    "ServiceInstall": [("s", "svc", 16)],
    "Registry": [("r", 1, "K"), ("q", -1, "K")],
    "Directory": [("TARGETDIR", None), ("LocalAppDataFolder", "TARGETDIR")],
    "Component": [("C", "LocalAppDataFolder")],
    "File": [("F", "C")],
    "LaunchCondition": [("NOT ALLUSERS", "no")],
    "ControlEvent": [("Dlg", "Next", "[ALLUSERS]", "2", "1")],
}).made()  # fmt: skip


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_container(tmp_path_factory.mktemp("msi") / "x.msi", STREAMS)


@pytest.fixture(scope="module")
def whole(file: Path) -> bytes:
    return file.read_bytes()


NUMBERS = st.sampled_from([0, 1, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFD, 0xFFFF_FFFE, 0xFFFF_FFFF]) | st.integers(
    0, 2**32 - 1
)
CHANGES = st.lists(
    st.tuples(st.integers(0, 2**20), NUMBERS | st.integers(0, 64), st.sampled_from([1, 2, 4])), min_size=1, max_size=6
)
"""Where, modulo the size, what stands there then, and in how many bytes."""


def changed(content: bytes, changes: list[tuple[int, int, int]], within: int) -> bytes:
    found = bytearray(content)
    for at, number, width in changes:
        place = at % within
        found[place : place + width] = number.to_bytes(4, "little")[: min(width, len(found) - place)]
    return bytes(found)


@given(CHANGES, st.sampled_from(["anywhere", "header", "behind the header"]), st.integers(0, 2**20))
def test_a_file_with_bits_turned_over_is_read_or_refused(
    file: Path, whole: bytes, changes: list[tuple[int, int, int]], where: str, cut: int
) -> None:
    content = changed(whole, changes, 512 if where == "header" else len(whole))
    if where == "behind the header":
        content = whole[:512] + content[512:]
    if cut % 3 == 0:
        content = content[: cut % len(content)]
    other = file.with_name("changed.msi")
    other.write_bytes(content)
    with suppress(Refused):
        judge(open_package(other))


@given(st.data())
def test_streams_of_anything_are_read_or_damaged(data: st.DataObject) -> None:
    streams = dict(STREAMS)
    for name in data.draw(st.lists(st.sampled_from(sorted(streams)), min_size=1, max_size=4)):
        stream = streams[name]
        if stream and data.draw(st.booleans()):
            streams[name] = changed(stream, data.draw(CHANGES), len(stream))
        else:
            streams[name] = data.draw(st.binary(max_size=64))
    with suppress(Damaged):
        judge(read_package(streams.get))


@given(st.binary(max_size=200))
def test_a_summary_of_anything_is_read_or_damaged(summary: bytes) -> None:
    with suppress(Damaged):
        judge(read_package({**STREAMS, SUMMARY: summary}.get))


def judge(package: Package) -> None:
    for context in Context:
        found = verdict_for(package, context, {})
        assert found.summary()["verdict"]


WORDS = st.sampled_from(["NOT", "AND", "OR", "ALLUSERS", "=", "<>", "1", '""', "(", ")", "Installed", "X", " "])


@given(st.lists(WORDS), st.sampled_from(["", "1", "2"]))
def test_a_condition_of_anything_has_an_answer(words: list[str], allusers: str) -> None:
    assert holds(" ".join(words), {"ALLUSERS": allusers, "Installed": ""}) in {True, False, None}


VALUES = st.text(st.characters(blacklist_categories=["Cc", "Cs"]), max_size=20)


@given(st.dictionaries(st.from_regex(r"[A-Z_][A-Z0-9_]{0,8}", fullmatch=True), VALUES, max_size=4))
def test_properties_that_are_put_into_a_command_line_are_read_from_it_again(properties: dict[str, str]) -> None:
    text = add_properties('msiexec /i "a b.msi" OTHER="1 2"', properties)
    call = read_command_line(text)
    assert call is not None
    assert call.package == "a b.msi"
    assert call.properties == {"OTHER": "1 2", **properties}
