"""The sender beside a plain copy of the same files, and the ways through a large tree of sites.

    python -m bench.hierarchy [--files N] [--kib K] [--sites S] [--clients C]

Sender: one site delivers files to another over HTTPS on this machine; each is sealed, signed, and durable in the other
site's store before it is acknowledged. Copy: the same bytes written to as many files, each synced to disk. Routing: the
next hop from the topmost site and from the last one to every other; and plans with their forecasts for an account that
all site servers hold, and for one that all clients do.
"""

import argparse
import datetime
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from keyturn.adapters.links.https import HttpsLine
from keyturn.adapters.site_files.certificates import issue, make_authority
from keyturn.agent.transport import PinnedHttps, fetch_authority
from keyturn.cli.demo.stage import free_port
from keyturn.lifecycle.planning import Patience, plan_rotation
from keyturn.model.accounts import Account, RealmName, RoleName
from keyturn.model.estate import (
    ClientGroup,
    Estate,
    Holder,
    HolderKind,
    ManagedAccount,
    Realm,
    Site,
    SiteCode,
    SiteKind,
)
from keyturn.model.policy import RealmPolicy
from keyturn.operations import bundles, hierarchy
from keyturn.operations.hierarchy_ports import Joined, Joining, NoLine
from keyturn.operations.neighbours import own_server
from keyturn.operations.parts import Parts
from keyturn.operations.sending import Sender
from keyturn.server import receive
from keyturn.site.bundles import Kind
from keyturn.site.cards import Address
from keyturn.site.hierarchy import Place, Tree
from tests.hierarchy import child, estate
from tests.inner_site import InnerSite, site_in


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--files", type=int, default=200)
    options.add_argument("--kib", type=int, default=1024)
    options.add_argument("--sites", type=int, default=1000)
    options.add_argument("--clients", type=int, default=1_000_000)
    chosen = options.parse_args()
    payload = os.urandom(chosen.kib * 1024)
    with tempfile.TemporaryDirectory() as name:
        copied_s = _copy(Path(name), payload, chosen.files)
        queued_s, sent_s = _send(Path(name), payload, chosen.files)
    megabytes = chosen.files * chosen.kib / 1024
    print(f"{chosen.files} files of {chosen.kib} KiB")
    print(f"copied and synced   {megabytes / copied_s:8.1f} MB/s")
    print(f"sealed and queued   {megabytes / queued_s:8.1f} MB/s   {copied_s / queued_s:.2f} of the copy")
    print(f"sent                {megabytes / sent_s:8.1f} MB/s   {copied_s / sent_s:.2f} of the copy")
    _route(chosen.sites)
    _plan(chosen.sites, chosen.clients)


def _copy(folder: Path, payload: bytes, files: int) -> float:
    began = time.perf_counter()
    for number in range(files):
        with (folder / f"copy-{number}").open("wb") as file:
            file.write(payload)
            file.flush()
            os.fsync(file.fileno())
    return time.perf_counter() - began


def _send(folder: Path, payload: bytes, files: int) -> tuple[float, float]:
    """Seconds to queue them, and to deliver them."""
    below = child("EUR", parent="CEN", realm="CORP")
    center = _site(folder, "CEN", estate("CEN", realm="CORP", kind="central", sites=below))
    eur = _site(folder, "EUR", estate("EUR", realm="EURO"))
    with _served(folder, center) as address:
        center.parts = replace(center.parts, address=address)
        eur.parts = replace(eur.parts, line=_Beside(center.parts))
        hierarchy.join(eur.parts, address.url, "", hierarchy.invite(center.parts, "EUR", by="bench"), by="bench")
        eur.parts = replace(eur.parts, line=_line(eur))
        Sender(eur.parts, lambda: 0.5).turn()
        began = time.perf_counter()
        for _ in range(files):
            bundles.post(eur.parts, "CEN", Kind.PACKAGE, payload)
        queued = time.perf_counter()
        sent = Sender(eur.parts, lambda: 0.5).turn()
        ended = time.perf_counter()
    assert sent == files, f"{sent} of {files} were delivered"
    assert center.store.openable(), "nothing arrived"
    eur.close()
    center.close()
    return queued - began, ended - queued


class _Beside(NoLine):
    """The parent is in this process, so joining needs no line."""

    def __init__(self, parent: Parts) -> None:
        self._parent = parent

    def join(self, _url: str, _fingerprint: str, joining: Joining) -> Joined:
        return hierarchy.accept(self._parent, joining)


def _site(folder: Path, code: str, text: str) -> InnerSite:
    place = folder / code
    place.mkdir()

    def alone(parts: Parts) -> Parts:
        settings = replace(parts.settings, site=code)
        return replace(parts, settings=settings, now=time.time, address=Address("https://x:1", "none"))

    return site_in(place, text, wrap=alone)


def _line(site: InnerSite) -> HttpsLine:
    code = site.parts.settings.site
    return HttpsLine(lambda: own_server(site.store, code), site.store.site_keys, PinnedHttps, fetch_authority)


@contextmanager
def _served(folder: Path, site: InnerSite) -> Iterator[Address]:
    now, port = datetime.datetime.now(datetime.UTC), free_port()
    authority = make_authority("CEN", now)
    server = issue(authority, ("localhost",), now)
    (folder / "server.pem").write_bytes(server.certificate_pem)
    (folder / "server.key").write_bytes(server.key_pem)
    app = Starlette(routes=receive.routes(site.parts, frozenset({f"localhost:{port}"})))
    config = uvicorn.Config(
        app,
        host="localhost",
        port=port,
        ssl_certfile=folder / "server.pem",
        ssl_keyfile=str(folder / "server.key"),
        log_config=None,
        access_log=False,
        lifespan="off",
    )
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    while not running.started:
        time.sleep(0.01)
    try:
        yield Address(f"https://localhost:{port}", authority.certificate_pem.decode())
    finally:
        running.should_exit = True
        thread.join(10)


def _route(sites: int) -> None:
    """Each site has ten below it."""
    began = time.perf_counter()
    codes = [SiteCode(f"{number:04d}") for number in range(sites)]
    tree = Tree([Place(code, SiteKind.PRIMARY, codes[(n - 1) // 10] if n else None) for n, code in enumerate(codes)])
    for code in codes[1:-1]:
        tree.next_hop(codes[0], code)
        tree.next_hop(codes[-1], code)
    print(f"routing             {sites} sites, {2 * sites} ways: {time.perf_counter() - began:.3f} s")


def _plan(sites: int, clients: int) -> None:
    realm, codes = RealmName("CORP"), [SiteCode(f"{number:04d}") for number in range(sites)]
    each = max(1, clients // sites)
    held_by_servers, held_by_clients = (
        ManagedAccount(Account(realm, identity, name), RoleName(f"sms2003/{role}"), tuple(codes), generation=1)
        for identity, name, role in (
            ("S-1-1", "KtService", "service"),
            ("S-1-2", "KtClient", "client-connection-additional"),
        )
    )
    estate = Estate(
        realms=(Realm(realm, policy=RealmPolicy(lockout_threshold=5)),),
        sites=tuple(
            Site(code, realm, f"SRV-{code}", parent=codes[(n - 1) // 10] if n else None) for n, code in enumerate(codes)
        ),
        groups=tuple(
            ClientGroup(f"PC-{code}", each, Holder(f"PC-{code}", HolderKind.LEGACY_CLIENT, code, gated=False))
            for code in codes
        ),
        accounts=(held_by_servers, held_by_clients),
    )
    for managed, holders in ((held_by_servers, f"{sites} servers"), (held_by_clients, f"{each * sites} clients")):
        began = time.perf_counter()
        plan_rotation(estate, managed.account, patience=Patience())
        print(f"plan and forecast   {sites} sites, held by {holders}: {time.perf_counter() - began:.2f} s")


if __name__ == "__main__":
    main()
