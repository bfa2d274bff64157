"""A large source that a real site reads: watched, left alone, and cut off by the end of the site's process."""

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from keyturn.cli.api import Api
from keyturn.cli.demo.stage import until
from keyturn.operations.content_ports import SETTLED_S
from keyturn.wiring import _door
from tests.content_site import ContentSite

MANY, FILES = "PHX00002", 20_000
"""Each is made durable, so that a reading of so many lasts some seconds on any disk."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ContentSite]:
    site = ContentSite(tmp_path_factory.mktemp("site"))
    site.source.mkdir()
    (site.source / "one").write_text("one")
    try:
        site.found()
        many = site.source / "many"
        many.mkdir()
        for number in range(FILES):
            (many / str(number)).write_text(str(number))
        newest = (many / str(FILES - 1)).stat().st_ctime
        until("the files have settled", lambda: time.time() > newest + SETTLED_S, 60)
        api(site).post("/packages", {"name": "Many", "source": str(many)})
        yield site
    finally:
        site.kill()


def api(site: ContentSite) -> Api:
    return Api(_door(site.root))


@contextmanager
def updating(site: ContentSite, *options: str, stderr: int = subprocess.PIPE) -> "Iterator[subprocess.Popen[str]]":
    command = [sys.executable, "-m", "keyturn", "--dir", str(site.root), "package", "update", MANY, *options]
    process = subprocess.Popen(command, stderr=stderr, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stderr:
            process.stderr.close()


@contextmanager
def half_way(site: ContentSite, stderr: int = subprocess.PIPE) -> "Iterator[subprocess.Popen[str]]":
    """Of every file, so that there is something to read in each test. Another reading may be under way from before."""
    earlier = reading(site).get("reading_id", "")

    def is_read() -> bool:
        now = reading(site)
        return now.get("reading_id", earlier) != earlier and now["files"] > 0

    with updating(site, "--all", stderr=stderr) as process:
        until("the source is being read", is_read, 120)
        yield process


def reading(site: ContentSite) -> dict[str, Any]:
    return api(site).get(f"/packages/{MANY}/reading") or {}


def goes_on(site: ContentSite, before: dict[str, Any]) -> None:
    """What was read before is not read again."""
    with updating(site) as process:

        def is_there() -> bool:
            now = reading(site)
            another = now.get("reading_id", before["reading_id"]) != before["reading_id"]
            return process.poll() == 0 or (another and now["unchanged"] >= before["files"])

        until("it goes on from there", is_there, 120)


def ended(process: "subprocess.Popen[str]") -> str:
    """What it had to say."""
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    return said


def test_whoever_stops_waiting_leaves_the_site_reading_and_the_next_one_takes_over(site: ContentSite) -> None:
    with half_way(site) as process:
        before = reading(site)
        process.send_signal(signal.SIGINT)
        assert f"the site reads on: keyturn package show {MANY}" in ended(process)
    assert "of 20,000 files" in site.keyturn("package", "show", MANY)
    goes_on(site, before)


def test_a_site_that_is_killed_goes_on_with_what_it_had_read(site: ContentSite) -> None:
    with half_way(site) as process:
        before = reading(site)
        site.kill()
        assert f"keyturn package update {MANY}" in ended(process)
    site.start()
    goes_on(site, before)


def test_a_site_that_is_stopped_does_not_wait_for_the_end_of_the_source(site: ContentSite) -> None:
    with half_way(site) as process:
        assert site._process is not None
        site._process.send_signal(signal.SIGTERM)
        assert f"the site is being stopped; what was read of {MANY} stays" in ended(process)
        site._process.wait(60)
    site.start()


def test_a_terminal_shows_how_far_it_is(site: ContentSite) -> None:
    ours, theirs = pty.openpty()
    with half_way(site, theirs) as process:
        os.close(theirs)
        shown = b""
        end = time.monotonic() + 120
        while b" files" not in shown or b"kB" not in shown:
            assert time.monotonic() < end, shown[-500:]
            shown += os.read(ours, 4096)
        process.send_signal(signal.SIGINT)
        process.wait(60)
    os.close(ours)
