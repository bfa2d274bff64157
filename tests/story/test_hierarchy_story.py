"""Five sites in a tree, without sockets: bundles through parents, accounts told by bundle and proven by a logon."""

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from keyturn.lifecycle.catalogue.products import role_names
from keyturn.model.errors import Refused
from keyturn.model.secret import Secret
from keyturn.operations import bundles, hierarchy, links, plans
from keyturn.operations.estates import import_estate
from keyturn.operations.hierarchy_ports import Joining
from keyturn.operations.neighbours import card_of, tree
from keyturn.operations.sending import Sender
from keyturn.site import messages
from keyturn.site.bundles import Kind
from keyturn.site.keys import new_keys
from keyturn.site.messages import Sites
from keyturn.wire.estate_file.reading import read_estate
from tests.hierarchy import Hierarchy, account, child, estate

BELOW_CEN = (
    child("EUR", parent="CEN", realm="CORP")
    + child("USA", parent="CEN", realm="CORP")
    + child("LON", parent="EUR", realm="CORP", kind="secondary")
    + child("PHX", parent="USA", realm="CORP", kind="secondary")
)
ACCOUNTS = account("KtToCen", "site-address", realm="CORP", sites=("EUR", "USA")) + account(
    "KtService", "service", realm="CORP", sites=("EUR", "LON")
)


@pytest.fixture
def sites(tmp_path: Path) -> Iterator[Hierarchy]:
    found = Hierarchy(tmp_path)
    found.found("CEN", estate("CEN", realm="CORP", kind="central", sites=BELOW_CEN, accounts=ACCOUNTS))
    found.found("EUR", estate("EUR", realm="EURO", sites=child("LON", parent="EUR", realm="EURO", kind="secondary")))
    found.found("USA", estate("USA", realm="AMER", sites=child("PHX", parent="USA", realm="AMER", kind="secondary")))
    found.found("LON", estate("LON", realm="HERE"))
    found.found("PHX", estate("PHX", realm="HERE"))
    found.join("EUR", "CEN")
    found.join("LON", "EUR")
    found.join("USA", "CEN")
    found.join("PHX", "USA")
    found.settle()
    yield found
    found.close()


def test_every_site_comes_to_know_every_other(sites: Hierarchy) -> None:
    for code, site in sites.sites.items():
        assert {k.card.code for k in site.store.known_sites()} | {code} == {"CEN", "EUR", "USA", "LON", "PHX"}
        assert tree(site.parts).next_hop("LON", "PHX") == "EUR"


@pytest.mark.parametrize("kind", [Kind.STATUS, Kind.INVENTORY, Kind.PACKAGE])
def test_a_file_of_each_kind_reaches_a_grandchild_through_its_parent(sites: Hierarchy, kind: Kind) -> None:
    bundles.post(sites.sites["CEN"].parts, "PHX", kind, b"for Phoenix")
    sites.turn("CEN")
    assert sites.sites["USA"].store.queued() == {"PHX": 1}
    sites.settle(2)
    [header] = sites.sites["PHX"].store.delivered()
    assert (header.source, header.kind) == ("CEN", kind)
    assert bundles.collect(sites.sites["PHX"].parts, header) == b"for Phoenix"
    assert sites.sites["USA"].store.queued() == {}


def test_a_bundle_whose_answer_was_lost_is_sent_again_and_taken_once(sites: Hierarchy) -> None:
    bundles.post(sites.sites["CEN"].parts, "PHX", Kind.PACKAGE, b"once")
    sites.silent = {("CEN", "USA"), ("USA", "PHX")}
    sites.settle(6)
    sites.silent = set()
    sites.settle(10)
    assert len(sites.sites["PHX"].store.delivered()) == 1
    assert all(site.store.queued() == {} for site in sites.sites.values())


def held(sites: Hierarchy, code: str) -> dict[str, tuple[int, str]]:
    found = sites.sites[code].store.held_credentials()
    return {one.account: (one.generation, str(one.standing)) for one in found}


@pytest.fixture
def with_accounts(sites: Hierarchy) -> Hierarchy:
    for name in ("KtToCen", "KtService"):
        sites.sites["CEN"].create(name)
    sites.settle()
    return sites


def test_a_site_holds_what_its_owner_gives_it_and_proves_it(with_accounts: Hierarchy) -> None:
    assert held(with_accounts, "EUR") == {"CORP\\KtToCen": (1, "proven"), "CORP\\KtService": (1, "proven")}
    assert held(with_accounts, "LON") == {"CORP\\KtService": (1, "proven")}
    assert held(with_accounts, "PHX") == {}


def rotate(sites: Hierarchy, code: str, account: str, *, rounds: int = 200) -> str:
    """Carried out at its owner, while every site takes its turns. What state the plan came to."""
    site = sites.sites[code]
    plan_id = site.rotate(account).plan_id
    for _ in range(rounds):
        plans.advance_plan(site.parts, plan_id, "worker")
        record = site.store.plan(plan_id)
        if record.state not in ("running", "waiting"):
            break
        sites.turn(step_s=5)
    return f"{record.state} {record.note} {record.missing}" if record.state != "done" else "done"


def wrong_logons(sites: Hierarchy) -> int:
    return sum(sites.sites[code].realm(realm).failed_logons(0) for code, realm in (("CEN", "CORP"), ("EUR", "EURO")))


def test_a_site_address_account_is_rotated_and_every_sender_logs_on_with_the_new_password(
    with_accounts: Hierarchy,
) -> None:
    assert rotate(with_accounts, "CEN", "KtToCen") == "done"
    assert held(with_accounts, "EUR")["CORP\\KtToCen"] == (2, "proven")
    bundles.post(with_accounts.sites["LON"].parts, "CEN", Kind.STATUS, b"from London")
    with_accounts.settle()
    [header] = with_accounts.sites["CEN"].store.delivered()
    assert header.source == "LON"
    assert wrong_logons(with_accounts) == 0


def test_a_grandchilds_service_account_is_changed_while_the_link_is_cut_half_of_the_time(
    with_accounts: Hierarchy,
) -> None:
    site = with_accounts.sites["CEN"]
    plan_id = site.rotate("KtService").plan_id
    both_ways = {("EUR", "LON"), ("LON", "EUR"), ("CEN", "EUR"), ("EUR", "CEN")}
    chance = random.Random(20030318)
    for _ in range(400):
        with_accounts.cut = both_ways if chance.random() < 0.5 else set()
        plans.advance_plan(site.parts, plan_id, "worker")
        if site.store.plan(plan_id).state not in ("running", "waiting"):
            break
        with_accounts.turn(step_s=5)
    assert site.store.plan(plan_id).state == "done", site.store.plan(plan_id)
    [account] = held(with_accounts, "LON")
    assert account != "CORP\\KtService", "a second account took over"
    assert held(with_accounts, "LON")[account] == (1, "proven")
    assert wrong_logons(with_accounts) == 0


def test_a_sender_that_was_refused_once_waits_and_never_shows_that_password_again(with_accounts: Hierarchy) -> None:
    center = with_accounts.sites["CEN"]
    account = center.realm("CORP").find("KtToCen")
    assert account is not None
    center.realm("CORP").set_password(account, Secret("Somebody-else-was-here-1"))
    with_accounts.senders["EUR"] = Sender(with_accounts.sites["EUR"].parts, lambda: 1.0)  # its session is gone
    with_accounts.sessions.clear()
    for _ in range(5):
        bundles.post(with_accounts.sites["EUR"].parts, "CEN", Kind.STATUS, b"anything")
        with_accounts.settle(20, step_s=600)
    assert center.realm("CORP").failed_logons(0) <= 2, "one by the sender, and one by whoever looks into it"
    assert held(with_accounts, "EUR")["CORP\\KtToCen"] == (1, "refused")
    [link] = [one for one in links.links(with_accounts.sites["EUR"].parts) if one.is_parent]
    assert "no Site Address account of site CEN that works" in link.record.trouble
    assert any(event.kind == "site-logon-refused" for event in with_accounts.sites["EUR"].store.since(0))


def test_a_site_that_was_cut_off_learns_of_a_new_password_by_the_lane_that_no_account_closes(
    with_accounts: Hierarchy,
) -> None:
    """The password changes while bundles are queued under the old one; the realm has no grace."""
    for number in range(3):
        bundles.post(with_accounts.sites["EUR"].parts, "CEN", Kind.STATUS, f"{number}".encode())
    with_accounts.cut = {("EUR", "CEN")}
    with_accounts.senders["EUR"] = Sender(with_accounts.sites["EUR"].parts, lambda: 1.0)
    site = with_accounts.sites["CEN"]
    plan_id = site.rotate("KtToCen").plan_id
    for _ in range(30):
        plans.advance_plan(site.parts, plan_id, "worker")
        with_accounts.turn(step_s=5)
    assert site.store.plan(plan_id).state == "waiting"
    with_accounts.cut = set()
    for _ in range(60):
        plans.advance_plan(site.parts, plan_id, "worker")
        with_accounts.turn(step_s=5)
    assert site.store.plan(plan_id).state == "done"
    assert [header.sequence for header in site.store.delivered()] == [1, 2, 3]
    assert wrong_logons(with_accounts) == 0


def test_a_bundle_that_comes_before_an_earlier_one_waits_for_it(sites: Hierarchy) -> None:
    center, eur = sites.sites["CEN"], sites.sites["EUR"]
    for text in (b"first", b"second"):
        bundles.post(center.parts, "EUR", Kind.PACKAGE, text)
    first, second = center.store.outgoing(["EUR"], 10)
    sender = card_of(eur.parts, "CEN")
    assert bundles.take_in(eur.parts, sender, center.store.outgoing_bundle(second), logged_on=True).taken
    assert bundles.open_arrived(eur.parts, {}) == 0
    assert bundles.take_in(eur.parts, sender, center.store.outgoing_bundle(first), logged_on=True).taken
    assert bundles.open_arrived(eur.parts, {}) == 2
    assert [bundles.collect(eur.parts, header) for header in eur.store.delivered()] == [b"first", b"second"]


def test_a_bundle_that_comes_by_another_way_than_its_own_is_refused(sites: Hierarchy) -> None:
    """A child that has got hold of a bundle of the other branch cannot pass it in."""
    bundles.post(sites.sites["USA"].parts, "CEN", Kind.STATUS, b"from the other branch")
    [header] = sites.sites["USA"].store.outgoing(["CEN"], 1)
    bundle = sites.sites["USA"].store.outgoing_bundle(header)
    center = sites.sites["CEN"].parts
    with pytest.raises(Refused, match="came through site EUR, which is not on its way"):
        bundles.take_in(center, card_of(center, "EUR"), bundle, logged_on=True)


def test_a_neighbour_is_not_believed_about_sites_on_another_side(sites: Hierarchy) -> None:
    center = sites.sites["CEN"].parts
    mine, theirs = card_of(center, "PHX"), new_keys()
    forged = replace(mine, verify_key=theirs.verify_key, recipient=theirs.recipient)
    for card, reason in (
        (forged, "has the code of the site below USA"),
        (replace(forged, code="NEW"), "which is not its own branch"),
        (replace(forged, code="CEN", parent="EUR"), "which is this site's"),
    ):
        with pytest.raises(Refused, match=reason):
            hierarchy.learn(center, "EUR", messages.write(Sites((card,))))
    assert card_of(center, "PHX") == mine


def test_a_second_site_under_a_code_that_is_taken_is_refused_by_name(sites: Hierarchy) -> None:
    with pytest.raises(Refused, match="site PHX does not stand below site CEN"):
        hierarchy.invite(sites.sites["CEN"].parts, "PHX", by="olga")
    text, eur = estate("EUR", realm="EURO", sites=child("PHX", parent="EUR", realm="EURO")), sites.sites["EUR"].parts
    import_estate(eur, text, read_estate(text, roles=role_names()), by="olga")
    twin = replace(card_of(eur, "PHX"), verify_key=new_keys().verify_key)
    address = twin.address
    joining = Joining(
        hierarchy.invite(eur, "PHX", by="olga"),
        twin.code,
        twin.server,
        address.url,
        address.authority,
        twin.verify_key,
        twin.recipient,
    )
    with pytest.raises(Refused, match="site PHX below EUR has the code of the site below USA"):
        hierarchy.accept(eur, joining)


def test_a_site_that_leaves_is_forgotten_and_can_come_back(sites: Hierarchy) -> None:
    for number in (1, 2):
        bundles.post(sites.sites["PHX"].parts, "LON", Kind.STATUS, b"before %d" % number)
    sites.settle()
    assert len(sites.sites["LON"].store.delivered()) == 2
    hierarchy.leave(sites.sites["EUR"].parts, by="olga")
    hierarchy.dismiss(sites.sites["CEN"].parts, "EUR", by="olga")
    sites.settle()
    assert {k.card.code for k in sites.sites["PHX"].store.known_sites()} == {"CEN", "USA", "PHX"}
    assert {k.card.code for k in sites.sites["LON"].store.known_sites()} == {"EUR", "LON"}
    sites.join("EUR", "CEN")
    sites.settle()
    bundles.post(sites.sites["PHX"].parts, "LON", Kind.STATUS, b"again")
    sites.settle()
    assert [header.source for header in sites.sites["LON"].store.delivered()] == ["PHX"]


def test_a_restart_between_any_two_turns_loses_and_doubles_nothing(sites: Hierarchy) -> None:
    texts = {code: estate_of(sites, code) for code in sites.sites}
    for number in range(12):
        for start, end in (("CEN", "PHX"), ("PHX", "LON"), ("LON", "CEN")):
            bundles.post(sites.sites[start].parts, end, Kind.STATUS, f"{start} {number}".encode())
        code = list(sites.sites)[number % 5]
        sites.turn("PHX", "CEN")
        sites.sites[code].close()
        sites.found(code, texts[code])
        sites.turn()
    sites.settle()
    for start, end in (("CEN", "PHX"), ("PHX", "LON"), ("LON", "CEN")):
        there = sites.sites[end]
        found = [bundles.collect(there.parts, header) for header in there.store.delivered() if header.source == start]
        assert found == [f"{start} {number}".encode() for number in range(12)]


def estate_of(sites: Hierarchy, code: str) -> str:
    return sites.sites[code].store.text()


def test_a_word_to_a_site_is_not_repeated_while_it_is_on_its_way(sites: Hierarchy) -> None:
    sites.cut = {("CEN", "EUR")}
    sites.sites["CEN"].create("KtToCen")
    sites.settle()
    waiting = sites.sites["CEN"].store.outgoing(["EUR"], 10)
    assert [header.kind for header in waiting] == [Kind.CREDENTIALS]
