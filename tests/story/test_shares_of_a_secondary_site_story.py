"""A secondary site's shares and legacy clients: its parent sees to them, for it has no account to log on with."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import pytest

from keyturn.lifecycle.catalogue.products import role_names
from keyturn.model.accounts import AccountToBe, RealmName
from keyturn.model.secret import Secret
from keyturn.model.software import Policy
from keyturn.operations import accounts, software_collections, software_packages
from keyturn.operations.access_permissions import apply_permissions
from keyturn.operations.clients import access_share
from keyturn.operations.distributing import distribute
from keyturn.operations.estates import import_estate
from keyturn.operations.inboxes import tend
from keyturn.operations.software_policy import Policies
from keyturn.operations.status_messages import Asked
from keyturn.server.access_point import access_files
from keyturn.site.client_files import ClientStatus, write_letter
from keyturn.site.permissions import Right
from keyturn.site.status_messages import Severity
from keyturn.wire.estate_file.reading import read_estate
from keyturn.wire.policy import SignedPolicy, from_body
from tests.estates import account
from tests.hierarchy import Hierarchy, child, estate
from tests.inner_site import InnerSite
from tests.memory_access_point import MemoryAccessPoint
from tests.memory_shared_folder import MemorySharedFolder
from tests.software import ESTATE, PACKAGE, advertise, author, software_site

SECRET = Secret("Turn-the-key-0001")
CAP_LON, APPS_LON = r"\\fs-lon\cap", r"\\fs-lon\apps"
POINTS = rf"""
[[site_system]]
name = "CAP-LON"
site = "LON"
roles = ["client-access-point"]
share = '{CAP_LON}'

[[site_system]]
name = "DP-LON"
site = "LON"
roles = ["distribution-point"]
share = '{APPS_LON}'

[[site_system]]
name = "SRV-LON"
site = "LON"
roles = ["distribution-point"]
"""
CLIENTS = """
[[client]]
name = "PC-LON"
kind = "legacy"
site = "LON"

[[client]]
name = "NB-LON"
kind = "advanced"
site = "LON"
"""
ABOVE = (
    ESTATE
    + child("LON", parent="PHX", realm="CORP", kind="secondary")
    + POINTS
    + CLIENTS
    + account("SMSServer_PHX", "server-connection")
    + account("SMSService", "service")
    + account("KtPhoenix", "client-connection-additional")
    + account("KtLondon", "client-connection-additional").replace('"PHX"', '"LON"')
)
STATUS = write_letter(ClientStatus("PC-LON", 1.0, "Ccm", 10006, Severity.ERROR, "it did not install"))


@dataclass
class Scene:
    """Site PHX with what its secondary site LON has on shares. `PC-0002` and `PC-LON` are legacy clients."""

    site: InnerSite
    cap: MemoryAccessPoint
    apps: MemorySharedFolder

    def visit(self) -> None:
        tend(self.site.parts, lambda: access_files(self.site.parts), at_once=True)

    def policy(self, client: str) -> Policy:
        [found] = [file for file in access_files(self.site.parts) if file.name == f"{client}.pol"]
        return from_body(msgspec.json.decode(found.content(), type=SignedPolicy).body)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    site = software_site(tmp_path, two_person_approval=False)
    import_estate(site.parts, ABOVE, read_estate(ABOVE, roles=role_names()), by="olga")
    realm = site.realm()
    for name in ("SMSServer_PHX", "SMSService"):
        realm.create(AccountToBe(RealmName("CORP"), name), SECRET)
        accounts.adopt(site.parts, name, SECRET, by="olga")
    for name in ("KtPhoenix", "KtLondon"):
        site.create(name)
    cap, apps = MemoryAccessPoint(realm, administrators={"SMSService"}), MemorySharedFolder(realm)
    assert site.parts.content is not None
    content = replace(site.parts.content, share=lambda _: apps)
    site.parts = replace(site.parts, access_point=lambda _: cap, content=content)
    yield Scene(site, cap, apps)
    site.close()


def test_its_legacy_clients_enrol_at_the_parent_and_read_the_access_point_near_them(scene: Scene) -> None:
    scene.site.enrol("PC-LON", "PC-0002")
    scene.visit()
    assert access_share(scene.site.parts, "PC-LON") == CAP_LON
    assert sorted(scene.cap.boxes["clidata.box"]) == ["PC-LON.acc", "site.json"]
    assert sorted(scene.cap.boxes["offerinf.box"]) == ["PC-LON.pol"]


def test_a_new_account_of_theirs_is_published_near_them(scene: Scene) -> None:
    scene.site.enrol("PC-LON")
    scene.site.contact("PC-LON")
    scene.visit()
    scene.cap.written.clear()
    plan = scene.site.rotate("KtLondon").plan_id
    scene.site.run(plan, rounds=3)
    scene.visit()
    assert "PC-LON.acc" in scene.cap.written
    scene.site.run(plan, machines=["PC-LON"], rounds=3)
    assert r"CORP\KtLondon_2" in scene.site.held["PC-LON"]


def test_what_they_write_there_is_read_by_the_parent(scene: Scene) -> None:
    scene.visit()
    scene.cap.leave("statmsgs.box", "1.svf", STATUS)
    scene.visit()
    assert scene.cap.boxes["statmsgs.box"] == {}
    assert [m.text for m in scene.site.store.messages(Asked(), 1000) if m.machine] == ["it did not install"]


def test_a_package_is_brought_to_its_share_by_the_parent_and_to_its_own_server_by_itself(scene: Scene) -> None:
    author(scene.site)
    assert software_packages.distribute(scene.site.parts, PACKAGE, [], by="olga") == ("SRV-PHX", "DP-LON")
    distribute(scene.site.parts)
    assert scene.apps.tree["PHX00001.1/files/install"] == b"the editor"


def test_clients_near_it_try_its_point_first_and_others_are_never_sent_there(scene: Scene) -> None:
    author(scene.site)
    software_packages.distribute(scene.site.parts, PACKAGE, [], by="olga")
    distribute(scene.site.parts)
    software_collections.add(scene.site.parts, "Desks", ["PC-LON", "PC-0002"], [], by="olga", replacing=True)
    advertise(scene.site)
    scene.site.enrol("PC-LON", "PC-0002")
    near, far = scene.policy("PC-LON"), scene.policy("PC-0002")
    assert [point.system for point in near.offers[0].points] == ["DP-LON", "SRV-PHX"]
    assert [point.system for point in far.offers[0].points] == ["SRV-PHX"]


def test_each_is_told_of_the_accounts_of_its_own_site(scene: Scene) -> None:
    scene.site.enrol("PC-LON", "PC-0002")
    assert scene.policy("PC-LON").accounts.client_connection == (r"CORP\KtLondon",)
    assert scene.policy("PC-0002").accounts.client_connection == (r"CORP\KtPhoenix",)


def test_its_advanced_clients_stay_its_own(scene: Scene) -> None:
    scene.site.enrol("NB-LON")
    assert set(Policies(scene.site.parts, scene.site.clock).of(["NB-LON", "PC-LON"])) == {"PC-LON"}


def test_the_boxes_let_its_clients_and_the_parent_in(scene: Scene) -> None:
    realm = scene.site.realm()
    apply_permissions(scene.site.parts, "CAP-LON", by="olga")
    rights = {ace.sid: ace.mask for ace in scene.cap.lists["ddr.box"].aces}
    for name, right in (("SMSServer_PHX", Right.CHANGE), ("KtLondon", Right.READ_WRITE)):
        found = realm.find(name)
        assert found is not None
        assert rights[found.sid] == right


def test_named_at_the_secondary_site_itself_the_share_is_not_touched_and_it_is_said_where_to_name_it(
    tmp_path: Path,
) -> None:
    sites = Hierarchy(tmp_path)
    sites.found("CEN", estate("CEN", realm="CORP", sites=child("LON", parent="CEN", realm="CORP", kind="secondary")))
    below = sites.found("LON", estate("LON", realm="HERE", accounts=POINTS))
    sites.join("LON", "CEN")
    cap = MemoryAccessPoint(below.realm("HERE"))
    below.parts = replace(below.parts, access_point=lambda _: cap)
    tend(below.parts, lambda: access_files(below.parts), at_once=True)
    record = below.store.point("CAP-LON")
    assert (record.trouble, cap.logons) == ("site LON has no server-connection account whose password is known", 0)
    assert "in the estate of site CEN" in record.hint
    sites.close()
