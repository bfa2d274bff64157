"""A real file server of a real domain as distribution point, and as the place that a package is read from."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from keyturn.adapters.authorities.active_directory.authority import open_authority
from keyturn.adapters.content.arriving import FolderArriving
from keyturn.adapters.content.blobs import FolderBlobs
from keyturn.adapters.content.folder import FolderSource
from keyturn.adapters.shares.smb_content import SmbPoint
from keyturn.adapters.shares.smb_folder import SmbFolder
from keyturn.agent.software.cache import Cache
from keyturn.agent.software.content import Content
from keyturn.agent.software.ports import ContentFailed
from keyturn.distribution.accesses import Access
from keyturn.distribution.presenting import Presentable
from keyturn.distribution.run_context import RealmAccount
from keyturn.lifecycle.ports import Authority
from keyturn.model.accounts import Account, AccountToBe
from keyturn.model.logon import Answer
from keyturn.model.policy import RealmPolicy
from keyturn.model.secret import Secret
from keyturn.model.software import PackageId
from keyturn.operations import accounts, software_packages
from keyturn.operations.content import current, read_source
from keyturn.operations.content_ports import ContentParts, ContentState
from keyturn.operations.distributing import FIRST_RETRY_S, distribute
from keyturn.operations.inbox_ports import AccessDenied
from keyturn.operations.parts import Parts
from keyturn.operations.signing import verify_key
from keyturn.operations.software_packages import NewPackage
from tests.content_points import offer_of
from tests.estates import HEAD, account
from tests.inner_site import InnerSite, site_in
from tests.samba import ADMINISTRATOR, OURS, REALM, Samba, running

SECRET = Secret("Turn-the-key-0001")
NAME, CLIENT, OTHER = "SMSServer_PHX", "KtClient", "KtOther"
PACKAGE = PackageId("PHX00001")
FILES = {"install.sh": b"#!/bin/sh\n", "deep/er/data": bytes(range(256)) * 5000}
SHARE = """
[dp]
  path = /srv/dp
  read only = no
  vfs objects = acl_xattr
  acl_xattr:ignore system acls = yes
[fixed]
  path = /srv/dp
"""


@pytest.fixture(scope="module")
def samba() -> Iterator[Samba]:
    with running(file_server=True) as samba:
        samba.set_policy(RealmPolicy(lockout_threshold=5, history=24))
        (samba.directory / "fs1" / "share" / "dp").mkdir(mode=0o777)
        (samba.directory / "fs1" / "share" / "dp").chmod(0o777)
        with (samba.directory / "fs1" / "etc" / "samba" / "smb.conf").open("a") as settings:
            settings.write(SHARE)
        samba.adlab("ex", "fs1", "smbcontrol", "smbd", "reload-config")
        yield samba


@pytest.fixture(scope="module")
def authority(samba: Samba) -> Authority:
    return open_authority(samba.realm(), lambda: OURS)


@pytest.fixture(scope="module")
def connection(samba: Samba, authority: Authority) -> Account:
    made = authority.create(AccountToBe(REALM, NAME), SECRET)
    for name in (CLIENT, OTHER):
        authority.create(AccountToBe(REALM, name), SECRET)
    samba.adlab("sync", "dc1", "dc2")
    until = time.monotonic() + 60
    while not _answers(samba):
        assert time.monotonic() < until, "the file server does not follow its settings"
    return made


def _answers(samba: Samba) -> bool:
    with SmbFolder(place(samba)).reach() as folder:
        return folder.log_on(rf"{REALM}\{NAME}", SECRET) is Answer.ACCEPTED


def place(samba: Samba) -> str:
    return samba.share.replace(r"\cap", r"\dp")


@pytest.fixture
def site(tmp_path: Path, samba: Samba, authority: Authority, connection: Account) -> Iterator[InnerSite]:
    estate = (
        HEAD
        + account(NAME, "server-connection")
        + account(CLIENT, "client-connection-additional")
        + account(ADMINISTRATOR.name, "service")
        + f"\n[[site_system]]\nname = 'FS1'\nsite = 'PHX'\nroles = ['distribution-point']\nshare = '{place(samba)}'\n"
    )
    source = tmp_path / "sources" / "seven"
    for path, content in FILES.items():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_bytes(content)

    def wrap(parts: Parts) -> Parts:
        sources = (str(tmp_path / "sources"), place(samba))
        blobs = FolderBlobs(tmp_path / "content")
        content = ContentParts(blobs, FolderArriving(tmp_path / "content", blobs), FolderSource, SmbFolder)
        return replace(parts, settings=replace(parts.settings, package_sources=sources), content=content)

    site = site_in(tmp_path, estate, real={REALM: authority}, wrap=wrap)
    accounts.adopt(site.parts, NAME, SECRET, by="olga")
    accounts.adopt(site.parts, ADMINISTRATOR.name, ADMINISTRATOR.secret, by="olga")
    software_packages.add(site.parts, NewPackage("Seven", str(source)), by="olga")
    read_source(site.parts, PACKAGE, by="olga")
    site.store.assign_points(PACKAGE, ("FS1",))
    distribute(site.parts)
    [record] = site.store.contents(PACKAGE)
    assert (record.state, record.there) == (ContentState.THERE, 1), record.reason
    yield site
    with SmbFolder(place(samba)).reach() as folder:
        assert folder.log_on(rf"{REALM}\{NAME}", SECRET) is Answer.ACCEPTED
        for name in folder.folders():
            folder.remove(name)
    site.close()


def fetch(site: InnerSite, samba: Samba, cache: Path, name: str) -> tuple[dict[str, bytes], list[Access]]:
    noted: list[Access] = []
    content = Content(
        Cache(cache),
        lambda named: SmbPoint(named.place),
        site.clock,
        verify_key=lambda: verify_key(site.parts),
    )
    manifest = current(site.parts, site.store.package(PACKAGE))
    assert manifest is not None
    offer = offer_of(manifest, place(samba))
    folder = content.fetch(offer, (Presentable(RealmAccount(rf"{REALM}\{name}"), SECRET),), noted.append, lambda: False)
    files = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    return files, noted


def test_a_client_reads_what_the_site_brought_there(site: InnerSite, samba: Samba, tmp_path: Path) -> None:
    files, noted = fetch(site, samba, tmp_path / "cache", CLIENT)
    assert files == FILES
    assert [(access.unc, access.answer) for access in noted] == [(place(samba), Answer.ACCEPTED)]
    assert samba.bad_counts(NAME) == samba.bad_counts(CLIENT) == 0


def test_a_client_cannot_change_what_lies_there(site: InnerSite, samba: Samba) -> None:
    with SmbFolder(place(samba)).reach() as folder:
        assert folder.log_on(rf"{REALM}\{CLIENT}", SECRET) is Answer.ACCEPTED
        for path in ("PHX00001.1/files/install.sh", "PHX00001.1/manifest.json", "PHX00001.1/files/new"):
            with pytest.raises(AccessDenied):
                folder.write(path, [b"evil"])


def test_a_package_kept_for_one_account_is_closed_to_the_others_at_once(
    site: InnerSite, samba: Samba, tmp_path: Path
) -> None:
    before = {path: path.stat().st_mtime_ns for path in (samba.directory / "fs1" / "share" / "dp").rglob("data")}
    software_packages.give_access(site.parts, PACKAGE, [rf"{REALM}\{OTHER}"], [], by="olga")
    distribute(site.parts)
    [record] = site.store.contents(PACKAGE)
    assert record.state is ContentState.THERE, record.reason
    assert fetch(site, samba, tmp_path / "other", OTHER)[0] == FILES
    with pytest.raises(ContentFailed) as failed:
        fetch(site, samba, tmp_path / "client", CLIENT)
    assert failed.value.accesses[-1].answer is Answer.NO_FILE_ACCESS
    assert before == {p: p.stat().st_mtime_ns for p in (samba.directory / "fs1" / "share" / "dp").rglob("data")}


def test_a_source_on_a_share_is_read_with_the_sites_own_account(site: InnerSite, samba: Samba) -> None:
    source = rf"{place(samba)}\PHX00001.1\files"
    package = software_packages.add(site.parts, NewPackage("From the share", source), by="olga")
    reading = read_source(site.parts, package.package_id, by="olga")
    assert {file.path: file.size for file in reading.manifest.files} == {p: len(c) for p, c in FILES.items()}
    assert samba.bad_counts(ADMINISTRATOR.name) == 0


def test_a_share_that_the_site_may_not_write_to_is_told_with_its_account(
    site: InnerSite, samba: Samba, authority: Authority
) -> None:
    (site.folder / "sources" / "seven" / "new").write_text("another version")
    read_source(site.parts, PACKAGE, by="olga")
    share = place(samba).replace(r"\dp", r"\fixed")
    assert site.parts.content is not None
    site.parts = replace(site.parts, content=replace(site.parts.content, share=lambda _: SmbFolder(share)))
    distribute(site.parts)
    [record] = site.store.contents(PACKAGE)
    assert record.state is ContentState.FAILED
    assert rf"denied to {REALM}\{NAME}" in record.reason
    assert record.there == 1
    assert record.next_at == site.clock.now + FIRST_RETRY_S
