"""The site's own access point over HTTPS keeps the contract of every access point."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from keyturn.adapters.shares.https import HttpsShare
from keyturn.agent.ports import Share
from keyturn.model.accounts import Credential
from keyturn.server.agents import ACCESS_POINT
from keyturn.wire.agent import NoAnswer, Reply
from tests.contract.share_contract import Reader, ShareContract
from tests.estates import ADDITIONAL
from tests.inner_site import InnerSite, site_in
from tests.share_fleet import Machine, RoutesOf


@pytest.fixture
def site(tmp_path: Path) -> Iterator[InnerSite]:
    site = site_in(tmp_path, ADDITIONAL)
    site.create("KtClient")
    yield site
    site.close()


@pytest.fixture
def reader(site: InnerSite) -> Reader:
    account = site.realm().find("KtClient")
    assert account

    def bad_counts() -> int:
        return sum(replica.bad_count for replica in site.realm().describe(account).replicas)

    secret = site.store.secret(Credential(account, 1))
    return Reader(str(account), secret, bad_counts, lambda: site.realm().disable(account))


class TestHttps(ShareContract):
    @pytest.fixture
    def share(self, site: InnerSite, tmp_path: Path) -> Share:
        machine = Machine(site, RoutesOf(site), tmp_path / "PC-0001", gated=True)
        machine.enrol()
        return HttpsShare(machine.client.link.send, ACCESS_POINT)

    @pytest.fixture
    def unreachable(self) -> Share:
        def nobody(*_: object, **__: object) -> Reply:
            raise NoAnswer("the site did not answer")

        return HttpsShare(nobody, ACCESS_POINT)
