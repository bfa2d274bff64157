"""A real file server of a real domain as access point: the contract, and an account that was made anew there."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from smbprotocol.open import CreateDisposition, FilePipePrinterAccessMask

from keyturn.adapters.authorities.active_directory.authority import open_authority
from keyturn.adapters.authorities.pass_through import PassThrough
from keyturn.adapters.links.receive_folder import ReceivedFiles
from keyturn.adapters.shares.smb_access_point import SmbAccessPoint
from keyturn.lifecycle.ports import Authority
from keyturn.model.accounts import Account, AccountToBe
from keyturn.model.estate import SiteCode
from keyturn.model.logon import Answer
from keyturn.model.policy import RealmPolicy
from keyturn.model.secret import Secret
from keyturn.operations import accounts, bundles, links, site_control
from keyturn.operations.access_permissions import Found, apply_permissions, repair_permissions
from keyturn.operations.inbox_ports import PointTrouble
from keyturn.operations.inboxes import tend
from keyturn.server.access_point import access_files
from keyturn.site.bundles import Kind
from keyturn.site.client_files import DiscoveryRecord, write_letter
from keyturn.site.control.catalogue import Section
from keyturn.site.control.deltas import Set
from keyturn.site.control.document import Path as ControlPath
from tests.contract.access_point_contract import AccessPointContract, Person, Setting
from tests.estates import HEAD, account
from tests.hierarchy import Hierarchy, child, estate
from tests.hierarchy import account as address_account
from tests.inner_site import InnerSite, site_in
from tests.samba import ADMINISTRATOR, OURS, REALM, Samba, running

SECRET = Secret("Turn-the-key-0001")
NAME, CLIENT = "kt-server", "kt-client"  # `converge` looks at names like these
RECORD = write_letter(DiscoveryRecord("PC-0001", 1.0, "legacy-client"))
SHARE = """
[boxes]
  path = /srv/boxes
  read only = no
  vfs objects = acl_xattr
  acl_xattr:ignore system acls = yes
"""


@pytest.fixture(scope="module")
def samba() -> Iterator[Samba]:
    with running(file_server=True) as samba:
        samba.set_policy(RealmPolicy(lockout_threshold=5, history=24))
        (samba.directory / "fs1" / "share" / "boxes").mkdir(mode=0o755)
        with (samba.directory / "fs1" / "etc" / "samba" / "smb.conf").open("a") as settings:
            settings.write(SHARE)
        samba.adlab("ex", "fs1", "smbcontrol", "smbd", "reload-config")
        samba.adlab("ex", "fs1", "chown", r"CORP\Administrator", "/srv/boxes")
        yield samba


@pytest.fixture(scope="module")
def authority(samba: Samba) -> Authority:
    return open_authority(samba.realm(), lambda: OURS)


@pytest.fixture(scope="module")
def connection(samba: Samba, authority: Authority) -> Account:
    made = authority.create(AccountToBe(REALM, NAME), SECRET)
    authority.create(AccountToBe(REALM, CLIENT), SECRET)
    samba.converge()
    return made


@pytest.fixture
def share(samba: Samba) -> str:
    return samba.share.replace(r"\cap", r"\boxes")


class TestSmb(AccessPointContract):
    @pytest.fixture
    def setting(self, share: str, authority: Authority, connection: Account) -> Setting:
        point = SmbAccessPoint(share)
        found = authority.find(ADMINISTRATOR.name)
        assert found is not None
        administrator = Person(str(found), ADMINISTRATOR.secret, found.sid)
        ours = Person(str(connection), SECRET, connection.sid)

        @contextmanager
        def hold(path: str) -> Iterator[None]:
            with point.reach() as reached:
                assert reached.log_on(ours.name, ours.secret) is Answer.ACCEPTED
                writing = FilePipePrinterAccessMask.GENERIC_WRITE
                with reached._file(path, writing, 0, CreateDisposition.FILE_OPEN):
                    yield

        setting = Setting(point, SmbAccessPoint(r"\\127.0.0.1\boxes"), administrator, ours, hold)
        until_answered(setting)
        setting.set_up()
        return setting


def until_answered(setting: Setting) -> None:
    """A share that was added just now."""
    until = time.monotonic() + 60
    while True:
        with setting.point.reach() as reached:
            if reached.log_on(setting.administrator.name, setting.administrator.secret) is Answer.ACCEPTED:
                return
        assert time.monotonic() < until, "the file server does not follow its settings"


@pytest.fixture
def site(tmp_path: Path, share: str, authority: Authority, connection: Account) -> Iterator[InnerSite]:
    estate = (
        HEAD
        + account(NAME, "server-connection")
        + account(CLIENT, "client-connection-additional")
        + account(ADMINISTRATOR.name, "service")
        + f"\n[[site_system]]\nname = 'FS1'\nsite = 'PHX'\nroles = ['client-access-point']\nshare = '{share}'\n"
    )
    site = site_in(tmp_path, estate, real={REALM: authority})
    site.parts = replace(site.parts, access_point=SmbAccessPoint)
    accounts.adopt(site.parts, NAME, SECRET, by="olga")
    accounts.adopt(site.parts, ADMINISTRATOR.name, ADMINISTRATOR.secret, by="olga")
    yield site
    site.close()


def test_an_account_made_anew_is_denied_until_permissions_are_repaired(
    samba: Samba, site: InnerSite, share: str, authority: Authority
) -> None:
    apply_permissions(site.parts, "FS1", by="olga")
    visit(site)
    assert site.store.point("FS1").trouble == ""
    leave_as_client(share, "1.ddr")
    visit(site)
    assert [seen.name for seen in site.store.seen_clients()] == ["PC-0001"]

    old = authority.find(NAME)
    assert old is not None
    authority.delete(old)
    new = authority.create(AccountToBe(REALM, NAME), SECRET)
    samba.converge()
    assert new.sid != old.sid
    leave_as_client(share, "2.ddr")
    first_seen = site.store.seen_clients()
    site.clock.turn(60)
    until = time.monotonic() + 60
    while "denied" not in site.store.point("FS1").trouble:  # the file server remembers who was who for a while
        assert time.monotonic() < until, site.store.point("FS1").trouble
        visit(site)
    assert site.store.seen_clients() == first_seen

    shown = repair_permissions(site.parts, None, by="olga", carry_out=False)["FS1"].dead
    assert {(entry.ace.sid, entry.live) for entry in shown} == {(old.sid, new.sid)}
    assert r"ddr.box\2.ddr" in {entry.path for entry in shown}
    assert repair_permissions(site.parts, None, by="olga", carry_out=True)["FS1"].dead == shown
    visit(site)
    assert site.store.point("FS1").trouble == ""
    assert site.store.seen_clients() != first_seen
    assert repair_permissions(site.parts, None, by="olga", carry_out=False) == {"FS1": Found((), ())}
    assert samba.bad_counts(NAME) == 0


def visit(site: InnerSite) -> None:
    tend(site.parts, lambda: access_files(site.parts), at_once=True)


def leave_as_client(share: str, name: str) -> None:
    """With a Client Connection account, a Domain User and nothing else."""
    with SmbAccessPoint(share).reach() as reached:
        assert reached.log_on(rf"{REALM}\{CLIENT}", SECRET) is Answer.ACCEPTED
        with pytest.raises(PointTrouble, match="denied"):
            reached.write("clidata.box", "site.json", b"forged")
        access = FilePipePrinterAccessMask.GENERIC_WRITE
        with reached._file(rf"ddr.box\{name}", access, 0, CreateDisposition.FILE_CREATE) as file:
            file.write(RECORD, 0)


def test_a_sender_delivers_bundles_into_the_receive_inbox(
    samba: Samba, tmp_path: Path, share: str, authority: Authority
) -> None:
    authority.create(AccountToBe(REALM, "KtToCen"), SECRET)
    samba.adlab("sync", "dc1", "dc2")
    inboxes = samba.directory / "fs1" / "share" / "boxes"
    received = ReceivedFiles(inboxes)
    assert not received.names()
    samba.adlab("ex", "fs1", "chown", r"CORP\KtToCen", "/srv/boxes/despoolr.box/receive")
    sites = Hierarchy(tmp_path)
    below = child("EUR", parent="CEN", realm=REALM)
    address = address_account("KtToCen", "site-address", realm=REALM, sites=("EUR",))
    head = estate("CEN", realm=REALM, kind="central", sites=below, accounts=address)
    cen, eur = sites.found("CEN", head, real={REALM: authority}), sites.found("EUR", estate("EUR", realm="EURO"))
    sites.join("EUR", "CEN")
    accounts.adopt(cen.parts, rf"{REALM}\KtToCen", SECRET, by="olga")
    access = PassThrough(authority)
    cen.parts = replace(cen.parts, receive_folder=received, access_realm=lambda realm: access)
    eur.parts = replace(eur.parts, access_point=SmbAccessPoint)
    sites.senders["EUR"].parts = eur.parts
    sites.settle()
    site_control.propose(eur.parts, [Set(ControlPath(Section.ADDRESS, "CEN", "place"), share)], by="olga")
    payloads = [bytes([number]) * 1000 * (1 + 300 * (number == 3)) for number in range(5)]
    for payload in payloads:
        bundles.post(eur.parts, SiteCode("CEN"), Kind.PACKAGE, payload)
    sites.turn("EUR")
    assert len(received.names()) == len(payloads), links.links(eur.parts)[0].record.trouble
    sites.settle(2)
    assert [bundles.collect(cen.parts, header) for header in cen.store.delivered()] == payloads
    assert not received.names()
    assert samba.bad_counts("KtToCen") == 0
    sites.close()
