"""A package read at its source: a real file server of a real domain, real programs on this machine."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx2 as httpx
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from keyturn.adapters.authorities.active_directory.authority import open_authority
from keyturn.adapters.content.arriving import FolderArriving
from keyturn.adapters.content.blobs import FolderBlobs
from keyturn.adapters.content.folder import FolderSource
from keyturn.adapters.shares.smb_folder import SmbFolder
from keyturn.distribution.causes import Cause
from keyturn.model.errors import KeyturnError
from keyturn.model.software import PackageId
from keyturn.operations import accounts, software_packages
from keyturn.operations.content import read_source
from keyturn.operations.content_ports import ContentParts
from keyturn.operations.software_packages import NewPackage
from keyturn.server import access_point, content
from keyturn.server.serving import _refused
from keyturn.wire.agent import Headers, in_clear
from keyturn.wire.signing import Request
from tests.domain_software import (
    ADVANCED,
    LEGACY,
    SECRET,
    Scene,
    create,
    domain_with_shares,
    opened_on_the_share,
    scene,
)
from tests.inner_site import InnerSite
from tests.posix_runs import machine
from tests.samba import OURS, REALM, Samba
from tests.share_fleet import HOST

TAG = "source"
READS = f"kt-svc-{TAG}"
"""With which the site reads sources on shares."""
MORE = f'\n[[account]]\nname = "{READS}"\nrealm = "CORP"\nrole = "service"\nsites = ["PHX"]\n'


class Streaming:
    """A `Stream` from a site's own routes, without a socket."""

    def __init__(self, site: InnerSite) -> None:
        names = frozenset({HOST})
        routes = [*content.routes(site.parts, names), *access_point.routes(site.parts, names, site.clock)]
        app = Starlette(routes=routes, exception_handlers={KeyturnError: _refused})
        self._http = TestClient(app, base_url=f"https://{HOST}")

    def __call__(self, request: Request, headers: Headers) -> "_Flow":
        said = self._http.request(request.method, request.path, headers=in_clear(headers))
        return _Flow(said, said.status_code, {name.lower(): value for name, value in said.headers.items()})


@dataclass(frozen=True)
class _Flow:
    _said: httpx.Response
    status: int
    headers: dict[str, str]

    def pieces(self) -> Iterator[bytes]:
        yield self._said.content

    def close(self) -> None:
        pass


@pytest.fixture(scope="module")
def domain() -> Iterator[Samba]:
    with machine(), domain_with_shares() as domain:
        yield domain


@pytest.fixture(scope="module")
def site(domain: Samba, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("site")
    create(domain, open_authority(domain.realm(), lambda: OURS), TAG, "svc")
    with scene(domain, folder, TAG, "con", "naa", "ins", more=MORE) as site:
        inner = site.site
        blobs = FolderBlobs(folder / "content")
        kept = ContentParts(blobs, FolderArriving(folder / "content", blobs), FolderSource, SmbFolder)
        settings = replace(inner.parts.settings, package_sources=(site.share(),))
        inner.parts = replace(inner.parts, settings=settings, content=kept)
        accounts.adopt(inner.parts, READS, SECRET, by="olga")
        for agent in site.agents.values():
            assert agent.parts.software is not None
            streaming = replace(agent.parts.software, stream=lambda *_: Streaming(inner))
            agent.parts = replace(agent.parts, software=streaming)
        yield site


def add(site: Scene, name: str, text: str) -> PackageId:
    """Its source lies on the share, with a program that says who sees it."""
    folder = site.samba.directory / "fs1" / "share" / "tools" / name
    (folder / "deep").mkdir(parents=True)
    (folder / "install.sh").write_text(f'#!/bin/sh\nset -e\ncat deep/data >"$1"\n# {text}\n')
    (folder / "deep" / "data").write_text(text)
    site.samba.adlab("ex", "fs1", "sh", "-c", f"chgrp -R 'CORP\\sms-readers' /srv/tools/{name}")
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o750)
    source = rf"{site.share()}\{name}"
    package = software_packages.add(site.site.parts, NewPackage(name, source), by="olga").package_id
    assert read_source(site.site.parts, package, by="olga").manifest.size > 0
    return package


def test_each_kind_of_client_reads_it_as_it_reaches_any_share_that_is_no_point(
    domain: Samba, site: Scene, tmp_path: Path
) -> None:
    ours, theirs = add(site, "seven", "seven"), add(site, "eight", "eight")
    by_system = site.offer(ADVANCED, "as Local System", f"./install.sh {tmp_path}/by-system", ours)
    by_token = site.offer(LEGACY, "as the token account", f"./install.sh {tmp_path}/by-token", theirs)
    by_installer = site.offer(
        LEGACY, "as the installer", f"./install.sh {tmp_path}/by-installer", theirs, software_installation_account=True
    )
    for agent in site.agents.values():
        agent.meet()
        agent.run()
        agent.meet()

    network, installer, connection = (rf"{REALM}\{site.account(short)}" for short in ("naa", "ins", "con"))
    ran = site.standing(ADVANCED, by_system)
    assert (ran.state, ran.executed_as) == ("succeeded", "root"), ran.reason
    assert (tmp_path / "by-system").read_text() == "seven"
    ran = site.standing(LEGACY, by_installer)
    assert (ran.state, ran.executed_as) == ("succeeded", "root"), ran.reason
    assert (tmp_path / "by-installer").read_text() == "eight"
    failed = site.standing(LEGACY, by_token)
    if failed.state == "failed":  # before the other one brought the files: from then on nobody has to be presented
        assert (failed.cause, failed.message_id) == (Cause.NO_NETWORK_ACCOUNT, 10003)
    opened = set(opened_on_the_share(domain))
    assert {who for who, what in opened if what.startswith("seven/")} == {network, rf"{REALM}\{READS}"}
    assert {who for who, what in opened if what.startswith("eight/")} == {installer, rf"{REALM}\{READS}"}
    cas = {kind: "\n".join(line.text for line in agent.log("CAS")) for kind, agent in site.agents.items()}
    assert f"{site.share()} as {network} (try 1): accepted" in cas[ADVANCED]
    assert "/dp/v1 as the computer account (try 1): accepted" in cas[ADVANCED]
    assert f"as {connection} (try 1): accepted" in cas[LEGACY]
    assert [domain.bad_counts(site.account(short)) for short in ("con", "naa", "ins")] == [0, 0, 0]


def test_a_file_that_was_changed_at_the_source_is_told_and_not_run(site: Scene, tmp_path: Path) -> None:
    package = add(site, "nine", "nine")
    changed = site.samba.directory / "fs1" / "share" / "tools" / "nine" / "install.sh"
    changed.write_text("#!/bin/sh\ntouch evil\n")
    offered = site.offer(ADVANCED, "changed", f"./install.sh {tmp_path}/out", package)
    agent = site.agents[ADVANCED]
    agent.meet()
    agent.run()
    agent.meet()
    found = site.standing(ADVANCED, offered)
    assert (found.state, found.cause) == ("failed", Cause.SOURCE_CHANGED)
    assert "install.sh" in found.reason
    assert "keyturn package update" in found.remedy
