"""Machines that enrol themselves at logon with a key of the site: whom it lets in, and whom it must not."""

import hashlib
from pathlib import Path

import pytest

from keyturn.model.errors import KeyturnError, NotFound, Refused
from keyturn.model.secret import Secret
from keyturn.operations import clients
from keyturn.operations.client_ports import EnrolledClient, Heard
from keyturn.operations.recovery import SILENT_S, enrol_by, issue, revoke
from keyturn.operations.status_messages import Asked
from keyturn.site.status_messages import MessageId
from tests.estates import ADDITIONAL
from tests.inner_site import RECIPIENT, InnerSite, site_in

PC, LASTS_S = "PC-0001", 30 * 24 * 3600.0


@pytest.fixture
def site(tmp_path: Path) -> InnerSite:
    site = site_in(tmp_path, ADDITIONAL)
    site.create("KtClient")
    return site


def arrives(site: InnerSite, key: Secret, name: str = PC, keys: str = "first") -> EnrolledClient:
    return enrol_by(site.parts, key, name, hashlib.sha256(f"{name} {keys}".encode()).digest(), RECIPIENT)


def test_one_key_enrols_every_machine_of_the_estate_and_counts_them(site: InnerSite) -> None:
    key = issue(site.parts, "all", lasts_s=LASTS_S, by="olga")
    for name in (PC, "PC-0002"):
        arrives(site, key, name)
    assert [client.name for client in site.store.enrolled()] == [PC, "PC-0002"]
    [kept] = site.store.logon_keys()
    assert (kept.name, kept.issued_by, kept.used) == ("all", "olga", 2)
    assert site.store.messages(Asked(), 10)[-1].message_id == MessageId.ENROLLED_AT_LOGON
    assert site.store.told("client-invited", "PC-0002")


def test_a_machine_that_enrolled_at_logon_is_offered_what_the_estate_gives_it(site: InnerSite) -> None:
    arrives(site, issue(site.parts, "all", lasts_s=LASTS_S, by="olga"))
    assert [str(offer.account) for offer in site.store.offers(PC)] == ["CORP\\KtClient"]


def test_a_machine_that_is_not_in_the_estate_is_not_enrolled(site: InnerSite) -> None:
    key = issue(site.parts, "all", lasts_s=LASTS_S, by="olga")
    with pytest.raises(NotFound, match="PC-0009"):
        arrives(site, key, "PC-0009")
    assert site.store.enrolled() == ()
    assert site.store.logon_keys()[0].used == 0


def test_a_living_client_is_not_replaced_by_whoever_has_the_key(site: InnerSite) -> None:
    key = issue(site.parts, "all", lasts_s=LASTS_S, by="olga")
    client = arrives(site, key)
    site.clock.turn(SILENT_S - 1)
    site.store.advance_counters([Heard(client, 1)], site.clock.now)
    site.clock.turn(SILENT_S - 1)
    with pytest.raises(Refused, match="heard within 24 h"):
        arrives(site, key, keys="of a thief")
    assert site.store.client(PC).verify_key == client.verify_key


def test_a_client_that_was_not_heard_for_a_day_may_come_back_with_new_keys(site: InnerSite) -> None:
    key = issue(site.parts, "all", lasts_s=LASTS_S, by="olga")
    arrives(site, key)
    site.clock.turn(SILENT_S)
    again = arrives(site, key, keys="second")
    assert site.store.client(PC).verify_key == again.verify_key


@pytest.mark.parametrize("ended", ["revoked", "expired", "made up"])
def test_a_key_that_is_not_good_enrols_nobody_and_does_not_say_why(site: InnerSite, ended: str) -> None:
    key = issue(site.parts, "all", lasts_s=LASTS_S, by="olga")
    if ended == "revoked":
        revoke(site.parts, "all", by="paul")
    elif ended == "expired":
        site.clock.turn(LASTS_S)
    else:
        key = Secret("logon-made-up")
    with pytest.raises(Refused, match=r"^this logon key is not valid$"):
        arrives(site, key)
    assert site.store.enrolled() == ()


def test_an_invitation_still_enrols_one_machine_once(site: InnerSite) -> None:
    token = clients.invite(site.parts, PC, by="olga")
    arrives(site, token)
    with pytest.raises(KeyturnError, match="not valid"):
        arrives(site, token, keys="second")


def test_a_key_is_revoked_once(site: InnerSite) -> None:
    issue(site.parts, "all", lasts_s=LASTS_S, by="olga")
    revoke(site.parts, "all", by="paul")
    with pytest.raises(NotFound, match="all"):
        revoke(site.parts, "all", by="paul")
    assert site.store.told("logon-key-revoked", "all")
