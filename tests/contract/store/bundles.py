"""What the contract asks of bundles on their way, of sites that are known, and of passwords that other sites gave."""

from dataclasses import replace

import pytest

from keyturn.adapters.store.store import SqlStore
from keyturn.model.accounts import RoleName
from keyturn.model.errors import NotFound
from keyturn.model.estate import SiteCode, SiteKind
from keyturn.model.secret import Secret
from keyturn.operations.hierarchy_ports import HeldCredential, KnownSite, LinkRecord, Standing, Told
from keyturn.site.bundles import Header, Kind, seal, sign
from keyturn.site.cards import Address, Card
from keyturn.site.keys import new_keys
from tests.contract.store.setting import Setting

CEN, EUR, PHX = map(SiteCode, ("CEN", "EUR", "PHX"))
KEYS = new_keys()
SEALED = seal(b"payload", KEYS.recipient)
CARD = Card(EUR, SiteKind.PRIMARY, CEN, "SRV-EUR", Address("https://eur:1", "PEM"), KEYS.verify_key, KEYS.recipient)


def header(number: int, kind: Kind = Kind.STATUS, *, source: SiteCode = EUR, end: SiteCode = CEN) -> Header:
    return Header(source, end, kind, number, 1000.5)


def closed(one: Header) -> bytes:
    return sign(one, SEALED, KEYS)


def queue(store: SqlStore, end: SiteCode, kind: Kind) -> int:
    return store.queue(EUR, end, kind, lambda number: closed(header(number, kind, end=end)))


class QueuesContract(Setting):
    def test_each_stream_is_numbered_from_1_without_a_gap(self, empty: SqlStore) -> None:
        kinds = (Kind.STATUS, Kind.PACKAGE, Kind.PROOFS, Kind.STATUS)
        assert [queue(empty, CEN, kind) for kind in kinds] == [1, 2, 1, 3]
        assert queue(empty, PHX, Kind.STATUS) == 1
        assert empty.queued() == {CEN: 4, PHX: 1}

    def test_a_number_is_not_used_up_by_a_bundle_that_could_not_be_closed(self, empty: SqlStore) -> None:
        def failing(number: int) -> bytes:
            raise NotFound("no key")

        with pytest.raises(NotFound):
            empty.queue(EUR, CEN, Kind.STATUS, failing)
        assert queue(empty, CEN, Kind.STATUS) == 1

    def test_what_accounts_are_about_goes_first_and_the_rest_in_its_order(self, empty: SqlStore) -> None:
        for kind in (Kind.STATUS, Kind.PACKAGE, Kind.CREDENTIALS):
            queue(empty, CEN, kind)
        found = empty.outgoing([CEN], 10)
        assert [one.kind for one in found] == [Kind.CREDENTIALS, Kind.STATUS, Kind.PACKAGE]
        assert empty.outgoing_bundle(found[1]) == closed(header(1))
        empty.sent(found[0])
        assert empty.outgoing([CEN], 10) == found[1:]
        with pytest.raises(NotFound, match="credentials 1 from EUR to CEN"):
            empty.outgoing_bundle(found[0])

    def test_a_bundle_for_somebody_else_passes_once_even_after_it_has_gone(self, empty: SqlStore) -> None:
        one = header(1, end=PHX)
        assert empty.pass_on(one, closed(one))
        empty.sent(one)
        assert not empty.pass_on(one, closed(one))
        assert empty.queued() == {}

    def test_what_comes_early_waits_for_what_is_before_it(self, empty: SqlStore) -> None:
        for number in (2, 3):
            assert empty.arrive(header(number), closed(header(number)))
        assert empty.openable() == ()
        assert empty.arrive(header(1), closed(header(1)))
        for number in (1, 2, 3):
            assert empty.openable() == (header(number),)
            empty.opened(header(number), keep=True)
        assert empty.delivered() == (header(1), header(2), header(3))

    @pytest.mark.parametrize("keep", [True, False])
    def test_what_was_opened_does_not_arrive_again(self, empty: SqlStore, keep: bool) -> None:
        assert empty.arrive(header(1), closed(header(1)))
        assert not empty.arrive(header(1), closed(header(1)))
        empty.opened(header(1), keep=keep)
        assert not empty.arrive(header(1), closed(header(1)))
        empty.collected(header(1))
        assert not empty.arrive(header(1), closed(header(1)))
        assert (empty.openable(), empty.delivered()) == ((), ())

    def test_only_what_was_opened_is_collected(self, empty: SqlStore) -> None:
        empty.arrive(header(1), closed(header(1)))
        empty.collected(header(1))
        assert empty.arrived_bundle(header(1)) == closed(header(1))


class KnownSitesContract(Setting):
    def test_a_site_has_one_pair_of_keys(self, empty: SqlStore) -> None:
        assert empty.site_keys().recipient == empty.site_keys().recipient
        assert empty.site_keys().verify_key == empty.site_keys().verify_key

    def test_a_card_is_kept_as_it_was_given_and_a_later_one_replaces_it(self, empty: SqlStore) -> None:
        for card in (CARD, replace(CARD, server="SRV-EUR2")):
            empty.keep_site(KnownSite(card, CEN))
            assert empty.known_sites() == (KnownSite(card, CEN),)

    def test_a_forgotten_site_leaves_nothing_and_begins_anew(self, empty: SqlStore) -> None:
        empty.keep_site(KnownSite(CARD, CEN))
        empty.note_link(LinkRecord(EUR, 3, 1000, None, "no answer"))
        empty.tell_site(EUR, "CORP\\X", Told(1, answered=False))
        passing, arriving = header(1, end=PHX), header(1)
        empty.pass_on(passing, closed(passing))
        empty.arrive(arriving, closed(arriving))
        empty.opened(arriving, keep=True)
        empty.forget_site(EUR)
        assert (empty.known_sites(), empty.words(), empty.link(EUR)) == ((), {}, LinkRecord(EUR))
        assert (empty.queued(), empty.delivered()) == ({}, ())
        assert empty.arrive(arriving, closed(arriving))

    def test_a_link_stands_as_it_was_noted_last(self, empty: SqlStore) -> None:
        for record in (LinkRecord(EUR, 1, 5.5, None, "no answer"), LinkRecord(EUR, last_sent_at=7.0)):
            empty.note_link(record)
            assert empty.link(EUR) == record

    def test_the_last_word_to_a_site_about_an_account_counts(self, empty: SqlStore) -> None:
        for word in (Told(1, answered=False), Told(1, answered=True), Told(2, answered=False)):
            empty.tell_site(EUR, "CORP\\X", word)
            assert empty.words() == {EUR: {"CORP\\X": word}}
        empty.tell_site(EUR, "CORP\\X", None)
        assert empty.words() == {}


class HeldCredentialsContract(Setting):
    def test_a_password_of_another_site_is_kept_by_generation(self, empty: SqlStore) -> None:
        first = HeldCredential("CORP\\KtToCen", 1, RoleName("sms2003/site-address"), CEN)
        second = replace(first, generation=2)
        for credential, password in ((first, "Turn-the-key-1"), (second, "Turn-the-key-2")):
            empty.hold(credential, Secret(password))
            assert empty.held_credentials() == (credential,)
            assert empty.held_secret(credential) == Secret(password)
        with pytest.raises(NotFound, match="KtToCen generation 1 is not held"):
            empty.held_secret(first)
        empty.keep_standing(replace(first, standing=Standing.REFUSED))
        assert empty.held_credentials() == (second,)
        empty.keep_standing(replace(second, standing=Standing.PROVEN, retry_at=5.5))
        assert empty.held_credentials() == (replace(second, standing=Standing.PROVEN, retry_at=5.5),)
        empty.let_go("corp\\kttocen")
        assert empty.held_credentials() == ()
