"""A package that is at no distribution point is read at its source, by whoever reaches such a share."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NoReturn

import msgspec
import pytest

from keyturn.agent.ports import SoftwareParts
from keyturn.agent.software import opening
from keyturn.agent.software.cycle import Software
from keyturn.distribution.content import folder_of
from keyturn.distribution.run_context import LocalSystem, RaisedAccount
from keyturn.model.logon import Answer
from keyturn.model.software import ClientAccounts, ClientKind, Manifest, Offer
from keyturn.site.keys import SiteKeys
from keyturn.wire.policy import PACKAGE_BOX, package_file
from tests.content_points import FolderPoint, publish
from tests.policies import CONNECTION, INSTALLER, NETWORK, NOW, offer, policy
from tests.story.software_site import SoftwareMachine, SoftwareSite

FILES = {"install.sh": b"#!/bin/sh\n", "deep/er/data": b"0123456789" * 300}
SOURCE = r"\\fs1.corp.example\apps\seven"


@dataclass
class Reader(SoftwareMachine):
    """`source` is the file server's folder, `manifests` what the site has at its own server, `access_point` the same
    at the access point of legacy clients."""

    source: FolderPoint = field(init=False)
    manifests: FolderPoint = field(init=False)
    access_point: FolderPoint = field(init=False)

    def __post_init__(self) -> None:
        root = self.folder.parent
        for name in ("source", "manifests", "access_point"):
            setattr(self, name, FolderPoint(root / name))

    def opened(self) -> Software:
        points = {SOURCE: self.source, "/dp/v1": self.manifests, "/cap": self.access_point}

        def unused(*_: object) -> NoReturn:
            raise AssertionError("nothing is streamed here")

        def at(place: str, _: object) -> FolderPoint:
            return points[place]

        def over_https(_: object, place: str, __: str) -> FolderPoint:
            return points[place]

        needs = SoftwareParts(lambda *_: self.runner, lambda *_: unused, at, over_https)
        return opening.open_software(self.home, self.place, self.parts, needs)

    def publish(self) -> Manifest:
        manifest = publish(self.manifests.folder, FILES, keys=_keys(self.site))
        folder = folder_of(manifest.package, manifest.version)
        for path, content in FILES.items():
            (self.source.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.source.folder / path).write_bytes(content)
        box = self.access_point.folder / PACKAGE_BOX
        box.mkdir(parents=True)
        (box / package_file(folder)).write_bytes((self.manifests.folder / folder / "manifest.json").read_bytes())
        return manifest

    def legacy(self) -> "Reader":
        installation = msgspec.structs.replace(self.home.installation(), kind=ClientKind.LEGACY)
        self.home.keep_installation(installation)
        return self


@dataclass(frozen=True)
class _Signing:
    signing: object


def _keys(site: object) -> SiteKeys:
    return _Signing(site.key)  # type: ignore[attr-defined, return-value]


@pytest.fixture
def site() -> SoftwareSite:
    site = SoftwareSite()
    site.clock.now = NOW
    for account in (NETWORK, INSTALLER, CONNECTION):
        site.realm.set_password(account, f"the password of {account}")
        site.publish(account, 1, f"the password of {account}")
    return site


@pytest.fixture
def machine(site: SoftwareSite, tmp_path: Path) -> Reader:
    return Reader(site, tmp_path / "agent").enrol()  # type: ignore[return-value]


def at_source(manifest: Manifest, **program: object) -> Offer:
    one = offer(digest=manifest.digest, package=manifest.package, **program)  # type: ignore[arg-type]
    return replace(one, source=SOURCE, package=replace(one.package, source=SOURCE, source_version=manifest.version))


def test_an_advanced_client_reads_it_with_the_network_access_account_alone(site, machine):
    site.offer(policy(at_source(machine.publish())))
    machine.once()
    [order] = machine.runner.orders
    assert order.execute_as == LocalSystem()
    assert {p.relative_to(order.folder).as_posix() for p in Path(order.folder).rglob("*") if p.is_file()} == set(FILES)
    assert machine.source.presented == [NETWORK]
    assert machine.manifests.presented == ["the computer account"]
    assert site.reports[-1].state == "succeeded"
    assert f"as {NETWORK} (try 1): accepted" in machine.log("CAS")


def test_without_a_network_access_account_nobody_is_presented_and_it_is_told_which_share(site, machine):
    site.offer(policy(at_source(machine.publish()), accounts=ClientAccounts()))
    machine.once()
    assert machine.runner.orders == []
    assert machine.source.presented == []
    assert (site.reports[-1].cause, site.reports[-1].message_id) == ("no-network-account", 10003)
    assert r"\\fs1.corp.example\apps" in site.reports[-1].reason


def test_what_is_here_already_needs_nobody(site, machine):
    manifest = machine.publish()
    site.offer(policy(at_source(manifest)))
    machine.once()
    machine.source.gone = True
    site.offer(policy(at_source(manifest, name="again"), counter=2, accounts=ClientAccounts()))
    machine.once()
    assert len(machine.runner.orders) == 2


def test_a_share_that_refuses_the_account_is_the_cause(site, machine):
    site.offer(policy(at_source(machine.publish())))
    machine.source.answers = {NETWORK: Answer.NO_SHARE_ACCESS}
    machine.once()
    assert (site.reports[-1].cause, site.reports[-1].accesses[0].identity) == ("no-share-access", NETWORK)


@pytest.mark.parametrize("spoil", [lambda file: file.write_bytes(b"other bytes"), lambda file: file.write_bytes(b"")])
def test_a_source_that_was_changed_since_the_site_read_it_is_called_so(site, machine, spoil: Callable[[Path], object]):
    site.offer(policy(at_source(machine.publish())))
    spoil(machine.source.folder / "install.sh")
    machine.once()
    assert machine.runner.orders == []
    assert site.reports[-1].cause == "source-has-changed"
    assert "install.sh" in site.reports[-1].reason


def test_a_manifest_that_the_site_did_not_sign_lets_nothing_run(site, machine):
    manifest = machine.publish()
    publish(machine.manifests.folder, FILES)
    site.offer(policy(at_source(manifest)))
    machine.once()
    assert machine.runner.orders == []
    assert site.reports[-1].cause == "content-signature"


def test_a_site_that_gives_no_manifest_is_asked_again_later(site, machine):
    site.offer(policy(at_source(machine.publish())))
    machine.manifests.gone = True
    machine.once()
    assert (site.reports[-1].state, site.reports[-1].message_id) == ("failed", 10003)
    machine.manifests.gone = False
    site.clock.now += 601
    machine.once()
    assert site.reports[-1].state == "succeeded"


def test_a_legacy_client_has_nobody_for_a_share_that_is_no_distribution_point(site, machine):
    machine.legacy()
    site.offer(policy(at_source(machine.publish()), kind=ClientKind.LEGACY))
    machine.once()
    machine.once()
    assert machine.runner.orders == []
    assert machine.source.presented == []
    assert (site.left[-1].cause, site.left[-1].message_id) == ("no-network-account", 10003)


def test_a_legacy_client_reads_it_with_the_software_installation_account_and_the_manifest_at_its_access_point(
    site, machine
):
    machine.legacy()
    site.offer(policy(at_source(machine.publish(), software_installation_account=True), kind=ClientKind.LEGACY))
    machine.once()
    [order] = machine.runner.orders
    assert order.execute_as == RaisedAccount(INSTALLER)
    assert machine.source.presented == [INSTALLER]
    assert machine.access_point.presented == [CONNECTION]
    assert machine.manifests.presented == []


def test_a_source_on_a_share_of_a_distribution_point_is_reached_as_that(site, machine):
    from keyturn.model.software import DistributionPoint

    point = DistributionPoint("FS1", r"\\FS1.corp.example\apps")
    site.offer(policy(at_source(machine.publish()), points=(point,)))
    machine.once()
    assert machine.source.presented == ["the computer account"]
