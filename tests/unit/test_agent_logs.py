"""The client's own logs are as SMS 2003 clients write them, whatever is said in them."""

import re
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyturn.agent.software.logs import ERROR, INFO, VERBOSE, WARNING, Logs, record
from keyturn.model.software import LogSettings

RECORD = re.compile(
    r'<!\[LOG\[(?P<text>(?:(?!\]LOG\]!>).)*)\]LOG\]!><time="(?P<time>\d\d:\d\d:\d\d\.\d{3})(?P<bias>[+-]\d{3})"'
    r' date="(?P<date>\d\d-\d\d-\d{4})" component="(?P<component>[^"]*)" context="(?P<context>[^"]*)"'
    r' type="(?P<type>[123])" thread="(?P<thread>\d+)" file="(?P<file>[^"]+:\d+)">',
    re.S,
)
MOMENT = datetime(2026, 11, 21, 9, 4, 5, 678_900, UTC)


def in_utc(found: re.Match[str]) -> datetime:
    local = datetime.strptime(f"{found['date']} {found['time']}", "%m-%d-%Y %H:%M:%S.%f")
    return local.replace(tzinfo=UTC) + timedelta(minutes=int(found["bias"]))


@pytest.mark.parametrize(
    ("hours", "bias"), [(0, "+000"), (1, "-060"), (-8, "+480"), (5.5, "-330"), (14, "-840"), (-3.5, "+210")]
)
def test_utc_is_the_local_time_plus_the_bias(hours, bias):
    local = MOMENT.astimezone(timezone(timedelta(hours=hours)))
    found = RECORD.fullmatch(record("execmgr", "hello", INFO, local, 4711, "running.py:83"))
    assert found
    assert found["bias"] == bias
    assert in_utc(found) == MOMENT.replace(microsecond=678_000)
    assert (found["component"], found["thread"], found["file"]) == ("execmgr", "4711", "running.py:83")


@pytest.mark.parametrize(("level", "kind"), [(VERBOSE, "1"), (INFO, "1"), (WARNING, "2"), (ERROR, "3")])
def test_what_is_a_warning_or_an_error_says_so(level, kind):
    found = RECORD.fullmatch(record("execmgr", "hello", level, MOMENT, 1, "x.py:1"))
    assert found
    assert found["type"] == kind


HOSTILE = [
    ']LOG]!><time="00:00:00.000+000" date="01-01-1970" component="x" context="" type="1" thread="1" file="x:1">',
    "<![LOG[an inner one]LOG]!>",
    "]LOG]]LOG]!>!>",
    "<![LO<![LOG[G[",
    'quotes " and \\ and <time="',
    "several\nlines\n",
    "a null \x00, an escape \x1b[31m, a bell \x07",
    "\u202ereversed",
    "",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_neither_ends_its_record_nor_begins_another(text):
    line = record("execmgr", text, INFO, MOMENT, 1, "x.py:1")
    assert RECORD.fullmatch(line)
    assert line.count("<![LOG[") == 1
    assert line.count("]LOG]!>") == 1
    assert "\x1b" not in line
    assert "\x00" not in line


@given(st.lists(st.text(alphabet=st.sampled_from('<![LOG]!>\n\x00ab"=')), max_size=5))
def test_a_log_is_split_into_what_was_written(texts):
    log = "\n".join(record("execmgr", text, INFO, MOMENT, 1, "x.py:1") for text in texts)
    assert len(RECORD.findall(log)) == len(texts)
    assert RECORD.sub("", log).strip("\n") == ""


def logs(folder: Path) -> Logs:
    return Logs(folder, lambda: MOMENT.timestamp(), UTC)


def records(file: Path) -> list[re.Match[str]]:
    return list(RECORD.finditer(file.read_text()))


def test_each_component_has_its_log_and_each_line_its_place(tmp_path):
    written = logs(tmp_path)
    written.write("execmgr", "one")
    written.writer("CAS")("two", WARNING)
    [one], [two] = records(tmp_path / "execmgr.log"), records(tmp_path / "CAS.log")
    assert (one["text"], one["component"]) == ("one", "execmgr")
    assert one["file"].startswith("test_agent_logs.py:")
    assert two["file"].startswith("test_agent_logs.py:")


@pytest.mark.parametrize(("level", "kept"), [(0, "dive"), (1, "ive"), (2, "ve"), (3, "e"), (99, "e"), (-1, "dive")])
def test_the_level_is_a_setting_of_the_site(tmp_path, level, kept):
    written = logs(tmp_path)
    written.configure(LogSettings(level=level))
    for text, of in (("d", VERBOSE), ("i", INFO), ("v", WARNING), ("e", ERROR)):
        written.write("execmgr", text, of)
    assert "".join(found["text"] for found in records(tmp_path / "execmgr.log")) == kept


@pytest.mark.parametrize(("history", "files"), [(0, 2), (1, 2), (3, 4)])
def test_a_full_log_is_put_aside_and_so_many_older_ones_are_kept(tmp_path, history, files):
    written = logs(tmp_path)
    written.configure(LogSettings(max_bytes=10_000, history=history))
    for number in range(500):
        written.write("execmgr", f"line {number}")
    found = {path.name for path in tmp_path.iterdir()}
    assert {"execmgr.lo_", "execmgr.log"} <= found
    assert len(found) == files
    assert all(path.stat().st_size <= 10_000 for path in tmp_path.iterdir())
    assert records(tmp_path / "execmgr.log")[-1]["text"] == "line 499"
    every = [record for path in tmp_path.iterdir() for record in records(path)]
    assert "\n".join(path.read_text() for path in tmp_path.iterdir()).count("<![LOG[") == len(every), "none is cut"


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path, capfd):
    written = logs(tmp_path / "nowhere")
    written.write("execmgr", "one")
    assert capfd.readouterr().err == ""


def test_many_threads_write_whole_records(tmp_path):
    written = logs(tmp_path)
    threads = [
        threading.Thread(target=lambda: [written.write("execmgr", "x" * 200) for _ in range(50)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(records(tmp_path / "execmgr.log")) == 200
