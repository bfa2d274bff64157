"""The rotation of accounts in a real domain of two controllers, through the use cases of a site."""

import base64
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from keyturn.adapters.authorities.active_directory.authority import open_authority
from keyturn.lifecycle.ports import Authority, Rights
from keyturn.model.accounts import Account, AccountToBe, Credential
from keyturn.model.errors import AuthorityError
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.secret import Secret
from keyturn.operations import accounts, plans
from keyturn.operations.parts import LEASE_S
from keyturn.operations.ports import PlanState
from tests.builtin import Clock
from tests.inner_site import InnerSite, site_in
from tests.samba import OURS, REALM, Samba, running
from tests.samba_proxy import proxied
from tests.secrets.breaking import with_locals

FIRST = Secret("Turn-the-key-0001")
WRONG = Secret("Never-was-a-key-0")
GROUPS = Rights(groups=frozenset({"Keyturn Contract"}))
ESTATE = f"""
product = "generic"

[[realm]]
name = "{REALM}"
kind = "active-directory"
replicas = ["dc1", "dc2"]

[[site]]
code = "PHX"
realm = "{REALM}"
server = "SRV-PHX"

[[account]]
name = "kt-service"
realm = "{REALM}"
role = "service"
sites = ["PHX"]

[[account]]
name = "kt-shared"
realm = "{REALM}"
role = "shared-service"
sites = ["PHX"]
"""


@pytest.fixture(scope="module")
def samba() -> Iterator[Samba]:
    with running() as samba:
        yield samba


@pytest.fixture
def authority(samba: Samba) -> Authority:
    return open_authority(samba.realm(), lambda: OURS)


@pytest.fixture
def service(samba: Samba, authority: Authority) -> Iterator[Account]:
    account = authority.create(AccountToBe(REALM, "kt-service"), FIRST)
    samba.converge()
    yield account
    authority.delete(account)
    samba.converge()


def opened(folder: Path, authority: Authority) -> InnerSite:
    """The clock is the controllers': what they say of logons is compared with ours."""
    return site_in(folder, ESTATE, clock=Clock(time.time()), real={REALM: authority})


def logs_on(authority: Authority, site: InnerSite, account: Account, generation: int) -> set[Answer]:
    secret = site.store.secret(Credential(account, generation))
    return {authority.try_logon(account, secret, protocol=protocol) for protocol in LogonProtocol}


class Killed(BaseException):
    pass


class Mortal:
    """An authority whose process dies right after its call of that number."""

    def __init__(self, authority: Authority, calls: int) -> None:
        self._authority = authority
        self._left = calls

    def __getattr__(self, name: str) -> Any:
        verb = getattr(self._authority, name)

        def call(*given: object, **named: object) -> object:
            answer = verb(*given, **named)
            self._left -= 1
            if self._left == 0:
                raise Killed
            return answer

        return call


def test_the_sealed_password_logs_on_although_worker_after_worker_dies(
    tmp_path: Path, samba: Samba, authority: Authority, service: Account
) -> None:
    site = opened(tmp_path, authority)
    accounts.adopt(site.parts, "kt-service", FIRST, by="olga")
    record = site.rotate("kt-service")
    before, deaths = samba.version("kt-service"), 0
    while record.state not in (PlanState.DONE, PlanState.STOPPED):
        site.close()
        site = opened(tmp_path, cast("Authority", Mortal(authority, deaths + 1)))
        site.clock.turn((deaths + 1) * (LEASE_S + 1))
        try:
            plans.advance_plan(site.parts, record.plan_id, "worker")
        except Killed:
            deaths += 1
            samba.converge()
        record = site.store.plan(record.plan_id)
    assert record.state is PlanState.DONE, record.note
    assert deaths > 3
    assert samba.version("kt-service") == before + 1
    assert logs_on(authority, site, service, 2) == {Answer.ACCEPTED}
    assert authority.try_logon(service, FIRST, protocol=LogonProtocol.KERBEROS) is Answer.WRONG_PASSWORD
    site.close()


def test_a_set_whose_answer_is_lost_is_resolved_and_not_made_again(
    tmp_path: Path, samba: Samba, authority: Authority, service: Account
) -> None:
    with proxied(samba) as proxy:
        site = opened(tmp_path, open_authority(samba.realm((proxy.address, samba.hosts[1])), lambda: OURS))
        accounts.adopt(site.parts, "kt-service", FIRST, by="olga")
        record = site.rotate("kt-service")
        before = samba.version("kt-service")
        proxy.landed = lambda: samba.version("kt-service") > before
        record = site.run(record.plan_id, rounds=50)
    assert record.state is PlanState.DONE, record.note
    assert (proxy.cuts, samba.version("kt-service")) == (1, before + 1)
    assert logs_on(authority, site, service, 2) == {Answer.ACCEPTED}
    assert authority.describe(service).pinned.bad_count == 0
    site.close()


def test_a_set_that_a_controller_has_not_heard_of_is_waited_for(
    tmp_path: Path, samba: Samba, authority: Authority, service: Account
) -> None:
    site = opened(tmp_path, authority)
    accounts.adopt(site.parts, "kt-service", FIRST, by="olga")
    with samba.replication_off("dc2"):
        record = site.run(site.rotate("kt-service").plan_id, rounds=3)
        assert record.state is PlanState.WAITING
        assert record.missing == (samba.hosts[1],)
        assert authority.describe(service).replicas[1].bad_count == 0
    samba.converge()
    assert site.run(record.plan_id).state is PlanState.DONE
    site.close()


def test_a_second_account_is_made_in_the_same_groups_and_takes_over(
    tmp_path: Path, samba: Samba, authority: Authority
) -> None:
    site = opened(tmp_path, authority)
    site.create("kt-shared")
    first = authority.find("kt-shared")
    assert first
    authority.grant(first, GROUPS)
    samba.converge()
    record = site.run(site.rotate("kt-shared").plan_id, step_s=30)
    assert record.state is PlanState.DONE, record.note
    second = authority.find("kt-shared_2")
    assert second
    assert logs_on(authority, site, second, 1) == {Answer.ACCEPTED}
    assert authority.rights(second) == authority.rights(first)
    assert authority.rights(second).groups > GROUPS.groups
    assert not authority.describe(first).enabled
    for account in (first, second):
        authority.delete(account)
    site.close()


def test_no_log_and_no_traceback_has_a_password_however_talkative(
    samba: Samba, authority: Authority, service: Account, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    unreached = open_authority(samba.realm(("127.0.0.1",), port="1"), lambda: OURS)
    new, refused = Secret("Nobody-reads-this-1"), Secret("Zq-17")
    faults = []
    samba.adlab("loud", "dc1", "100")
    authority.set_password(service, new)
    for protocol in LogonProtocol:
        authority.try_logon(service, new, protocol=protocol)
        authority.try_logon(service, WRONG, protocol=protocol)
    for realm, secret in ((authority, refused), (unreached, new)):
        with pytest.raises(AuthorityError) as raised:
            realm.set_password(service, secret)
        faults.append(with_locals(raised.value))
    said = b"".join(path.read_bytes() for path in samba.directory.glob("dc1/**/*log*") if path.is_file())
    said += caplog.text.encode() + "".join(faults).encode()
    samba.adlab("loud", "dc1", "1")
    assert b"unicodePwd" in said
    assert b"PREAUTH_FAILED" in said, "the controller was not talkative"
    for secret in (new, WRONG, refused, OURS.secret):
        assert [form for form in _forms(secret) if form in said] == []


def _forms(secret: Secret) -> Iterator[bytes]:
    for plain in (secret.reveal().encode(), secret.reveal().encode("utf-16-le")):
        yield plain
        yield base64.b64encode(plain).rstrip(b"=")[:-1]
        yield plain.hex().encode()
        yield repr(plain)[2:-1].encode()
