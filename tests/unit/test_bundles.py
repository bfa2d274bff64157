"""A bundle tells from whom and for whom it is; only its destination opens it, and nobody alters it."""

import pytest

from keyturn.model.estate import SiteCode
from keyturn.model.secret import Secret
from keyturn.site.bundles import (
    MAX_PAYLOAD,
    BadBundle,
    Header,
    Kind,
    Lane,
    header_of,
    lane_of,
    payload_of,
    seal,
    sign,
    verify,
)
from keyturn.site.keys import SiteKeys, new_keys
from keyturn.site.messages import BadPayload, Credentials, Sites, Take, read, write

SENDER, DESTINATION, STRANGER = new_keys(), new_keys(), new_keys()
HEADER = Header(SiteCode("CEN"), SiteCode("PHX"), Kind.PACKAGE, 7, 1234.5)


def bundle(payload: bytes = b"for Phoenix", header: Header = HEADER, keys: SiteKeys = SENDER) -> bytes:
    return sign(header, seal(payload, DESTINATION.recipient), keys)


def test_what_was_sealed_opens_at_its_destination_alone() -> None:
    sent = bundle()
    assert header_of(sent) == HEADER
    assert verify(sent, SENDER.verify_key) == HEADER
    assert payload_of(sent, DESTINATION) == b"for Phoenix"
    with pytest.raises(BadBundle, match="package 7 from CEN to PHX does not open"):
        payload_of(sent, STRANGER)


def test_another_sites_signature_is_not_believed() -> None:
    with pytest.raises(BadBundle, match="not signed by site CEN"):
        verify(bundle(keys=STRANGER), SENDER.verify_key)


def test_no_byte_of_a_bundle_can_be_altered() -> None:
    sent = bundle()
    for place in range(len(sent)):
        altered = sent[:place] + bytes([sent[place] ^ 1]) + sent[place + 1 :]
        with pytest.raises(BadBundle):
            verify(altered, SENDER.verify_key)


def test_a_payload_does_not_go_under_another_header() -> None:
    one, other = bundle(), bundle(header=Header(SiteCode("CEN"), SiteCode("EUR"), Kind.STATUS, 7, 1234.5))
    mixed = other[: other.index(b"\n")] + one[one.index(b"\n") :]
    with pytest.raises(BadBundle, match="not signed"):
        verify(mixed, SENDER.verify_key)


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"\n\n",
        b"keyturn-bundle/1 {}\n" + b"A" * 88 + b"\nx",
        b"keyturn-bundle/2 " + bundle()[17:],
        bundle()[:200].rpartition(b"\n")[0],
        b"keyturn-bundle/1 " + b"[" * 900 + b"\n" + b"A" * 88 + b"\nx",
        b"keyturn-bundle/1 " + b"x" * 2000 + b"\n",
    ],
)
def test_what_is_no_bundle_is_refused_with_one_error(said: bytes) -> None:
    with pytest.raises(BadBundle):
        verify(said, SENDER.verify_key)


def test_a_payload_that_is_too_long_is_refused_before_it_is_sealed() -> None:
    with pytest.raises(BadBundle, match="bytes at most"):
        seal(bytes(MAX_PAYLOAD + 1), DESTINATION.recipient)


def test_what_accounts_are_about_has_a_lane_of_its_own() -> None:
    assert {kind for kind in Kind if lane_of(kind) is Lane.ACCOUNTS} == {Kind.SITES, Kind.CREDENTIALS, Kind.PROOFS}


def test_keys_survive_their_text_form_and_show_nothing() -> None:
    assert SiteKeys.from_text(SENDER.text()).recipient == SENDER.recipient
    assert SENDER.identity.reveal() not in repr(SENDER)


def test_a_password_travels_and_is_not_shown() -> None:
    said = Credentials((Take("CORP\\KtToCen", 2, "sms2003/site-address", Secret("Turn-the-key-1")),))
    found = read(Credentials, write(said))
    assert found.take[0].secret.reveal() == "Turn-the-key-1"
    assert "Turn-the-key" not in repr(found)
    with pytest.raises(BadPayload, match="not a valid Sites") as error:
        read(Sites, write(said)[:-1])
    assert "Turn-the-key" not in str(error.value)
