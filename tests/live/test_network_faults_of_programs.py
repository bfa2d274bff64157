"""Eight ways in which a real file server of a real domain keeps a program from its files, for both kinds of client.

Each is named in the client's own log and at the site, with the account, the share, the status and the way out.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from keyturn.adapters.authorities.active_directory.authority import open_authority
from keyturn.adapters.shares.smb_content import SmbPoint
from keyturn.agent.software.place import Place
from keyturn.distribution.causes import EXPLANATIONS, Cause
from keyturn.distribution.presenting import NotLetIn, Presentable
from keyturn.distribution.run_context import RealmAccount
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret
from keyturn.model.software import AdvertisementId, ClientKind, PackageId
from keyturn.operations import accounts, software_packages
from keyturn.operations.software_packages import NewPackage
from tests.domain_software import (
    ADVANCED,
    CLOSED_FILE,
    FILE,
    LEGACY,
    LOGS,
    REACHES,
    TEXT,
    Agent,
    Scene,
    domain_with_shares,
    scene,
)
from tests.posix_runs import machine
from tests.samba import OURS, REALM, Samba

ANOTHER = Secret("Turned-by-another-1")
LOCKS_AFTER = 5
LONG_AGO = 130_000_000_000_000_000
"""A moment of 2012, as `accountExpires` writes it."""
KINDS = (ADVANCED, LEGACY)


@dataclass(frozen=True)
class Fault:
    """`happens` to an account of the domain, without anybody telling Keyturn."""

    cause: Cause
    answer: Answer
    status: int
    happens: Callable[[Samba, str], None]


@dataclass(frozen=True)
class Obstacle:
    """Of a place: the account is as it should be."""

    cause: Cause
    answer: Answer | None
    status: int
    share: str = "tools"
    file: str = FILE
    during: Callable[[Samba], AbstractContextManager[None]] = lambda _: nullcontext()


def change_password(domain: Samba, name: str) -> None:
    domain.set_password(domain.dn(name), ANOTHER)
    domain.converge()


def lock(domain: Samba, name: str) -> None:
    """As whoever presents an old password does."""
    stranger = Presentable(RealmAccount(rf"{REALM}\{name}"), Secret("Never-was-a-key-0"))
    for _ in range(LOCKS_AFTER):
        with pytest.raises(NotLetIn), SmbPoint(domain.share).reach(stranger, 1, lambda _: None):
            pass
    domain.converge()
    assert domain.locked_at(name)


def expire(domain: Samba, name: str) -> None:
    for host in domain.hosts:
        domain.write(domain.dn(name), host, accountExpires=LONG_AGO)
    domain.converge()


def disable(domain: Samba, name: str) -> None:
    authority = open_authority(domain.realm(), lambda: OURS)
    found = authority.find(name)
    assert found
    authority.disable(found)
    domain.converge()


@contextmanager
def file_server_cut_off(domain: Samba) -> Iterator[None]:
    domain.adlab("partition", "fs1", "host")
    try:
        yield
    finally:
        domain.adlab("heal")


FAULTS = {
    "locked": Fault(Cause.ACCOUNT_LOCKED, Answer.LOCKED, 0xC0000234, lock),
    "expired": Fault(Cause.ACCOUNT_EXPIRED, Answer.ACCOUNT_EXPIRED, 0xC0000193, expire),
    "disabled": Fault(Cause.ACCOUNT_DISABLED, Answer.DISABLED, 0xC0000072, disable),
}
OBSTACLES = {
    "no right to the share": Obstacle(Cause.NO_SHARE_ACCESS, Answer.NO_SHARE_ACCESS, 0xC0000022, share="closed"),
    "no right to the file": Obstacle(Cause.NO_FILE_ACCESS, Answer.NO_FILE_ACCESS, 0xC0000022, file=CLOSED_FILE),
    "no such path": Obstacle(Cause.NO_SUCH_FILE, Answer.NO_FILE, 0xC0000034, file="gone.txt"),
    "host down": Obstacle(Cause.HOST_UNREACHABLE, None, 0, during=file_server_cut_off),
}


@pytest.fixture(scope="module", autouse=True)
def here() -> Iterator[None]:
    with machine():
        yield


@pytest.fixture(scope="module")
def domain(here: None) -> Iterator[Samba]:
    with domain_with_shares() as domain:
        yield domain


@pytest.fixture(scope="module")
def at_home(domain: Samba, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Whose accounts are as they should be."""
    with scene(domain, tmp_path_factory.mktemp("site"), "sound", "con", "naa", "ins") as at_home:
        yield at_home


@pytest.fixture(scope="module")
def scenes(domain: Samba, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Scene]]:
    """One for each fault, as its accounts do not recover."""
    with ExitStack() as opened:

        @cache
        def of(fault: str) -> Scene:
            return opened.enter_context(scene(domain, tmp_path_factory.mktemp("site"), fault, "con", "naa", "ins"))

        yield of


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", FAULTS)
def test_what_befell_an_account_is_named_and_costs_no_attempt(
    domain: Samba, scenes: Callable[[str], Scene], tmp_path: Path, fault: str, kind: ClientKind
) -> None:
    site, expected = scenes(fault), FAULTS[fault]
    name = site.account(REACHES[kind])
    offered = fetch(site, kind, tmp_path / "fetched")
    site.agents[kind].meet()
    expected.happens(domain, name)
    before = domain.bad_counts(name), domain.locked_at(name)
    site.agents[kind].run()
    site.agents[kind].meet()
    named(site, kind, offered, expected.cause, expected.answer, expected.status, site.share())
    assert (domain.bad_counts(name), domain.locked_at(name)) == before


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("obstacle", OBSTACLES)
def test_what_is_in_the_way_at_a_share_is_named(
    domain: Samba, at_home: Scene, tmp_path: Path, obstacle: str, kind: ClientKind
) -> None:
    expected = OBSTACLES[obstacle]
    offered = fetch(at_home, kind, tmp_path / "fetched", expected.share, expected.file)
    at_home.agents[kind].meet()
    with expected.during(domain):
        at_home.agents[kind].run()
    at_home.agents[kind].meet()
    share = at_home.share(expected.share)
    named(at_home, kind, offered, expected.cause, expected.answer, expected.status, share)
    assert domain.bad_counts(at_home.account(REACHES[kind])) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_password_is_named_and_costs_one_bad_attempt_however_often_anybody_tries(
    domain: Samba, tmp_path: Path, kind: ClientKind
) -> None:
    with scene(domain, tmp_path, f"old-{kind}", "con", "naa", "ins") as site:
        agent, name = site.agents[kind], site.account(REACHES[kind])
        go = tmp_path / "go"
        offered = [fetch(site, kind, tmp_path / f"fetched {number}", go=go) for number in range(2)]
        agent.meet()
        change_while_they_run(domain, name, agent, LOGS[kind], 1, go)
        agent.meet()
        named(site, kind, offered[0], Cause.WRONG_PASSWORD, Answer.WRONG_PASSWORD, 0xC000006D, site.share())
        for _ in range(2):
            for advertisement in offered:
                agent.ask_for(advertisement)
            site.site.clock.turn(4 * 3600)
            agent.run()
            agent.meet()
        assert {site.standing(kind, advertisement).cause for advertisement in offered} == {Cause.NO_PROVEN_PASSWORD}
        assert (domain.bad_counts(name), domain.locked_at(name)) == (1, 0)

        accounts.adopt(site.site.parts, name, ANOTHER, by="olga")
        site.site.clock.turn(4 * 3600)
        agent.meet()
        agent.run()
        agent.meet()
        assert [site.standing(kind, advertisement).state for advertisement in offered] == ["succeeded", "succeeded"]
        assert (tmp_path / "fetched 1").read_text() == TEXT


@pytest.mark.parametrize("kind", KINDS)
def test_two_programs_at_once_present_a_wrong_password_once(domain: Samba, tmp_path: Path, kind: ClientKind) -> None:
    with scene(domain, tmp_path, f"both-{kind}", "con", "naa", "ins") as site:
        agent, name = site.agents[kind], site.account(REACHES[kind])
        packages = [software_packages.add(site.site.parts, NewPackage(text), by="olga").package_id for text in "ab"]
        go = tmp_path / "go"
        offered = [fetch(site, kind, tmp_path / "fetched", package=package, go=go) for package in packages]
        agent.meet()
        change_while_they_run(domain, name, agent, LOGS[kind], 2, go)
        agent.meet()
        standings = [site.standing(kind, advertisement) for advertisement in offered]
        assert [(one.cause, one.exit_code) for one in standings] == [(Cause.WRONG_PASSWORD, 5)] * 2
        assert sorted(one.accesses[-1].status for one in standings) == [0, 0xC000006D]
        assert (domain.bad_counts(name), domain.locked_at(name)) == (1, 0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_password_that_somebody_changed_before_it_is_lent_is_presented_by_nobody(
    domain: Samba, tmp_path: Path, kind: ClientKind
) -> None:
    """The site sees it on the controllers, before anybody was refused."""
    with scene(domain, tmp_path, f"seen-{kind}", "con", "naa", "ins") as site:
        agent, name = site.agents[kind], site.account(REACHES[kind])
        offered = fetch(site, kind, tmp_path / "fetched")
        agent.meet()
        change_password(domain, name)
        agent.run()
        agent.meet()
        assert site.standing(kind, offered).cause == Cause.NO_PROVEN_PASSWORD
        said = rf"{REALM}\{name} is held back: somebody else has changed its password in the realm"
        assert [line for line in agent.log(LOGS[kind]) if line.type == 2 and line.text == said]
        assert (domain.bad_counts(name), domain.locked_at(name)) == (0, 0)


def change_while_they_run(domain: Samba, name: str, agent: Agent, log: str, programs: int, go: Path) -> None:
    """Each of them was lent the password before somebody changed it, and reaches for its share after."""
    running = threading.Thread(target=agent.run)
    running.start()
    file, until = Place(agent.home).logs / f"{log}.log", time.monotonic() + 120
    while not file.exists() or file.read_text().count(" starts as ") < programs:
        assert time.monotonic() < until, "they do not start"
        time.sleep(0.1)  # a log tells nobody that it grows
    change_password(domain, name)
    go.touch()
    running.join()


def fetch(
    site: Scene,
    kind: ClientKind,
    to: Path,
    share: str = "tools",
    file: str = FILE,
    package: PackageId | None = None,
    go: Path | None = None,
) -> AdvertisementId:
    """Offers a program that does not give up soon, and that begins once there is a file `go`."""
    waits = rf"timeout 300 sh -c 'until test -e \"{go}\"; do sleep 0.1; done'; " if go else ""
    again = rf"for n in 1 2 3 4 5; do cp \"{site.share(share)}\{file}\" \"{to}\" && exit 0; done; exit 5"
    name = f"fetch {len(site.site.store.programs())}"
    return site.offer(kind, name, f'sh -c "{waits}{again}"', package, software_installation_account=kind is LEGACY)


def named(
    site: Scene,
    kind: ClientKind,
    offered: AdvertisementId,
    cause: Cause,
    answer: Answer | None,
    status: int,
    share: str,
) -> None:
    account = rf"{REALM}\{site.account(REACHES[kind])}"
    log = site.agents[kind].log(LOGS[kind])
    assert {line.component for line in log} == {LOGS[kind]}
    said = f" as {account} (try 1): {answer or 'no answer'}, status {f'{status:#010x}' if status else 0}, "
    assert [line for line in log if line.type == 2 and line.text.startswith(share) and said in line.text]
    mine = [line.text for line in log if line.type == 3 and offered in line.text]
    assert mine
    for wanted in (EXPLANATIONS[cause].text, account, share):
        assert wanted in mine[-1]
    assert f"Way out: {EXPLANATIONS[cause].remedy}" in [line.text for line in log if line.type == 3]

    standing = site.standing(kind, offered)
    assert (standing.state, standing.cause, standing.remedy) == ("failed", cause, EXPLANATIONS[cause].remedy)
    assert (standing.message_id, standing.exit_code, standing.executed_as) == (10006, 5, "root")
    told = standing.accesses[-1]
    assert (told.unc.startswith(share), told.identity, told.answer) == (True, account, answer or "")
    assert told.status == status
