"""The second seed's contrast, side by side on a real domain.

One package, brought to a real distribution point, fetches a file from a share that is none while it runs.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from keyturn.adapters.content.arriving import FolderArriving
from keyturn.adapters.content.blobs import FolderBlobs
from keyturn.adapters.content.folder import FolderSource
from keyturn.adapters.runners.posix.accounts import stand_in_name
from keyturn.adapters.shares.smb_folder import SmbFolder
from keyturn.distribution.causes import EXPLANATIONS, Cause
from keyturn.lifecycle.catalogue.products import role_names
from keyturn.model.software import AdvertisementId, ClientKind, PackageId
from keyturn.operations import accounts, software_packages
from keyturn.operations.content import read_source
from keyturn.operations.content_ports import ContentParts, ContentState
from keyturn.operations.distributing import distribute
from keyturn.operations.estates import import_estate
from keyturn.operations.software_packages import NewPackage
from keyturn.wire.estate_file.reading import read_estate
from tests.domain_software import (
    ADVANCED,
    FILE,
    LEGACY,
    LOGS,
    SECRET,
    TEXT,
    Scene,
    create,
    domain_with_shares,
    estate_of,
    opened_on_the_share,
    scene,
)
from tests.posix_runs import TOKEN, left_of, machine
from tests.samba import ADMINISTRATOR, REALM, Samba

INSTALL = '#!/bin/sh\nset -e\nid -un\ncp "$1" "$2"\n'
OF_THE_PACKAGE = "from the package\n"
POINT = r"""
[[site_system]]
name = "FS1"
site = "PHX"
roles = ["distribution-point"]
share = '{share}'

[[account]]
name = "Administrator"
realm = "CORP"
role = "service"
sites = ["PHX"]
"""
TAG = "seed"
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", autouse=True)
def here() -> Iterator[None]:
    with machine():
        yield


@pytest.fixture(scope="module")
def domain(here: None) -> Iterator[Samba]:
    with domain_with_shares() as domain:
        yield domain


@pytest.fixture
def site(domain: Samba, tmp_path: Path) -> Iterator[Scene]:
    """Without an account that would reach other shares than distribution points."""
    with scene(domain, tmp_path, TAG, "con", "srv", more=point(domain)) as site:
        yield site


def test_who_executes_and_who_reaches_the_share(domain: Samba, site: Scene, tmp_path: Path) -> None:
    package, share = bring(site, tmp_path), site.share()
    line = rf'./install.sh "{share}\{FILE}" {tmp_path}'
    by_system = site.offer(ADVANCED, "as Local System", f"{line}/by-system", package)
    by_token = site.offer(LEGACY, "as the token account", f"{line}/by-token", package)
    by_installer = site.offer(
        LEGACY, "as the installer", f"{line}/by-installer", package, software_installation_account=True
    )
    at_home = site.offer(LEGACY, "of its own", f"./install.sh data.txt {tmp_path}/at-home", package)
    everything(site)

    for kind, offered, cause in (
        (ADVANCED, by_system, Cause.NO_NETWORK_ACCOUNT),
        (LEGACY, by_token, Cause.NO_NETWORK_ACCOUNT),
        (LEGACY, by_installer, Cause.NO_INSTALLATION_ACCOUNT),
    ):
        standing = site.standing(kind, offered)
        assert (standing.state, standing.cause, standing.message_id) == ("failed", cause, 10003)
        assert [text for text in errors(site, kind, offered) if EXPLANATIONS[cause].text in text]
    assert share in errors(site, ADVANCED, by_system)[-1]
    assert "access denied" in errors(site, ADVANCED, by_system)[-1]
    assert not list(tmp_path.glob("by-*"))
    assert opened_on_the_share(domain) == []
    ran = site.standing(LEGACY, at_home)
    assert (ran.state, ran.executed_as, ran.login) == ("succeeded", "root", TOKEN)
    assert (tmp_path / "at-home").read_text() == OF_THE_PACKAGE

    give_accounts(domain, site)
    site.site.clock.turn(3600)
    everything(site)
    everything(site)

    connection, network, installer = (rf"{REALM}\{site.account(short)}" for short in ("con", "naa", "ins"))
    ran = site.standing(ADVANCED, by_system)
    assert (ran.state, ran.executed_as, ran.login) == ("succeeded", "root", "")
    assert presented(site, ADVANCED, by_system) == [(share, network, "accepted")]
    ran = site.standing(LEGACY, by_installer)
    assert (ran.state, ran.executed_as, ran.login) == ("succeeded", "root", stand_in_name(installer))
    assert presented(site, LEGACY, by_installer) == [(share, installer, "accepted")]
    assert site.standing(LEGACY, by_token).cause == Cause.NO_NETWORK_ACCOUNT
    for installed in ("by-system", "by-installer"):
        file = tmp_path / installed
        assert (file.read_text(), file.stat().st_uid) == (TEXT, 0)
    assert [who for who, what in opened_on_the_share(domain) if what == FILE] == [network, installer]
    assert [text for text in content(site, ADVANCED) if f"dp as {network} (try 2): accepted" in text]
    assert [text for text in content(site, LEGACY) if f"dp as {connection} (try 1): accepted" in text]
    assert [domain.bad_counts(site.account(short)) for short in ("con", "naa", "ins")] == [0, 0, 0]
    for agent in site.agents.values():
        assert left_of(agent.folder / "software" / "runs") == []


def point(domain: Samba) -> str:
    return POINT.format(share=domain.share.replace(r"\cap", r"\dp"))


def bring(site: Scene, folder: Path) -> PackageId:
    """A package with files of its own, to the distribution point."""
    source = folder / "source"
    source.mkdir()
    (source / "install.sh").write_text(INSTALL)
    (source / "install.sh").chmod(0o755)
    (source / "data.txt").write_text(OF_THE_PACKAGE)
    inner = site.site
    blobs = FolderBlobs(folder / "content")
    content = ContentParts(blobs, FolderArriving(folder / "content", blobs), FolderSource, SmbFolder)
    settings = replace(inner.parts.settings, package_sources=(str(source),))
    inner.parts = replace(inner.parts, settings=settings, content=content)
    accounts.adopt(inner.parts, ADMINISTRATOR.name, ADMINISTRATOR.secret, by="olga")
    package = software_packages.add(inner.parts, NewPackage("Fetches", str(source)), by="olga").package_id
    read_source(inner.parts, package, by="olga")
    inner.store.assign_points(package, ("FS1",))
    distribute(inner.parts)
    [record] = inner.store.contents(package)
    assert record.state is ContentState.THERE, record.reason
    return package


def give_accounts(domain: Samba, site: Scene) -> None:
    """As an administrator does, in the domain and at the site."""
    inner = site.site
    create(domain, inner.parts.authorities(REALM), TAG, "naa", "ins")
    text = estate_of(TAG, "con", "srv", "naa", "ins") + point(domain)
    import_estate(inner.parts, text, read_estate(text, roles=role_names()), by="olga")
    for short in ("naa", "ins"):
        accounts.adopt(inner.parts, site.account(short), SECRET, by="olga")


def everything(site: Scene) -> None:
    for agent in site.agents.values():
        agent.meet()
        agent.run()
        agent.meet()


def errors(site: Scene, kind: ClientKind, offered: AdvertisementId) -> list[str]:
    return [line.text for line in site.agents[kind].log(LOGS[kind]) if line.type == 3 and offered in line.text]


def content(site: Scene, kind: ClientKind) -> list[str]:
    """How it came here: the computer account comes before the network access account, and this machine has none."""
    return [line.text for line in site.agents[kind].log("CAS")]


def presented(site: Scene, kind: ClientKind, offered: AdvertisementId) -> list[tuple[str, str, str]]:
    return [(access.unc, access.identity, access.answer) for access in site.standing(kind, offered).accesses]


def test_on_a_machine_of_the_domain_the_installer_runs_itself_and_the_token_accounts_name_is_not_taken(
    domain: Samba, tmp_path: Path
) -> None:
    for name, secret in (("installer", SECRET.reveal()), (TOKEN, SECRET.reveal())):
        domain.adlab("ex", "dc1", "samba-tool", "user", "create", name, given=f"{secret}\n{secret}\n")
    domain.adlab("ex", "dc1", "samba-tool", "group", "addmembers", "sms-readers", "installer")
    share = domain.share.replace(r"\cap", r"\tools")
    script = str(ROOT / "tests" / "agent_on_node.py")
    words = ("env", f"PYTHONPATH={ROOT}", sys.executable, script, rf"{share}\{FILE}", str(tmp_path / "fetched"))
    told = json.loads(domain.adlab("ex", "fs1", *words, given=f"{SECRET.reveal()}\n").splitlines()[-1])

    state, cause, reason, *_ = told["reports"]["PHX20001"]
    assert (state, cause) == ("failed", Cause.NOT_STARTED)
    assert f"{TOKEN} is an account of the domain" in reason
    assert f"{TOKEN} is an account of the domain" in told["log"]

    state, _, _, executed_as, login, accesses = told["reports"]["PHX20002"]
    assert (state, executed_as, login) == ("succeeded", "root", r"CORP\installer")
    assert accesses == [[share, r"CORP\installer", "accepted"]]
    assert (r"CORP\installer", FILE) in opened_on_the_share(domain)
    assert (tmp_path / "fetched").read_text() == TEXT
    assert told["left"] == []
