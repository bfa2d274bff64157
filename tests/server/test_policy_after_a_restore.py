"""A site whose store was put back from a backup, and the clients that have seen more since."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from keyturn.distribution.policy_making import Issue
from keyturn.model.software import Policy
from keyturn.operations.software_policy import Policies
from keyturn.wire import policy as wire
from tests.inner_site import InnerSite, site_in
from tests.offers import PROGRAM, offer
from tests.server.machine import HOST, Machine
from tests.server.test_policy_routes import DAY_S, ESTATE, Site, opened


@pytest.fixture
def inner(tmp_path: Path) -> Iterator[InnerSite]:
    site = site_in(tmp_path, ESTATE)
    for name in ("SMSClient_PHX", "KtReach"):
        site.create(name)
    yield site
    site.close()


class Client:
    """As an agent: it takes nothing older than what it has, and names that at its next poll."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.kept: Policy | None = None
        self.etag = ""

    @property
    def counter(self) -> int:
        assert self.kept is not None
        return self.kept.counter

    def poll(self) -> bool:
        answer = self.machine.send("GET", wire.POLICY, **({"if-none-match": self.etag} if self.etag else {}))
        if answer.status_code == 304:
            return False
        new = opened(self.machine, answer.content)
        if self.kept is not None and (new.counter, new.issued_at) < (self.kept.counter, self.kept.issued_at):
            return False
        self.kept, self.etag = new, answer.headers["etag"]
        return True


def restored(inner: InnerSite, issues: dict[str, Issue]) -> TestClient:
    """Before anything was offered, in a process of its own."""
    inner.store.keep_issues(list(issues.values()))
    inner.store.remove_program(PROGRAM.ref)
    return TestClient(Site(inner).app, base_url=f"https://{HOST}")


def test_a_client_of_the_management_point_is_issued_a_policy_that_it_takes_at_its_next_poll(inner: InnerSite) -> None:
    site = Site(inner)
    client = Client(site.machine("LT-1"))
    client.poll()
    backup = inner.store.issues(["LT-1"])
    offer(inner, "LT-1")
    site.later()
    assert client.poll()
    seen = client.counter
    client.machine.http = restored(inner, backup)
    inner.clock.turn(60)
    assert client.poll()
    assert client.counter > seen
    assert not client.poll(), "once, and not at every poll"


def test_a_policy_that_nobody_has_seen_the_like_of_is_not_believed(inner: InnerSite) -> None:
    """A client can have its own counter raised up to the present second, and no further."""
    site = Site(inner)
    client = Client(site.machine("LT-1"))
    client.poll()
    first = inner.store.issues(["LT-1"])["LT-1"]
    site.later()
    client.etag = f'"{10**15}-{"a" * 16}"'
    client.poll()
    assert inner.store.issues(["LT-1"])["LT-1"] == first


def test_a_legacy_client_takes_the_first_policy_that_is_issued_after_half_the_time_of_the_old_one(
    inner: InnerSite,
) -> None:
    site = Site(inner)
    site.machine("PC-0001")
    policies = Policies(inner.parts, lambda: site.elapsed)
    policies.of(["PC-0001"])
    backup = inner.store.issues(["PC-0001"])
    site.later(DAY_S)
    offer(inner, "PC-0001")
    seen = Policies(inner.parts, lambda: site.elapsed).of(["PC-0001"])["PC-0001"].policy
    restored(inner, backup)
    old = Policies(inner.parts, lambda: site.elapsed).of(["PC-0001"])["PC-0001"].policy
    assert old.counter < seen.counter
    site.later(inner.parts.settings.policy_s / 2)
    new = Policies(inner.parts, lambda: site.elapsed).of(["PC-0001"])["PC-0001"].policy
    assert new.counter > seen.counter
