"""The agent's line to its site: what each HTTP answer means, and what a wrong clock leads to."""

from dataclasses import dataclass, field
from email.utils import formatdate

import pytest

from keyturn.adapters.shares.https import HttpsShare
from keyturn.agent.keys import new_keys
from keyturn.agent.link import Link, authority_of
from keyturn.model.errors import Refused
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret
from keyturn.wire.agent import ANSWER_HEADER, BadMessage, CheckIn, Directions, NoAnswer, Proof, Reply, write
from keyturn.wire.signing import verify

NOW = 1_800_000_000.0
ACCOUNT = "PHX\\SMSClient_PHX"
KEYS = new_keys()
NOTHING = Directions((), 60.0, NOW)


@dataclass
class ScriptedExchange:
    """Answers from a list, and keeps what it was asked."""

    replies: list[Reply]
    asked: list = field(default_factory=list)

    def __call__(self, request, headers):
        self.asked.append((request, headers))
        return self.replies.pop(0)


def link(*replies, now=NOW):
    numbers = iter(range(1, 100))
    exchange = ScriptedExchange(list(replies))
    return exchange, Link(exchange, "phx.example", "PC-0001", KEYS, lambda: next(numbers), lambda: now)


def date(at):
    return {"date": formatdate(at, usegmt=True)}


def test_every_request_is_signed_and_numbered():
    exchange, line = link(Reply(200, {}, write(NOTHING)), Reply(200, {}, b"{}"))
    assert line.check_in(CheckIn((), "0")) == NOTHING
    line.prove(ACCOUNT, Proof(1, Answer.ACCEPTED))
    signed = [verify(request, headers, KEYS.verify_key, now=NOW) for request, headers in exchange.asked]
    assert [(s.keyid, s.counter) for s in signed] == [("PC-0001", 1), ("PC-0001", 2)]
    assert exchange.asked[1][0].path == "/agent/v1/clients/PC-0001/credentials/PHX%5CSMSClient_PHX"


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, Refused), (403, Refused), (404, Refused), (422, Refused), (429, NoAnswer), (500, NoAnswer), (503, NoAnswer)],
)
def test_what_an_http_status_means(status, error):
    _, line = link(Reply(status, {}))
    with pytest.raises(error):
        line.check_in(CheckIn((), "0"))


def test_an_answer_of_another_shape_is_no_direction():
    _, line = link(Reply(200, {}, b'{"directions": "all"}'))
    with pytest.raises(BadMessage):
        line.check_in(CheckIn((), "0"))


@pytest.mark.parametrize("status", [200, 204, 400, 403, 404, 409])
def test_a_proof_the_site_has_no_use_for_is_done_with(status):
    _, line = link(Reply(status, {}))
    line.prove(ACCOUNT, Proof(1, Answer.ACCEPTED))


@pytest.mark.parametrize(("status", "error"), [(401, Refused), (429, NoAnswer), (503, NoAnswer)])
def test_a_proof_that_did_not_arrive_is_trouble(status, error):
    _, line = link(Reply(status, {}))
    with pytest.raises(error):
        line.prove(ACCOUNT, Proof(1, Answer.ACCEPTED))


def test_why_the_site_refuses_is_passed_on_as_one_line():
    _, line = link(Reply(403, {}, b'{"error": "this token\\n is used", "more": 1}'))
    with pytest.raises(Refused, match=r"^the site refused: this token  is used$"):
        line.check_in(CheckIn((), "0"))


def test_a_wrong_clock_is_set_by_the_sites_and_the_request_signed_again():
    exchange, line = link(Reply(401, date(NOW)), Reply(200, date(NOW), write(NOTHING)), now=NOW - 86400)
    assert line.check_in(CheckIn((), "0")) == NOTHING
    (_, stale), (request, fresh) = exchange.asked
    assert verify(request, fresh, KEYS.verify_key, now=NOW).counter == 2
    assert f"created={int(NOW) - 86400}" in stale["signature-input"]


def test_a_right_clock_is_no_reason_to_ask_twice():
    exchange, line = link(Reply(401, date(NOW + 20)))
    with pytest.raises(Refused):
        line.check_in(CheckIn((), "0"))
    assert len(exchange.asked) == 1


@pytest.mark.parametrize("headers", [{}, {"date": "yesterday"}, {"date": "Mon, 99 Foo 2027 00:00:00 GMT"}])
def test_a_site_that_does_not_tell_the_time_is_not_asked_twice(headers):
    exchange, line = link(Reply(401, headers))
    with pytest.raises(Refused):
        line.check_in(CheckIn((), "0"))
    assert len(exchange.asked) == 1


def test_a_wrong_password_is_presented_once_even_by_a_wrong_clock():
    exchange, line = link(Reply(401, {ANSWER_HEADER: "wrong-password", **date(NOW + 86400)}))
    reading = HttpsShare(line.send, "/cap").read("site.json", ACCOUNT, Secret("old"))
    assert reading.answer is Answer.WRONG_PASSWORD
    assert len(exchange.asked) == 1


@pytest.mark.parametrize(
    ("reply", "answer", "content"),
    [
        (Reply(200, {ANSWER_HEADER: "accepted"}, b"{}"), Answer.ACCEPTED, b"{}"),
        (Reply(404, {ANSWER_HEADER: "accepted"}, b"no such file"), Answer.NO_FILE, None),
        (Reply(401, {ANSWER_HEADER: "locked"}, b"x"), Answer.LOCKED, None),
        (Reply(401, {ANSWER_HEADER: "unknown-account"}), Answer.UNKNOWN_ACCOUNT, None),
    ],
)
def test_what_the_access_point_answers(reply, answer, content):
    _, line = link(reply)
    reading = HttpsShare(line.send, "/cap").read("site.json", ACCOUNT, Secret("a:b"))
    assert (reading.answer, reading.content) == (answer, content)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(401, {}),
        Reply(200, {}, b"{}"),
        Reply(200, {ANSWER_HEADER: "perhaps"}, b"{}"),
        Reply(503, {ANSWER_HEADER: "accepted"}),
    ],
)
def test_without_the_realms_answer_there_is_none(reply):
    _, line = link(reply)
    with pytest.raises(NoAnswer):
        HttpsShare(line.send, "/cap").read("site.json", ACCOUNT, Secret("a"))


def test_a_colon_in_an_account_does_not_reach_the_wire():
    exchange, line = link()
    with pytest.raises(ValueError, match="colon"):
        HttpsShare(line.send, "/cap").read("site.json", "PHX\\a:b", Secret("c"))
    assert exchange.asked == []


@pytest.mark.parametrize(
    ("server", "authority"),
    [
        ("https://phx.example", "phx.example"),
        ("https://PHX.example:8443/", "phx.example:8443"),
        ("https://127.0.0.1:8443", "127.0.0.1:8443"),
        ("https://[::1]:8443", "[::1]:8443"),
    ],
)
def test_the_authority_of_a_servers_address(server, authority):
    assert authority_of(server) == authority


@pytest.mark.parametrize(
    "server",
    [
        "http://phx.example",
        "phx.example",
        "https://",
        "https://:8443",
        "https://user@phx.example",
        "https://phx.example/path",
        "https://phx.example?x",
        "https://phx.example:99999",
        "https://phx.example:x",
        "https://[::1",
        "https://phx.example\n",
    ],
)
def test_what_is_no_servers_address(server):
    with pytest.raises(Refused, match="no server's address"):
        authority_of(server)
