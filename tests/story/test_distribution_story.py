"""The distribution manager: packages brought to distribution points on shares, whatever happens meanwhile."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from keyturn.adapters.authorities.reaching import Login
from keyturn.adapters.authorities.realms import maker_of
from keyturn.distribution.signed_content import read_signed
from keyturn.lifecycle.budgeted import Budgeted
from keyturn.lifecycle.catalogue.products import role_names
from keyturn.model.accounts import AccountToBe, RealmName
from keyturn.model.errors import Refused
from keyturn.model.estate import Realm, RealmKind
from keyturn.model.secret import Secret
from keyturn.operations import accounts, software_packages
from keyturn.operations.content import forget_unused, read_source
from keyturn.operations.content_ports import ContentRecord, ContentState
from keyturn.operations.distributing import CLAIM_S, FIRST_RETRY_S, KEEP_OLD_S, distribute, refresh
from keyturn.operations.estates import import_estate
from keyturn.operations.signing import verify_key
from keyturn.operations.software_packages import NewPackage
from keyturn.operations.status_messages import Asked
from keyturn.site.permissions import BUILTIN_SIDS, Grantee, Right
from keyturn.wire.estate_file.reading import read_estate
from tests.estates import account
from tests.memory_access_point import PowerCut
from tests.memory_shared_folder import MemorySharedFolder
from tests.software import ESTATE, PACKAGE, software_site, source_of

SECRET = Secret("Turn-the-key-0001")
SYSTEM = r"""
[[site_system]]
name = "FS1"
site = "PHX"
roles = ["distribution-point"]
share = '\\fs1.corp.example\apps'
"""
FILES = {"install": "#!/bin/sh", "readme": "read me"}


class Scene:
    """A site with one distribution point on a share, `FS1`, and a package that is assigned to it."""

    def __init__(self, folder: Path) -> None:
        self.site = software_site(folder, two_person_approval=False)
        text = ESTATE + SYSTEM + account("SMSServer_PHX", "server-connection")
        import_estate(self.site.parts, text, read_estate(text, roles=role_names()), by="olga")
        self.connection = self.site.realm().create(AccountToBe(RealmName("CORP"), "SMSServer_PHX"), SECRET)
        accounts.adopt(self.site.parts, "SMSServer_PHX", SECRET, by="olga")
        self.share = MemorySharedFolder(self.site.realm())
        assert self.site.parts.content is not None
        self.site.parts = replace(self.site.parts, content=replace(self.site.parts.content, share=lambda _: self.share))
        source = Path(source_of(self.site, "editor", **FILES))
        (source / "deep" / "er").mkdir(parents=True)
        (source / "deep" / "er" / "data").write_text("0123456789")
        self.source = source
        software_packages.add(self.site.parts, NewPackage("Editor", str(source)), by="olga")
        self.update()

    def update(self) -> None:
        read_source(self.site.parts, PACKAGE, by="olga")

    def assign(self, *systems: str) -> None:
        self.site.store.assign_points(PACKAGE, systems)

    def turn(self, seconds: float = 0) -> ContentRecord:
        self.site.clock.turn(seconds)
        distribute(self.site.parts)
        return self.record

    @property
    def record(self) -> ContentRecord:
        found = [one for one in self.site.store.contents(PACKAGE) if one.system == "FS1"]
        return found[0] if found else ContentRecord(PACKAGE, "FS1")

    def files(self, version: int = 1) -> dict[str, bytes]:
        root = f"PHX00001.{version}/files/"
        return {
            path.removeprefix(root): content
            for path, content in self.share.tree.items()
            if path.startswith(root) and content is not None
        }

    def is_whole(self, version: int = 1) -> bool:
        signed = self.share.tree.get(f"PHX00001.{version}/manifest.json")
        if signed is None:
            return False
        manifest = read_signed(signed, verify_key(self.site.parts))
        return manifest == self.site.store.manifest(PACKAGE, version) and set(self.files(version)) == {
            file.path for file in manifest.files
        }


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(tmp_path)
    yield scene
    scene.site.close()


def test_a_package_is_brought_where_it_is_assigned_and_nowhere_else(scene: Scene) -> None:
    scene.turn()
    assert not scene.share.tree
    scene.assign("FS1")
    record = scene.turn()
    assert (record.state, record.there, record.copied) == (ContentState.THERE, 1, 26)
    assert scene.files() == {"install": b"#!/bin/sh", "readme": b"read me", "deep/er/data": b"0123456789"}
    assert scene.is_whole()


def test_the_manifest_comes_last(scene: Scene) -> None:
    scene.assign("FS1")
    scene.turn()
    assert scene.share.written[-1] == "PHX00001.1/manifest.json"


def test_what_is_there_is_not_written_again(scene: Scene) -> None:
    scene.assign("FS1")
    scene.turn()
    written, logons = len(scene.share.written), scene.share.logons
    scene.turn(10)
    scene.turn(10)
    assert (len(scene.share.written), scene.share.logons) == (written, logons)


def test_the_sites_own_server_has_it_from_the_moment_it_is_read(scene: Scene) -> None:
    scene.assign("SRV-PHX")
    distribute(scene.site.parts)
    [record] = scene.site.store.contents(PACKAGE)
    assert (record.system, record.state, record.there) == ("SRV-PHX", ContentState.THERE, 1)


def test_a_point_that_is_away_is_tried_again_ever_more_seldom(scene: Scene) -> None:
    scene.assign("FS1")
    scene.share.up = False
    first = scene.turn()
    assert first.state is ContentState.FAILED
    assert first.reason == "file server fs1 does not answer"
    assert scene.turn(FIRST_RETRY_S - 1).tries == 1
    assert scene.turn(2).tries == 2
    assert scene.turn(FIRST_RETRY_S + 1).tries == 2
    scene.share.up = True
    assert scene.turn(FIRST_RETRY_S).there == 1
    said = [message.text for message in scene.site.store.messages(Asked(component="SMS_DISTRIBUTION_MANAGER"), 10)]
    assert said == [
        "package PHX00001 version 1 is not at FS1: file server fs1 does not answer",
        "package PHX00001 version 1 is at FS1",
    ]


def test_a_password_that_was_called_wrong_is_presented_once(scene: Scene) -> None:
    scene.site.realm().set_password(scene.connection, Secret("Another-key-0002"))
    scene.assign("FS1")
    for _ in range(5):
        record = scene.turn(4000)
    assert scene.share.logons == 1
    assert record.state is ContentState.FAILED
    assert "is not presented again" in record.reason
    assert scene.site.realm().describe(scene.connection).pinned.bad_count <= 1


def test_a_file_that_lies_there_wrong_is_written_again(scene: Scene) -> None:
    scene.share.tree.update({"PHX00001.1": None, "PHX00001.1/files": None, "PHX00001.1/files/readme": b"READ ME"})
    scene.share.tree["PHX00001.1/files/.stranger.new"] = b"left over"
    scene.assign("FS1")
    scene.turn()
    assert scene.files() == {"install": b"#!/bin/sh", "readme": b"read me", "deep/er/data": b"0123456789"}


def test_a_server_that_does_not_keep_what_is_written_never_gets_a_manifest(scene: Scene) -> None:
    scene.assign("FS1")

    def spoil(verb: str, path: str) -> None:
        if verb == "read" and path.endswith("readme"):
            scene.share.tree[path] = b"garbled"

    scene.share.cut = spoil
    record = scene.turn()
    assert record.state is ContentState.FAILED
    assert "readme is not read back as it was written" in record.reason
    assert "PHX00001.1/manifest.json" not in scene.share.tree


def test_a_new_version_stands_beside_the_old_one_for_as_long_as_a_policy_may_name_that(scene: Scene) -> None:
    scene.assign("FS1")
    scene.turn()
    (scene.source / "readme").write_text("read me again")
    scene.update()
    record = scene.turn(1)
    assert record.there == 2
    assert scene.is_whole(1)
    assert scene.is_whole(2)
    scene.turn(scene.site.parts.settings.policy_s + KEEP_OLD_S - 10)
    assert scene.is_whole(1)
    assert scene.turn(20).swept == 2
    assert not any(path.startswith("PHX00001.1") for path in scene.share.tree)
    assert scene.is_whole(2)
    forget_unused(scene.site.parts)
    assert scene.site.store.content_versions() == {PACKAGE: (2,)}


def test_a_package_that_is_taken_from_a_point_goes_with_all_its_versions(scene: Scene) -> None:
    scene.assign("FS1")
    scene.turn()
    scene.share.tree["OTHER"] = None
    scene.share.tree["PHX00002.1"] = None
    scene.assign()
    scene.turn(1)
    assert scene.share.tree == {"OTHER": None, "PHX00002.1": None}
    assert scene.site.store.contents(PACKAGE) == ()


def test_a_package_that_is_removed_goes_from_its_points(scene: Scene) -> None:
    scene.assign("FS1")
    scene.turn()
    software_packages.remove(scene.site.parts, PACKAGE, by="olga")
    scene.share.up = False
    assert scene.turn(1).state is ContentState.FAILED
    scene.share.up = True
    scene.turn(FIRST_RETRY_S + 1)
    assert scene.share.tree == {}
    assert scene.site.store.contents() == ()


def test_who_may_read_it_stands_on_the_share(scene: Scene) -> None:
    scene.assign("FS1")
    scene.turn()
    given = {ace.sid: ace.mask for ace in scene.share.lists["PHX00001.1"].aces}
    assert given[BUILTIN_SIDS[Grantee.USERS]] == Right.READ
    assert given[BUILTIN_SIDS[Grantee.ADMINISTRATORS]] == Right.FULL
    assert given[scene.connection.sid] == Right.CHANGE


def test_access_is_changed_without_distributing_anew(scene: Scene) -> None:
    reader = scene.site.realm().create(AccountToBe(RealmName("CORP"), "Reader"), SECRET)
    scene.assign("FS1")
    scene.turn()
    written = len(scene.share.written)
    software_packages.give_access(scene.site.parts, PACKAGE, [r"CORP\Reader"], [], by="olga")
    assert scene.turn(1).state is ContentState.THERE
    assert len(scene.share.written) == written
    for path in ("PHX00001.1", "PHX00001.1/files", "PHX00001.1/files/deep/er/data", "PHX00001.1/manifest.json"):
        sids = {ace.sid for ace in scene.share.lists[path].aces}
        assert reader.sid in sids
        assert BUILTIN_SIDS[Grantee.USERS] not in sids
    scene.turn(1)
    assert scene.record.state is ContentState.THERE


def test_access_for_an_account_that_neither_the_estate_nor_its_realm_knows_is_refused(scene: Scene) -> None:
    with pytest.raises(Refused, match=r"CORP\\Nobody is not in the estate, and no account of realm CORP"):
        software_packages.give_access(scene.site.parts, PACKAGE, [r"CORP\Nobody"], [], by="olga")
    with pytest.raises(Refused) as refused:
        software_packages.add(scene.site.parts, NewPackage("Editor", access=(r"CORP\SMSServer_PXH",)), by="olga")
    assert refused.value.hint == "did you mean SMSServer_PHX?"
    assert scene.site.store.package(PACKAGE).access == ()


def test_access_for_an_account_that_has_gone_is_trouble_with_its_name(scene: Scene) -> None:
    reader = scene.site.realm().create(AccountToBe(RealmName("CORP"), "Reader"), SECRET)
    software_packages.give_access(scene.site.parts, PACKAGE, [r"CORP\Reader"], [], by="olga")
    scene.site.realm().delete(reader)
    scene.assign("FS1")
    assert r"no account CORP\Reader" in scene.turn().reason


def test_access_for_an_account_of_a_realm_that_cannot_be_asked_is_taken(scene: Scene, tmp_path: Path) -> None:
    nowhere = Realm(RealmName("CORP"), RealmKind.POSTGRESQL, (str(tmp_path),))
    silent = Budgeted(maker_of(nowhere.kind)(nowhere, lambda: Login("keyturn", SECRET)), scene.site.store, lambda: 0.0)
    parts = replace(scene.site.parts, authorities=lambda _: silent)
    package = software_packages.give_access(parts, PACKAGE, ["corp/Reader"], [], by="olga")
    assert package.access == (r"CORP\Reader",)


def test_a_point_that_lost_its_files_gets_them_when_it_is_told_to(scene: Scene) -> None:
    scene.assign("FS1")
    scene.turn()
    scene.share.tree.clear()
    refresh(scene.site.parts, scene.site.store.package(PACKAGE), by="olga")
    scene.turn(1)
    assert scene.is_whole()


def test_two_processes_do_not_bring_the_same_package_at_once(scene: Scene) -> None:
    scene.assign("FS1")
    seen = ContentRecord(PACKAGE, "FS1")
    assert scene.site.store.claim_content(seen, scene.site.clock.now + CLAIM_S)
    assert not scene.site.store.claim_content(seen, scene.site.clock.now + CLAIM_S)
    scene.turn()
    assert not scene.share.tree
    assert scene.turn(CLAIM_S + 1).there == 1


def test_what_another_process_takes_up_meanwhile_is_left_to_it(scene: Scene) -> None:
    second = software_packages.add(scene.site.parts, NewPackage("Second", str(scene.source)), by="olga").package_id
    read_source(scene.site.parts, second, by="olga")
    scene.assign("FS1")
    scene.site.store.assign_points(second, ("FS1",))

    def other(verb: str, path: str) -> None:
        if path == "PHX00001.1" and verb == "make":
            assert scene.site.store.claim_content(ContentRecord(second, "FS1"), scene.site.clock.now + CLAIM_S)

    scene.share.cut = other
    scene.turn()
    assert scene.is_whole()
    assert not any(path.startswith(second) for path in scene.share.tree)


def test_killed_at_every_step_it_goes_on_and_never_shows_half_a_version(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.assign("FS1")
    steps = 0

    def count(verb: str, path: str) -> None:
        nonlocal steps
        steps += 1

    scene.share.cut = count
    scene.turn()
    assert steps > 15
    for killed_at in range(1, steps + 1):
        scene.share.tree.clear()
        refresh(scene.site.parts, scene.site.store.package(PACKAGE), by="olga")
        scene.share.cut = kill_at(killed_at)
        with pytest.raises(PowerCut):
            scene.turn(CLAIM_S + 1)
        assert "PHX00001.1/manifest.json" not in scene.share.tree or scene.is_whole()
        scene.share.cut = lambda verb, path: None
        assert scene.turn(CLAIM_S + 1).state is ContentState.THERE
        assert scene.is_whole()
    scene.site.close()


def kill_at(step: int):  # type: ignore[no-untyped-def]
    left = step

    def cut(verb: str, path: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise PowerCut(verb)

    return cut
