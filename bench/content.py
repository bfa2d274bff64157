"""Content of a package over HTTPS, from the site's own distribution point and from nginx with the same certificate.

    python -m bench.content [--mb N] [--rounds R]

Both answer the same agent code: TLS 1.3, every request signed. Once as an agent fetches a package (streamed, hashed,
written to the cache, verified against the signed manifest), and once the bare stream, thrown away as it comes, which
shows the servers and not the client. nginx checks nobody; Keyturn checks the signature, keeps its number, and looks up
who may read. Files are in memory (/dev/shm). SMB is measured by `bench.shares`. Needs nginx.
"""

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from keyturn.cli.demo.stage import free_port
from keyturn.wire.content import file_path
from tests.content_site import ContentSite
from tests.nginx import serving

MB = 1_000_000
FOLDER = "PHX00001.1"
LARGE = "large.bin"

_SERVER = """\
  sendfile on;
  ssl_protocols TLSv1.3;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {site}/server.pem;
    ssl_certificate_key {site}/server.key;
    root {folder};
  }}
"""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--mb", type=int, default=500, help="how large the package is")
    options.add_argument("--rounds", type=int, default=3, help="the best one counts")
    given = options.parse_args()
    with tempfile.TemporaryDirectory(dir="/dev/shm") as name:
        site = ContentSite(Path(name))
        site.source.mkdir()
        (site.source / LARGE).write_bytes(os.urandom(given.mb * MB))
        port = free_port()
        try:
            site.found()
            site.enrol()
            publish(site)
            inner = _SERVER.format(port=port, site=site.root, folder=site.folder / "www")
            with serving(site.folder / "nginx", inner):
                other = f"https://127.0.0.1:{port}"
                for what, way in (("as an agent fetches it", fetched), ("the bare stream", streamed)):
                    ours, nginx = (best(way, site, server, given.rounds) for server in ("", other))
                    print_figures(what, given.mb, ours, nginx)
        finally:
            site.kill()


def publish(site: ContentSite) -> None:
    """For nginx: as the site's own point has it."""
    root = site.folder / "www" / "dp" / "v1" / FOLDER
    (root / "files").mkdir(parents=True)
    (root / "files" / LARGE).hardlink_to(site.source / LARGE)
    (root / "manifest.json").write_bytes(b"".join(pieces(site, "", f"{FOLDER}/manifest.json")))


def best(way: Callable[[ContentSite, str], float], site: ContentSite, server: str, rounds: int) -> float:
    return min(way(site, server) for _ in range(rounds))


def fetched(site: ContentSite, server: str) -> float:
    cache = site.folder / "cache"
    begin = time.perf_counter()
    site.fetch(cache, server=server)
    took = time.perf_counter() - begin
    shutil.rmtree(cache)
    return took


def streamed(site: ContentSite, server: str) -> float:
    begin = time.perf_counter()
    for _ in pieces(site, server, f"{FOLDER}/files/{LARGE}"):
        pass
    return time.perf_counter() - begin


def pieces(site: ContentSite, server: str, path: str) -> Iterator[bytes]:
    return site.channel(server=server).open(file_path("/dp/v1", path), {}).pieces()


def print_figures(what: str, mb: int, ours_s: float, nginx_s: float) -> None:
    print(f"{what:24} ours {mb / ours_s:6.0f} MB/s  nginx {mb / nginx_s:6.0f} MB/s  ratio {nginx_s / ours_s:5.2f}")


if __name__ == "__main__":
    main()
