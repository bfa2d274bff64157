"""The site control file as it lives: it follows the estate, is changed by deltas, and travels between sites."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from keyturn.lifecycle.catalogue.products import role_names
from keyturn.model.errors import NotFound, Refused
from keyturn.model.estate import SiteCode
from keyturn.model.secret import Secret
from keyturn.operations import hierarchy, links, site_control, site_control_exchange
from keyturn.operations.bundles import post
from keyturn.operations.estates import import_estate
from keyturn.operations.site_control_text import export_text, import_text
from keyturn.operations.status_messages import Asked
from keyturn.site.bundles import Kind
from keyturn.site.components import ComponentName, Wanted
from keyturn.site.control.catalogue import Section
from keyturn.site.control.deltas import Delta, DeltaStatus, Operation, Set
from keyturn.site.control.document import Sealed
from keyturn.site.control.json_form import delta_text, document_text
from keyturn.site.control.paths import read_path
from keyturn.site.control.secrets import seal_for_site
from keyturn.site.status_messages import MessageId
from keyturn.wire.estate_file.reading import read_estate
from tests.estates import DEFAULT
from tests.hierarchy import Hierarchy, child, estate
from tests.inner_site import InnerSite, site_in

PASSWORD = read_path("address.NYC.password")
COMMENT = Set(read_path("site.PHX.comment"), "the first")
SECRET = Secret("Maple7Rain-42x")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[InnerSite]:
    site = site_in(tmp_path, DEFAULT)
    yield site
    site.close()


def retold(site: InnerSite, old: str, new: str) -> None:
    text = site.store.text().replace(old, new)
    import_estate(site.parts, text, read_estate(text, roles=role_names()), by="olga")


def proposed(site: InnerSite, *operations: Operation, base: int | None = None) -> DeltaStatus:
    return site_control.propose(site.parts, operations, base=base, by="olga").status


def said(site: InnerSite, message_id: MessageId) -> list[str]:
    return [m.text for m in site.store.messages(Asked(), 1000) if m.message_id == message_id]


def test_the_first_estate_makes_serial_0_and_each_change_of_it_the_next(site: InnerSite) -> None:
    assert site_control.current(site.parts).serial == 0
    retold(site, 'server = "SRV-PHX"', 'server = "SRV-NEW"')
    document = site_control.current(site.parts)
    item = document.find(Section.SITE, "PHX")
    assert (document.serial, item and item.text("server")) == (1, "SRV-NEW")
    assert [record.delta.author for record in site.store.control_history()] == ["olga", "olga"]


def test_an_estate_that_is_imported_as_it_was_makes_no_serial(site: InnerSite) -> None:
    retold(site, "", "")
    assert site_control.current(site.parts).serial == 0


def test_a_new_generation_is_in_the_document_as_soon_as_anybody_looks(site: InnerSite) -> None:
    site.create("CORP\\SMSClient_PHX")
    account = site_control.current(site.parts).find(Section.ACCOUNT, "CORP\\SMSClient_PHX")
    assert account
    assert (account.text("generation"), account.text("life")) == ("1", "active")
    assert site.store.control_history()[-1].delta.author == "the estate"


def test_an_applied_delta_a_refused_one_and_the_status_of_each_are_kept(site: InnerSite) -> None:
    assert proposed(site, COMMENT) is DeltaStatus.APPLIED
    assert proposed(site, COMMENT, base=0) is DeltaStatus.STALE
    assert proposed(site, Set(read_path("site.PHX.server"), "X")) is DeltaStatus.NOT_ITS_OWN
    history = site.store.control_history()
    assert [(r.status, r.serial) for r in history[1:]] == [("applied", 1), ("stale", None), ("not-its-own", None)]
    assert "serial 1, changed by olga" in said(site, MessageId.CONTROL_CHANGED)[-1]
    assert [line.kind for line in site.store.since()][-2:] == ["site-control-stale", "site-control-not-its-own"]
    assert len(said(site, MessageId.CONTROL_REFUSED)) == 2


def test_the_document_of_every_serial_can_be_looked_at(site: InnerSite) -> None:
    proposed(site, COMMENT)
    first, second = site_control.at_serial(site.parts, 0), site_control.at_serial(site.parts, 1)
    assert [d.items[0].text("comment") for d in (first, second)] == ["", "the first"]
    with pytest.raises(NotFound, match="no serial 2"):
        site_control.at_serial(site.parts, 2)


def test_a_site_reset_writes_the_master_under_a_serial_of_its_own(site: InnerSite) -> None:
    before = site_control.current(site.parts)
    after = site_control.write_master(site.parts, by="site reset")
    assert (after.serial, after.items) == (1, before.items)


def test_a_secret_is_kept_sealed_and_opens_for_the_site_alone(site: InnerSite) -> None:
    sealed = site_control.sealed_here(site.parts, PASSWORD, SECRET)
    assert proposed(site, Set(PASSWORD, sealed)) is DeltaStatus.APPLIED
    assert site_control.secret_at(site.parts, PASSWORD) == SECRET
    assert b"Maple7Rain" not in export_text(site.parts)
    assert b"Maple7Rain" not in b"".join(p.read_bytes() for p in site.folder.iterdir())
    with pytest.raises(NotFound, match=r"no secret is kept at address\.LAX\.password"):
        site_control.secret_at(site.parts, read_path("address.LAX.password"))


def test_a_delta_under_a_wrong_key_is_refused_and_kept_as_refused(site: InnerSite, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = site_in(tmp_path / "other", DEFAULT)
    foreign = site_control.sealed_here(other.parts, PASSWORD, SECRET)
    other.close()
    assert proposed(site, Set(PASSWORD, foreign)) is DeltaStatus.WRONG_KEY
    assert site_control.current(site.parts).find(Section.ADDRESS, "NYC") is None
    assert site.store.control_history()[-1].status is DeltaStatus.WRONG_KEY


def test_a_password_in_clear_is_refused_and_stands_nowhere_afterwards(site: InnerSite) -> None:
    assert proposed(site, Set(PASSWORD, SECRET.reveal())) is DeltaStatus.INVALID
    assert b"Maple7Rain" not in b"".join(p.read_bytes() for p in site.folder.iterdir())


def test_a_component_that_is_switched_off_is_ordered_to_stop_and_back_on_to_run(site: InnerSite) -> None:
    path = read_path("component.SMS_DESPOOLER.enabled")
    proposed(site, Set(path, "no"))
    assert site.store.orders()[ComponentName.DESPOOLER].wanted is Wanted.STOP
    proposed(site, Set(path, "yes"))
    assert site.store.orders()[ComponentName.DESPOOLER].wanted is Wanted.RUN


def test_a_text_is_taken_in_as_one_delta_and_given_out_with_what_was_foreign_in_it(site: InnerSite) -> None:
    text = (
        export_text(site.parts).replace(b"<Enabled><><><1>", b"<Enabled><><><0>", 1)
        + b"BEGIN_ODD\r\n <\x81>\r\nEND_ODD\r\n"
    )
    taken = import_text(site.parts, text, by="olga")
    assert taken.delta
    assert (taken.delta.status, taken.delta.serial, len(taken.delta.delta.operations)) == (DeltaStatus.APPLIED, 1, 1)
    assert export_text(site.parts) == text.replace(b"<0>\r\nEND_FILE", b"<1>\r\nEND_FILE")
    again = import_text(site.parts, export_text(site.parts), by="olga")
    assert again.delta is None


def test_a_text_of_an_older_serial_is_refused_whole(site: InnerSite) -> None:
    text = export_text(site.parts).replace(b"<Enabled><><><1>", b"<Enabled><><><0>", 1)
    proposed(site, COMMENT)
    taken = import_text(site.parts, text, by="olga")
    assert taken.delta
    assert taken.delta.status is DeltaStatus.STALE
    assert site.store.control_text() is None
    assert import_text(site.parts, text.replace(b"<0>\r\nEND_FILE", b"<1>\r\nEND_FILE"), by="olga").delta


def test_a_text_that_contradicts_the_estate_is_refused_unless_that_is_left_to_the_estate(site: InnerSite) -> None:
    text = export_text(site.parts).replace(b"<SRV-PHX>", b"<SRV-OLD>")
    with pytest.raises(Refused, match=r"at 1 places: site\.PHX\.server"):
        import_text(site.parts, text, by="olga")
    assert import_text(site.parts, text, leave_estate=True, by="olga").left == ("site.PHX.server",)
    assert b"<SRV-PHX>" in export_text(site.parts)


def test_a_clear_password_in_a_text_is_refused_and_the_text_is_not_kept(site: InnerSite) -> None:
    text = export_text(site.parts) + (
        b"BEGIN_ADDRESS\r\n<NYC>\r\n<MS_LAN>\r\n<1>\r\n"
        b"PROPERTY <LAN Login><CORP\\a><Maple7Rain-42x><0>\r\nEND_ADDRESS\r\n"
    )
    taken = import_text(site.parts, text, by="olga")
    assert taken.delta
    assert taken.delta.status is DeltaStatus.INVALID
    assert b"Maple7Rain" not in b"".join(p.read_bytes() for p in site.folder.iterdir())


@pytest.fixture
def family(tmp_path: Path) -> Iterator[Hierarchy]:
    """CEN above PHX above NYC."""
    family = Hierarchy(tmp_path)
    phx, nyc = child("PHX", parent="CEN", realm="CORP"), child("NYC", parent="PHX", realm="CORP")
    family.found("CEN", estate("CEN", realm="CORP", sites=phx + nyc, kind="central"))
    family.found("PHX", estate("PHX", realm="CORP", sites=nyc))
    family.found("NYC", estate("NYC", realm="CORP"))
    family.join("PHX", "CEN")
    family.join("NYC", "PHX")
    exchange(family)
    yield family
    family.close()


def exchange(family: Hierarchy) -> None:
    for _ in range(3):
        for site in family.sites.values():
            site_control_exchange.tell_above(site.parts)
        family.settle()


def test_every_site_above_has_the_newest_document_of_those_below(family: Hierarchy) -> None:
    site_control.propose(family.sites["NYC"].parts, [Set(read_path("site.NYC.comment"), "new")], by="nina")
    exchange(family)
    for code in ("CEN", "PHX"):
        copy = site_control_exchange.document_of(family.sites[code].parts, "NYC")
        assert copy == site_control.current(family.sites["NYC"].parts)
    with pytest.raises(NotFound, match="of site CEN has come here"):
        site_control_exchange.document_of(family.sites["NYC"].parts, "CEN")


def test_a_neighbour_has_an_address_in_the_document(family: Hierarchy) -> None:
    document = site_control.current(family.sites["PHX"].parts)
    assert {item.name: item.text("url") for item in document.of(Section.ADDRESS)} == {
        "CEN": "https://cen.example:8443",
        "NYC": "https://nyc.example:8443",
    }


def test_a_parent_changes_its_child_with_a_secret_that_only_the_child_opens(family: Hierarchy) -> None:
    parent, nyc = family.sites["PHX"], family.sites["NYC"]
    path = read_path("address.PHX.password")
    sealed = site_control_exchange.sealed_for(parent.parts, SiteCode("NYC"), path, SECRET)
    base = site_control_exchange.propose_to(parent.parts, SiteCode("NYC"), [Set(path, sealed)], by="olga")
    exchange(family)
    record = nyc.store.control_history()[-1]
    assert (record.delta.author, record.delta.base, record.status) == ("site PHX", base, DeltaStatus.APPLIED)
    assert site_control.secret_at(nyc.parts, path) == SECRET
    assert said(parent, MessageId.CONTROL_TOLD) == [
        f"site NYC says of the change sent to it: applied, serial {base + 1}"
    ]


def test_a_change_from_above_that_comes_late_is_refused_and_the_parent_is_told(family: Hierarchy) -> None:
    parent, nyc = family.sites["PHX"], family.sites["NYC"]
    change = [Set(read_path("site.NYC.comment"), "from above")]
    site_control_exchange.propose_to(parent.parts, SiteCode("NYC"), change, by="olga")
    site_control.propose(nyc.parts, [Set(read_path("site.NYC.comment"), "from here")], by="nina")
    exchange(family)
    assert nyc.store.control_history()[-1].status is DeltaStatus.STALE
    assert "stale: it was made for serial" in said(parent, MessageId.CONTROL_TOLD)[0]


def test_a_site_that_is_not_the_parent_changes_nothing(family: Hierarchy) -> None:
    nyc, above = family.sites["NYC"], family.sites["CEN"]
    serial = site_control.current(nyc.parts).serial
    delta = Delta(SiteCode("NYC"), "site PHX", serial, (Set(read_path("site.NYC.comment"), "mine"),))
    post(above.parts, SiteCode("NYC"), Kind.CONTROL, b"delta\n" + delta_text(delta).encode())
    exchange(family)
    last = nyc.store.control_history()[-1]
    assert (last.status, last.delta.author) == (DeltaStatus.NOT_SIGNED, "site CEN")
    assert site_control.current(nyc.parts).serial == serial
    with pytest.raises(Refused, match="not stand right below"):
        site_control_exchange.propose_to(above.parts, SiteCode("NYC"), [], by="olga")


@pytest.mark.parametrize("payload", [b"", b"delta\n{}", b"document\n{", b"document\n\xff", b"other\n"])
def test_what_is_no_word_about_a_control_file_is_refused_and_told(family: Hierarchy, payload: bytes) -> None:
    post(family.sites["PHX"].parts, SiteCode("NYC"), Kind.CONTROL, payload)
    exchange(family)
    assert [line.kind for line in family.sites["NYC"].store.since()].count("bundle-refused") == 1


def test_no_site_speaks_for_another_ones_document(family: Hierarchy) -> None:
    forged = document_text(site_control.current(family.sites["PHX"].parts)).encode()
    post(family.sites["NYC"].parts, SiteCode("CEN"), Kind.CONTROL, b"document\n" + forged)
    exchange(family)
    assert "bundle-refused" in [line.kind for line in family.sites["CEN"].store.since()]


def test_a_link_that_is_switched_off_carries_nothing_until_it_is_on_again(family: Hierarchy) -> None:
    nyc = family.sites["NYC"]
    path = read_path("address.PHX.enabled")
    site_control.propose(nyc.parts, [Set(path, "no")], by="nina")
    exchange(family)
    copy = site_control_exchange.document_of(family.sites["PHX"].parts, "NYC")
    assert copy.serial < site_control.current(nyc.parts).serial
    assert {link.to.code: link.state for link in links.links(nyc.parts)}["PHX"] == "held"
    site_control.propose(nyc.parts, [Set(path, "yes")], by="nina")
    exchange(family)
    assert {link.to.code: link.state for link in links.links(nyc.parts)}["PHX"] == "idle"
    copy = site_control_exchange.document_of(family.sites["PHX"].parts, "NYC")
    assert copy == site_control.current(nyc.parts)


def test_a_site_that_leaves_has_no_address_left(family: Hierarchy) -> None:
    hierarchy.leave(family.sites["NYC"].parts, by="olga")
    document = site_control.current(family.sites["NYC"].parts)
    assert [*document.of(Section.ADDRESS)] == []


def test_a_sealed_value_shows_as_sealed() -> None:
    assert str(Sealed(b"x")) == "<sealed>"
    assert "x" not in repr(Sealed(b"x")).replace("Sealed", "")


def test_there_is_no_sealing_to_what_is_no_key() -> None:
    with pytest.raises(Refused, match="no key to seal to"):
        seal_for_site("age1wrong", SiteCode("NYC"), PASSWORD, SECRET)
