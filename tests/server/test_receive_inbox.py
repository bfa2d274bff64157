"""The receive inbox over HTTP: who is signed in, whose account is asked for, and what is never looked at."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from keyturn.adapters.links.https import HttpsLine
from keyturn.model.accounts import Credential
from keyturn.model.errors import KeyturnError, Refused
from keyturn.model.estate import SiteCode
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret
from keyturn.operations import bundles, hierarchy
from keyturn.operations.despooling import HANDLERS
from keyturn.operations.hierarchy_ports import SiteLogon, Unreached
from keyturn.operations.neighbours import card_of, own_server
from keyturn.operations.parts import Parts
from keyturn.operations.sending import Sender
from keyturn.operations.site_credentials import prove_fresh, tell_sites
from keyturn.server import receive
from keyturn.server.serving import _refused
from keyturn.site.bundles import Header, Kind, seal, sign
from keyturn.site.cards import Address
from keyturn.site.keys import new_keys
from keyturn.wire.agent import Headers, NoAnswer, Reply, in_clear
from keyturn.wire.signing import Request
from tests.hierarchy import account, child, estate
from tests.inner_site import InnerSite, site_in

ACCOUNT = "CORP\\KtToCen"


class Net:
    """Servers by their address, each a Starlette application; what is sent can be looked at and altered."""

    def __init__(self) -> None:
        self.servers: dict[str, TestClient] = {}
        self.sent: list[tuple[str, str, bytes]] = []

    def connect(self, url: str, authority: str) -> "Net":
        return self

    def __call__(self, request: Request, headers: Headers) -> Reply:
        if request.authority not in self.servers:
            raise NoAnswer("no such server")
        self.sent.append((request.method, request.path, request.body))
        answer = self.servers[request.authority].request(
            request.method, request.path, content=request.body, headers=in_clear(headers)
        )
        return Reply(answer.status_code, dict(answer.headers), answer.content)


@pytest.fixture
def net() -> Net:
    return Net()


def found(folder: Path, net: Net, code: str, text: str) -> InnerSite:
    place, host = folder / code, f"{code.lower()}.example:8443"
    place.mkdir()

    def reached(parts: Parts) -> Parts:
        line = HttpsLine(
            lambda: own_server(parts.store, code),
            parts.store.site_keys,
            net.connect,
            lambda url, fingerprint: "pinned",
            now=parts.now,
        )
        address = Address(f"https://{host}", "pinned")
        return replace(parts, settings=replace(parts.settings, site=code), address=address, line=line)

    site = site_in(place, text, wrap=reached)
    routes = receive.routes(site.parts, frozenset({host}))
    app = Starlette(routes=routes, exception_handlers={KeyturnError: _refused})
    net.servers[host] = TestClient(app, base_url=f"https://{host}", raise_server_exceptions=False)
    return site


@pytest.fixture
def sites(tmp_path: Path, net: Net) -> Iterator[tuple[InnerSite, InnerSite]]:
    """A central site, and one below it that has proven its Site Address account."""
    below = child("EUR", parent="CEN", realm="CORP")
    accounts = account("KtToCen", "site-address", realm="CORP", sites=("EUR",))
    center = found(tmp_path, net, "CEN", estate("CEN", realm="CORP", kind="central", sites=below, accounts=accounts))
    eur = found(tmp_path, net, "EUR", estate("EUR", realm="EURO"))
    token = hierarchy.invite(center.parts, "EUR", by="olga")
    hierarchy.join(eur.parts, "https://cen.example:8443", "", token, by="olga")
    center.create("KtToCen")
    settle(center, eur)
    yield center, eur
    center.close()
    eur.close()


def settle(*sites: InnerSite) -> None:
    for _ in range(4):
        for site in sites:
            tell_sites(site.parts)
            Sender(site.parts, lambda: 1.0).turn()
            bundles.open_arrived(site.parts, HANDLERS)
            prove_fresh(site.parts)
            site.clock.turn(10)


def test_a_site_joins_is_given_an_account_and_logs_on_with_it(sites: tuple[InnerSite, InnerSite], net: Net) -> None:
    center, eur = sites
    [held] = eur.store.held_credentials()
    assert (held.account, held.standing) == (ACCOUNT, "proven")
    assert center.store.estate().proven("SRV-EUR", center.store.named(ACCOUNT).account) == 1
    bundles.post(eur.parts, SiteCode("CEN"), Kind.STATUS, b"hello")
    assert Sender(eur.parts, lambda: 1.0).turn() == 1
    assert [path for _, path, _ in net.sent[-3:]] == ["/despoolr.box/logon"] * 2 + ["/despoolr.box/receive"]


def test_a_file_without_a_logon_is_not_taken_and_what_accounts_are_about_is(
    sites: tuple[InnerSite, InnerSite],
) -> None:
    _, eur = sites
    there = card_of(eur.parts, "CEN")
    for kind, taken in ((Kind.STATUS, False), (Kind.PROOFS, True)):
        number = bundles.post(eur.parts, SiteCode("CEN"), kind, b"{}")
        [header] = [h for h in eur.store.outgoing(["CEN"], 10) if (h.kind, h.sequence) == (kind, number)]
        receipt = eur.parts.line.deliver(there, eur.store.outgoing_bundle(header), None)
        assert (receipt.taken, receipt.log_on) == (taken, not taken)
        forged = eur.parts.line.deliver(there, eur.store.outgoing_bundle(header), Secret("a-session-of-nobody"))
        assert forged.taken is taken


def test_an_old_generation_is_not_even_looked_at(sites: tuple[InnerSite, InnerSite]) -> None:
    center, eur = sites
    there = card_of(eur.parts, "CEN")
    assert eur.parts.line.ask(there, ACCOUNT, 1) == ""
    for name, generation in ((ACCOUNT, 7), ("CORP\\Administrator", 1)):
        session = eur.parts.line.log_on(there, SiteLogon(name, generation, Secret("Wrong-password-1")))
        assert (session.answer, session.token) == (None, None)
        assert session.reason == eur.parts.line.ask(there, name, generation)
    assert center.realm().failed_logons(0) == 0


def test_a_wrong_password_of_the_live_generation_is_a_real_bad_attempt(sites: tuple[InnerSite, InnerSite]) -> None:
    center, eur = sites
    logon = SiteLogon(ACCOUNT, 1, Secret("Wrong-password-1"))
    assert eur.parts.line.log_on(card_of(eur.parts, "CEN"), logon).answer is Answer.WRONG_PASSWORD
    assert center.realm().failed_logons(0) == 1


def test_a_stranger_with_a_key_of_its_own_is_turned_away(sites: tuple[InnerSite, InnerSite], net: Net) -> None:
    center, eur = sites
    stranger = new_keys()
    line = HttpsLine(lambda: "SRV-EUR", lambda: stranger, net.connect, lambda url, mark: "", now=center.clock)
    header = Header(SiteCode("EUR"), SiteCode("CEN"), Kind.PROOFS, 99, center.clock.now)
    bundle = sign(header, seal(b"{}", center.store.site_keys().recipient), stranger)
    with pytest.raises(Unreached, match="status 401"):
        line.deliver(card_of(eur.parts, "CEN"), bundle, None)


def test_a_site_cannot_send_in_the_name_of_another(sites: tuple[InnerSite, InnerSite]) -> None:
    center, eur = sites
    header = Header(SiteCode("CEN"), SiteCode("CEN"), Kind.SITES, 1, center.clock.now)
    bundle = sign(header, seal(b"{}", center.store.site_keys().recipient), eur.store.site_keys())
    with pytest.raises(Unreached, match="not signed by site CEN"):
        eur.parts.line.deliver(card_of(eur.parts, "CEN"), bundle, None)


def test_a_token_joins_once_and_only_the_site_it_was_made_for(
    sites: tuple[InnerSite, InnerSite], tmp_path: Path, net: Net
) -> None:
    center, _ = sites
    token = hierarchy.invite(center.parts, "EUR", by="olga")
    other = found(tmp_path, net, "USA", estate("USA", realm="AMER"))
    with pytest.raises(Refused, match="no site USA"):
        hierarchy.join(other.parts, "https://cen.example:8443", "", token, by="olga")
    other.close()


def test_no_password_travels_in_clear_but_in_the_logon_itself(sites: tuple[InnerSite, InnerSite], net: Net) -> None:
    center, _ = sites
    managed = center.store.named(ACCOUNT)
    password = center.store.secret(Credential(managed.account, 1)).reveal().encode()
    assert {path for _, path, body in net.sent if password in body} == {"/despoolr.box/logon"}
