"""Every kind of plan, stopped before and after every call it makes, once, and started again.

Whatever is killed when: the live password of every account can be opened, nobody fails a logon, the realm's version
rises by exactly one per change, and the plan ends as if nothing had happened.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from keyturn.lifecycle.plan import PlanKind
from keyturn.model.accounts import Account, Credential
from keyturn.model.errors import NotFound
from keyturn.model.estate import AccountLife
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.operations import plans
from keyturn.operations.parts import Parts
from keyturn.operations.plans import LEASE_S
from tests.builtin import Clock
from tests.estates import ADDITIONAL, DEFAULT, INSTALLATION, MACHINES, RING
from tests.inner_site import InnerSite, site_in


class Killed(BaseException):
    """As `kill -9` is: nothing that handles errors sees it."""


@dataclass
class Fuse:
    """Burns through at the call of that number; 0 never does."""

    at: int = 0
    burnt: int = 0

    def burn(self) -> None:
        self.burnt += 1
        if self.burnt == self.at:
            raise Killed


class Fused:
    """Any port, with a fuse that burns before and after every call."""

    def __init__(self, inner: Any, fuse: Fuse) -> None:
        self._inner = inner
        self._fuse = fuse

    def __getattr__(self, verb: str) -> Any:
        call = getattr(self._inner, verb)

        def burning(*args: Any, **kwargs: Any) -> Any:
            self._fuse.burn()
            found = call(*args, **kwargs)
            self._fuse.burn()
            return found

        return burning


Wrap = Callable[[Any], Any]


def fused(parts: Parts, fuse: Fuse, wrap_lease: Wrap = lambda lease: lease) -> Parts:
    class Store:
        def lease(self, plan_id: str, worker: str, lease_s: float) -> Any:
            lease = parts.store.lease(plan_id, worker, lease_s)
            return None if lease is None else Fused(wrap_lease(lease), fuse)

        def __getattr__(self, verb: str) -> Any:
            return getattr(parts.store, verb)

    return replace(parts, store=Store(), authorities=lambda realm: Fused(parts.authorities(realm), fuse))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Case:
    kind: PlanKind
    estate: str
    account: str
    sets: int
    """How many passwords of existing accounts the plan sets."""


CASES = [
    Case(PlanKind.CREATE, ADDITIONAL, "KtClient", 0),
    Case(PlanKind.IN_PLACE, INSTALLATION, "KtInstall", 1),
    Case(PlanKind.CYCLE, ADDITIONAL, "KtClient", 0),
    Case(PlanKind.STAGGERED, RING, "KtClient_2", 0),
    Case(PlanKind.SITE_REGENERATION, DEFAULT, "SMSClient_PHX", 1),
    Case(PlanKind.DELETE, ADDITIONAL, "KtClient", 0),
]


Prepared = tuple[Case, Path, str, float]


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case.kind)
def prepared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepare(request.param, tmp_path_factory)


def prepare(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """A site on disk whose plan is approved and has not begun."""
    folder = tmp_path_factory.mktemp(case.kind)
    site = site_in(folder, case.estate)
    site.enrol(*MACHINES)
    for managed in site.store.estate().accounts:
        if case.kind is not PlanKind.CREATE:
            site.create(str(managed.account))
    for _ in range(6):
        site.contact(*MACHINES)
    if case.kind is PlanKind.DELETE:
        assert site.run(site.rotate(case.account).plan_id, machines=MACHINES).state == "done"
    propose = {PlanKind.CREATE: plans.propose_creation, PlanKind.DELETE: plans.propose_deletion}
    record = propose.get(case.kind, plans.propose_rotation)(site.parts, case.account, by="olga")
    assert record.plan.kind is case.kind
    plans.approve(site.parts, record.plan_id, by="paul")
    site.close()
    return case, folder, record.plan_id, site.clock.now


def reopened(prepared: Prepared, folder: Path) -> InnerSite:
    case, template, _, now = prepared
    shutil.copytree(template, folder)
    site = site_in(folder, case.estate, clock=Clock(now))
    site.held = {name: {} for name in MACHINES}
    for holding in site.store.estate().holdings:
        site.held[holding.holder][str(holding.account)] = holding.generation
    return site


def killed_at(site: InnerSite, plan_id: str, at: int, wrap_lease: Wrap = lambda lease: lease) -> int:
    """Run until the fuse burns through; how many calls it counted."""
    fuse = Fuse(at)
    parts, site.parts = site.parts, fused(site.parts, fuse, wrap_lease)
    try:
        site.run(plan_id, machines=MACHINES, step_s=20)
    except Killed:
        pass
    finally:
        site.parts = parts
    return fuse.burnt


def live_passwords_open(site: InnerSite) -> None:
    """For every account of the realm that Keyturn made: one of the sealed generations is the live password."""
    realm = site.realm()
    for managed in site.store.estate().accounts:
        account = realm.find(managed.account.name)
        if account is None:
            continue
        generations = range(1, (managed.generation or 0) + 2)
        assert any(opens(site, account, Credential(managed.account, number)) for number in generations), (
            f"the live password of {account} cannot be opened"
        )


def opens(site: InnerSite, account: Account, credential: Credential) -> bool:
    try:
        secret = site.store.secret(credential)
    except NotFound:
        return False
    answer = site.realm().try_logon(account, secret, protocol=LogonProtocol.KERBEROS)
    return answer in (Answer.ACCEPTED, Answer.DISABLED)


def versions(site: InnerSite) -> dict[str, int]:
    realm = site.realm()
    return {a.name: realm.describe(a).pinned.version for a in realm.administration.accounts()}


def survive(prepared: Prepared, folder: Path, at: int, wrap_lease: Wrap = lambda lease: lease) -> bool:
    """One kill and one restart; False once the plan ends before the fuse does."""
    case, _, plan_id, _ = prepared
    site = reopened(prepared, folder / f"{at}")
    before = versions(site)
    burnt = killed_at(site, plan_id, at, wrap_lease)
    site.close()
    examine(prepared, folder / f"{at}", site.clock.now)
    site = site_in(folder / f"{at}", case.estate, clock=Clock(site.clock.now + LEASE_S + 1))
    site.held = {name: {} for name in MACHINES}
    record = site.run(plan_id, machines=MACHINES, step_s=20)
    assert record.state == "done", record.note
    assert site.realm().failed_logons(0) == 0
    live_passwords_open(site)
    risen = {name: number - before[name] for name, number in versions(site).items() if name in before}
    assert sum(risen.values()) == case.sets, risen
    lives = [m.life for m in site.store.estate().accounts]
    assert AccountLife.PLANNED not in lives
    site.close()
    shutil.rmtree(folder / f"{at}")
    return burnt >= at


def examine(prepared: Prepared, folder: Path, now: float) -> None:
    """What a custodian would find right after the kill, on a copy: looking costs logons."""
    copy = folder.with_name(f"{folder.name}-examined")
    shutil.copytree(folder, copy)
    site = site_in(copy, prepared[0].estate, clock=Clock(now))
    live_passwords_open(site)
    site.close()
    shutil.rmtree(copy)


def test_every_single_crash_point_is_survived(prepared: Prepared, tmp_path: Path) -> None:
    points = survive_all(prepared, tmp_path)
    assert points > 15, "the fuse counted too few calls to be right"


class SealsLate:
    """A broken variant: the candidate stays in memory until it is promoted, so it is set before it is sealed."""

    def __init__(self, lease: Any) -> None:
        self._lease = lease
        self._kept: dict[Credential, Any] = {}

    def __getattr__(self, verb: str) -> Any:
        return getattr(self._lease, verb)

    def seal(self, sealed: Any, secret: Any) -> None:
        self._kept[sealed.credential] = (sealed, secret)

    def sealed(self, credential: Credential) -> Any:
        return self._kept[credential][0] if credential in self._kept else self._lease.sealed(credential)

    def open(self, credential: Credential) -> Any:
        return self._kept[credential][1] if credential in self._kept else self._lease.open(credential)

    def promote(self, credential: Credential, account: Account, version: int) -> None:
        self._lease.seal(*self._kept.pop(credential))
        self._lease.promote(credential, account, version)


def survive_all(prepared: Prepared, folder: Path, wrap_lease: Wrap = lambda lease: lease) -> int:
    """How many crash points there were."""
    at = 1
    while survive(prepared, folder, at, wrap_lease):
        at += 1
    return at - 1


def test_a_variant_that_seals_late_is_caught(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(AssertionError, match=r"cannot be opened|never sealed"):
        survive_all(prepare(CASES[1], tmp_path_factory), tmp_path, SealsLate)
