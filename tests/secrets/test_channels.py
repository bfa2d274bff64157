"""What the agent, the command line, the store and the envelope hold while something foreign fails under them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pyrage
import pytest
import sqlalchemy
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from keyturn.adapters.shares.https import HttpsShare
from keyturn.adapters.site_files.certificates import make_authority
from keyturn.agent.keys import Keys
from keyturn.agent.link import Link
from keyturn.agent.ports import Exchange
from keyturn.agent.transport import PinnedHttps
from keyturn.cli.api import Api, ServerFailed
from keyturn.cli.demo.stage import free_port
from keyturn.model.errors import KeyturnError
from keyturn.model.secret import Secret
from keyturn.operations import accounts, plans
from keyturn.wire.agent import Enrol, Headers, NoAnswer, Reply
from keyturn.wire.door import Door
from keyturn.wire.sealed import new_identity, recipient_of
from keyturn.wire.signing import Request
from tests.estates import INSTALLATION
from tests.inner_site import site_in
from tests.secrets.breaking import with_locals
from tests.secrets.canary import Canaries


@contextmanager
def told(by: type[BaseException]) -> Iterator[list[str]]:
    """The traceback of what is raised inside, with locals."""
    found: list[str] = []
    with pytest.raises(by) as raised:
        yield found
    found.append(with_locals(raised.value))


def silent(request: Request, headers: Headers) -> Reply:
    raise NoAnswer("the site did not answer")


def unreachable(request: Request, headers: Headers) -> Reply:
    """The agent's own transport, with nobody at the other end."""
    authority = make_authority("PHX", datetime.now(UTC)).certificate_pem.decode()
    return PinnedHttps(f"https://127.0.0.1:{free_port()}", authority)(request, headers)


EXCHANGES = pytest.mark.parametrize("exchange", [silent, unreachable])


def link(exchange: Exchange) -> Link:
    keys = Keys(Ed25519PrivateKey.generate(), new_identity())
    return Link(exchange, "127.0.0.1:1", "PC-0001", keys, lambda: 1, lambda: 1e9)


@EXCHANGES
def test_an_enrolment_that_gets_no_answer_does_not_tell_its_token(exchange: Exchange, canaries: Canaries) -> None:
    token, identity = Secret(canaries.plant("the token")), new_identity()
    canaries.learn("the agent's identity", identity.reveal())
    with told(NoAnswer) as found:
        link(exchange).enrol(Enrol(token, "PC-0001", bytes(32), recipient_of(identity)))
    canaries.nothing_leaked([], {"traceback": found[0]})


@EXCHANGES
def test_a_logon_that_gets_no_answer_does_not_tell_its_password(exchange: Exchange, canaries: Canaries) -> None:
    secret = Secret(canaries.plant("the password"))
    with told(NoAnswer) as found:
        HttpsShare(link(exchange).send, "/cap").read("site.json", "CORP\\KtInstall", secret)
    canaries.nothing_leaked([], {"traceback": found[0]})


def test_a_command_that_finds_no_server_does_not_tell_what_it_wanted_to_send(canaries: Canaries) -> None:
    door = Door(f"https://127.0.0.1:{free_port()}", "", Secret(canaries.plant("the token")))
    secret = Secret(canaries.plant("the password"))
    with told(ServerFailed) as found:
        Api(door).post("/accounts/adopt", {"account": "KtInstall", "password": secret})
    canaries.nothing_leaked([], {"traceback": found[0]})


def test_an_envelope_that_cannot_be_sealed_does_not_tell_its_content(
    tmp_path: Path, canaries: Canaries, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> bytes:
        raise MemoryError

    site = site_in(tmp_path, INSTALLATION)
    secret = Secret(canaries.plant("the password", 14))
    record = plans.propose_creation(site.parts, "KtInstall", by="olga", given=secret)
    plans.approve(site.parts, record.plan_id, by="paul")
    monkeypatch.setattr(pyrage, "encrypt", fails)
    with told(MemoryError) as found:
        plans.advance_plan(site.parts, record.plan_id, "worker")
    site.close()
    canaries.nothing_leaked([], {"traceback": found[0]})


def test_the_words_of_a_failed_connection_do_not_repeat_what_was_sent(canaries: Canaries) -> None:
    """The error itself goes into a log line and into `status.json`."""
    secret = Secret(canaries.plant("the password"))
    with pytest.raises(NoAnswer) as raised:
        HttpsShare(link(unreachable).send, "/cap").read("site.json", "CORP\\KtInstall", secret)
    canaries.nothing_leaked([], {"message": str(raised.value), "context": repr(raised.value.__context__)})


def test_a_statement_that_fails_does_not_tell_its_values(tmp_path: Path, canaries: Canaries) -> None:
    """Whichever statement of taking an account in it is; SQLAlchemy's errors would quote them by default."""
    site = site_in(tmp_path, INSTALLATION)
    secret = Secret(canaries.plant("the password", 14))
    record = plans.propose_creation(site.parts, "KtInstall", by="olga", given=secret)
    plans.approve(site.parts, record.plan_id, by="paul")
    assert site.run(record.plan_id).state == "done"
    found: dict[str, str] = {}
    while True:
        with failing_statement(len(found) + 1) as statement:
            try:
                accounts.adopt(site.parts, "KtInstall", secret, by="olga")
            except KeyturnError as error:
                found[f"statement {statement.number}"] = f"{error} {error.__cause__} {with_locals(error)}"
            else:
                break
        site.clock.turn(3600)
    site.close()
    assert len(found) > 5
    canaries.nothing_leaked([], found)


class Statement:
    """Counts statements of any engine down to the one that fails."""

    def __init__(self, number: int) -> None:
        self.number = number
        self._left = number

    def __call__(self, *_: object) -> None:
        self._left -= 1
        if self._left == 0:
            raise sqlalchemy.exc.OperationalError("INSERT", {}, OSError("disk I/O error"))


@contextmanager
def failing_statement(number: int) -> Iterator[Statement]:
    statement = Statement(number)
    sqlalchemy.event.listen(sqlalchemy.Engine, "before_cursor_execute", statement)
    try:
        yield statement
    finally:
        sqlalchemy.event.remove(sqlalchemy.Engine, "before_cursor_execute", statement)
