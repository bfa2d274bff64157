"""Content between a real site and a real agent: killed on the way, and by way of an nginx."""

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from keyturn.agent.software.ports import ContentFailed
from tests import nginx
from tests.content_site import CLIENT, FRONT, OTHER, PACKAGE, ContentSite

SEED = 20031117
LARGE = 48 * 1024 * 1024
FILES = {"deep/large.bin": LARGE, "small.bin": 70_001, "empty": 0}
LONGEST_S = 60.0
HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "distribution-points.md"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ContentSite]:
    site = ContentSite(tmp_path_factory.mktemp("site"))
    (site.source / "deep").mkdir(parents=True)
    chance = random.Random(SEED)
    for path, size in FILES.items():
        (site.source / path).write_bytes(chance.randbytes(size))
    (site.source / "install.sh").write_text('#!/bin/sh\nsha256sum deep/large.bin > "$1"\n')
    (site.source / "install.sh").chmod(0o755)
    try:
        site.found()
        site.enrol()
        yield site
    finally:
        site.kill()


def killed_servers(site: ContentSite, cache: Path, kills: int) -> None:
    """Each in the middle of a file, at another offset; the agent goes on with what it has."""
    chance = random.Random(SEED)
    for _ in range(kills):
        offset = chance.randrange(1, LARGE)
        had = arrived(cache)

        def kill_there(wanted: int = max(had, offset)) -> bool:
            if arrived(cache) >= wanted:
                site.kill()
            return False

        with suppress(ContentFailed):
            site.fetch(cache, stop=kill_there)
        site.kill()
        site.start()


def test_content_is_bit_exact_after_servers_killed_on_the_way(site: ContentSite, tmp_path: Path) -> None:
    killed_servers(site, tmp_path, 3)
    assert same(site.fetch(tmp_path), site.source)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_content_is_bit_exact_after_forty_servers_killed_on_the_way(site: ContentSite, tmp_path: Path) -> None:
    for number in range(8):
        cache = tmp_path / str(number)
        killed_servers(site, cache, 5)
        assert same(site.fetch(cache), site.source)


def test_an_agent_killed_on_the_way_goes_on_and_runs_its_program_once(site: ContentSite, tmp_path: Path) -> None:
    killed_agents(site, tmp_path, 3)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_an_agent_killed_forty_times_goes_on_and_runs_its_program_once(site: ContentSite, tmp_path: Path) -> None:
    killed_agents(site, tmp_path, 40)


def killed_agents(site: ContentSite, folder: Path, kills: int) -> None:
    proof = folder / "proof"
    name = f"Prove-{kills}"
    site.keyturn("program", "add", PACKAGE, name, "--command-line", f"./install.sh {proof}")
    site.keyturn("collection", "add", name, "--client", CLIENT)
    site.keyturn("advertise", name, "--package", PACKAGE, "--to", name, "--mandatory", "as-soon-as-possible", "--yes")
    cache = site.agent() / "software" / "cache"
    chance = random.Random(SEED)
    for _ in range(kills):
        kill_agent_at(site, cache, chance.randrange(1, LARGE // 2))
    run_agent(site).wait(LONGEST_S)
    if not proof.exists():  # the last kill came late, and caught the program
        assert "was interrupted" in (site.agent() / "logs" / "execmgr.log").read_text()
        return
    assert proof.read_text().split()[0] == sha256_of(site)
    before = proof.stat().st_mtime_ns
    run_agent(site).wait(LONGEST_S)
    assert proof.stat().st_mtime_ns == before


def kill_agent_at(site: ContentSite, cache: Path, offset: int) -> None:
    """What it has is thrown away now and then, so that it is caught at any offset."""
    for part in cache.glob("*/parts/*"):
        if part.stat().st_size >= offset:
            part.unlink()
    for whole in cache.glob("*/files/deep/large.bin"):
        whole.unlink()
    agent = run_agent(site)
    until = time.monotonic() + LONGEST_S
    while arrived(cache) < offset:
        assert time.monotonic() < until, "the agent does not fetch"
        if agent.poll() is not None:  # a new advertisement reaches policies some moments after it is made
            agent = run_agent(site)
        time.sleep(0.0005)  # nothing tells how far it is but the part itself
    os.killpg(agent.pid, signal.SIGKILL)
    agent.wait()


def arrived(cache: Path) -> int:
    """Bytes of files that are on their way."""
    sizes = 0
    for part in cache.glob("*/parts/*"):
        with suppress(FileNotFoundError):  # it is whole now
            sizes += part.stat().st_size
    return sizes


def run_agent(site: ContentSite) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "keyturn", "agent", "run", "--once", "--dir", str(site.agent())]
    with (site.folder / "agent.log").open("ab") as out:
        return subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True)


def test_a_transfer_that_was_stopped_goes_on_by_way_of_an_nginx(site: ContentSite, tmp_path: Path) -> None:
    """As the how-to sets it up: nginx takes the connections, the site says who may have what, nginx sends it."""
    settings = site.root / "keyturn.toml"
    usual = settings.read_text()
    settings.write_text(f'{usual}\n[content]\nnginx_prefix = "/keyturn-content"\n')
    site.kill()
    site.start()
    inner = HOW_TO.read_text().split("```nginx\n")[1].split("```")[0]
    for placeholder, real in {
        "192.0.2.10:8443": f"{FRONT}:{site.port}",
        "127.0.0.1:8443": f"127.0.0.1:{site.port}",
        "/srv/keyturn": str(site.root),
    }.items():
        inner = inner.replace(placeholder, real)
    pieces = iter([False] * 10)
    try:
        with nginx.serving(tmp_path / "nginx", inner):
            site.enrol(OTHER, site.front_url)
            with pytest.raises(ContentFailed, match="stopped"):
                site.fetch(tmp_path / "cache", OTHER, stop=lambda: next(pieces, True))
            [part] = (tmp_path / "cache").glob("*/parts/*")
            assert 0 < part.stat().st_size < LARGE
            assert same(site.fetch(tmp_path / "cache", OTHER), site.source)
            validator = validators(site)
            assert validator == {206: f'"{sha256_of(site)}"', 200: f'"{sha256_of(site)}"'}
    finally:
        settings.write_text(usual)
        site.kill()
        site.start()


def validators(site: ContentSite) -> dict[int, str]:
    """The ETag, by the status: a range of this content comes, and of another one the whole does."""
    found = {}
    for if_range in (f'"{sha256_of(site)}"', '"another"'):
        headers = {"range": "bytes=0-9", "if-range": if_range}
        flow = site.channel(OTHER).open("/dp/v1/PHX00001.1/files/deep/large.bin", headers)
        found[flow.status] = flow.headers["etag"]
        flow.close()
    return found


def sha256_of(site: ContentSite) -> str:
    return hashlib.sha256((site.source / "deep" / "large.bin").read_bytes()).hexdigest()


def same(folder: Path, source: Path) -> bool:
    return contents(folder) == contents(source)


def contents(folder: Path) -> dict[str, tuple[bytes, bool]]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {p.relative_to(folder).as_posix(): (p.read_bytes(), os.access(p, os.X_OK)) for p in files}
