"""Signatures of agents: what they cover, and that nothing else is taken for one."""

import base64
import datetime
import hashlib
from dataclasses import dataclass, field, replace

import http_message_signatures as oracle
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from keyturn.wire.signing import BadSignature, Request, Signed, claimed_keyid, sign, verify

NOW = 1_800_000_000
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
PUBLIC = KEY.public_key().public_bytes_raw()
CHECK_IN = Request("POST", "phx.example:8443", "/agent/v1/check-in", body=b'{"holds":[]}')
WITH_QUERY = Request("GET", "phx.example", "/cap/clidata.box/PC%2D1.acc", "since=5&x=%5C")
REQUESTS = pytest.mark.parametrize("request_", [CHECK_IN, WITH_QUERY], ids=["body", "query"])


def signed(request=CHECK_IN, *, keyid="PC-0001", counter=7, created=NOW, key=KEY):
    return sign(request, key, keyid, counter, created)


@REQUESTS
def test_a_signature_tells_who_signed_when_and_its_number(request_):
    assert verify(request_, signed(request_), PUBLIC, now=NOW) == Signed("PC-0001", 7, NOW)
    assert claimed_keyid(signed(request_)) == "PC-0001"


@pytest.mark.parametrize(
    "change",
    [
        {"method": "PUT"},
        {"authority": "tuc.example:8443"},
        {"authority": "phx.example"},
        {"path": "/agent/v1/check-iN"},
        {"query": ""},
        {"query": "a=b"},
        {"body": b'{"holds":[] }'},
        {"body": b""},
    ],
    ids=str,
)
def test_every_part_of_the_request_is_covered(change):
    with pytest.raises(BadSignature):
        verify(replace(CHECK_IN, **change), signed(), PUBLIC, now=NOW)


def test_an_empty_body_has_a_digest_too():
    headers = signed(WITH_QUERY)
    assert headers["content-digest"] == f"sha-256=:{base64.b64encode(hashlib.sha256(b'').digest()).decode()}:"
    with pytest.raises(BadSignature):
        verify(replace(WITH_QUERY, body=b"smuggled"), headers, PUBLIC, now=NOW)


@pytest.mark.parametrize("name", ["content-digest", "signature-input", "signature"])
def test_every_header_is_needed(name):
    headers = {k: v for k, v in signed().items() if k != name}
    with pytest.raises(BadSignature):
        verify(CHECK_IN, headers, PUBLIC, now=NOW)


@pytest.mark.parametrize(
    ("of", "to"),
    [
        ("PC-0001", "PC-0002"),
        ('nonce="7"', 'nonce="8"'),
        ('nonce="7"', 'nonce="07"'),
        ('nonce="7"', 'nonce="0"'),
        (f"created={NOW}", f"created={NOW + 1}"),
        ('alg="ed25519"', 'alg="hmac-sha256"'),
        ('tag="keyturn-agent"', 'tag="other"'),
        ("keyturn=", "sig1="),
        (' "content-digest"', ""),
        ('"@method" ', ""),
        ('"@authority" "content-digest"', '"content-digest" "@authority"'),
        ('"@path"', '"@path";req'),
        (';alg="ed25519"', ""),
        (";created", "; created"),
        ('"keyturn-agent"', '"keyturn-agent";expires=1'),
    ],
)
def test_no_other_form_is_accepted(of, to):
    headers = signed()
    assert of in headers["signature-input"]
    headers["signature-input"] = headers["signature-input"].replace(of, to)
    with pytest.raises(BadSignature):
        verify(CHECK_IN, headers, PUBLIC, now=NOW)


def test_a_signature_over_fewer_parts_is_refused_though_its_key_is_right():
    parameters = f'("@method");created={NOW};keyid="PC-0001";alg="ed25519";nonce="7";tag="keyturn-agent"'
    base = f'"@method": POST\n"@signature-params": {parameters}'
    signature = base64.b64encode(KEY.sign(base.encode())).decode()
    headers = signed() | {"signature-input": f"keyturn={parameters}", "signature": f"keyturn=:{signature}:"}
    with pytest.raises(BadSignature):
        verify(CHECK_IN, headers, PUBLIC, now=NOW)


def test_a_second_signature_beside_ours_is_refused():
    headers = signed()
    headers["signature-input"] += ", " + headers["signature-input"].replace("keyturn=", "other=")
    with pytest.raises(BadSignature):
        verify(CHECK_IN, headers, PUBLIC, now=NOW)


def test_the_same_signature_written_otherwise_is_refused():
    headers = signed()
    spare_bits_set = headers["signature"][:-4] + chr(ord(headers["signature"][-4]) + 1) + "==:"
    assert base64.b64decode(spare_bits_set[9:-1]) == base64.b64decode(headers["signature"][9:-1])
    with pytest.raises(BadSignature):
        verify(CHECK_IN, headers | {"signature": spare_bits_set}, PUBLIC, now=NOW)


def test_another_key_is_refused():
    with pytest.raises(BadSignature):
        verify(CHECK_IN, signed(key=Ed25519PrivateKey.from_private_bytes(b"o" * 32)), PUBLIC, now=NOW)


@pytest.mark.parametrize("key", [b"", b"short", b"\xff" * 32])
def test_a_key_that_is_none_verifies_nothing(key):
    with pytest.raises(BadSignature):
        verify(CHECK_IN, signed(), key, now=NOW)


@pytest.mark.parametrize(("off_s", "taken"), [(300, True), (-300, True), (301, False), (-301, False)])
def test_a_signature_is_good_for_five_minutes_either_way(off_s, taken):
    if taken:
        assert verify(CHECK_IN, signed(), PUBLIC, now=NOW + off_s).created == NOW
    else:
        with pytest.raises(BadSignature):
            verify(CHECK_IN, signed(), PUBLIC, now=NOW + off_s)


def test_the_schemes_own_port_and_the_case_of_a_host_make_no_difference():
    headers = signed(WITH_QUERY)
    assert verify(replace(WITH_QUERY, authority="PHX.example:443"), headers, PUBLIC, now=NOW).counter == 7


@pytest.mark.parametrize(
    "change",
    [
        {"path": '/x\n"@authority": tuc.example'},
        {"path": "no-slash"},
        {"path": "/sp ace"},
        {"path": "/" + "x" * 3000},
        {"query": "a\nb"},
        {"method": "post"},
        {"method": "GET\n"},
        {"authority": ""},
        {"authority": "phx.example\n"},
    ],
    ids=repr,
)
def test_what_could_be_read_two_ways_is_neither_signed_nor_verified(change):
    odd = replace(CHECK_IN, **change)
    with pytest.raises(ValueError, match="cannot be signed"):
        signed(odd)
    with pytest.raises(BadSignature):
        verify(odd, signed(), PUBLIC, now=NOW)


@pytest.mark.parametrize("change", [{"keyid": 'a";x="'}, {"keyid": ""}, {"counter": 0}, {"counter": 10**18}])
def test_what_could_not_be_read_back_is_not_signed(change):
    with pytest.raises(ValueError, match="cannot be signed"):
        signed(**change)


@pytest.mark.parametrize(
    ("signed_as", "read_as"), [(WITH_QUERY, replace(WITH_QUERY, query=None)), (CHECK_IN, replace(CHECK_IN, query="x"))]
)
def test_a_query_is_covered_if_and_only_if_there_is_one(signed_as, read_as):
    with pytest.raises(BadSignature, match="other parts"):
        verify(read_as, signed(signed_as), PUBLIC, now=NOW)


def test_a_header_without_end_is_refused_unread():
    headers = signed()
    for name in ("signature-input", "signature"):
        with pytest.raises(BadSignature):
            verify(CHECK_IN, headers | {name: headers[name] + "x" * 1_000_000}, PUBLIC, now=NOW)


def test_a_request_shows_no_body():
    assert "holds" not in repr(CHECK_IN)


TEXT = st.text(max_size=80) | st.text('keyturn=:;"@()+/0Aa\n ', max_size=600)


@given(TEXT, TEXT, TEXT, st.sampled_from([CHECK_IN, WITH_QUERY]))
def test_garbage_raises_bad_signature_and_nothing_else(digest, covered, signature, request):
    headers = {"content-digest": digest, "signature-input": covered, "signature": signature}
    with pytest.raises(BadSignature):
        verify(request, headers, PUBLIC, now=NOW)


@given(st.data())
def test_one_changed_character_anywhere_is_refused(data):
    headers = signed()
    name = data.draw(st.sampled_from(sorted(headers)))
    place = data.draw(st.integers(0, len(headers[name]) - 1))
    character = data.draw(st.characters(max_codepoint=0x17F).filter(lambda c: c != headers[name][place]))
    changed = headers[name][:place] + character + headers[name][place + 1 :]
    with pytest.raises(BadSignature):
        verify(CHECK_IN, headers | {name: changed}, PUBLIC, now=NOW)


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40), st.none() | st.text(max_size=40))
def test_any_request_line_is_verified_or_refused(method, authority, path, query):
    with pytest.raises(BadSignature):
        verify(Request(method, authority, path, query), signed(), PUBLIC, now=NOW)


@dataclass
class OracleMessage:
    """A request in the shape that the http-message-signatures package reads."""

    method: str
    url: str
    headers: dict = field(default_factory=dict)


class OracleKeys(oracle.HTTPSignatureKeyResolver):
    def resolve_public_key(self, key_id):
        return KEY.public_key()

    def resolve_private_key(self, key_id):
        return KEY


def as_message(request, headers=()):
    query = "" if request.query is None else f"?{request.query}"
    return OracleMessage(request.method, f"https://{request.authority}{request.path}{query}", dict(headers))


def components(request):
    query = () if request.query is None else ("@query",)
    return ("@method", "@path", *query, "@authority", "content-digest")


@REQUESTS
def test_another_implementation_verifies_what_we_sign(request_):
    now = int(datetime.datetime.now().timestamp())
    verifier = oracle.HTTPMessageVerifier(signature_algorithm=oracle.algorithms.ED25519, key_resolver=OracleKeys())
    (result,) = verifier.verify(
        as_message(request_, signed(request_, created=now)),
        expect_tag="keyturn-agent",
        require_components=components(request_),
        body=request_.body,
    )
    assert (result.nonce, result.parameters["keyid"]) == ("7", "PC-0001")


@REQUESTS
def test_we_verify_what_another_implementation_signs(request_):
    message = as_message(request_)
    signer = oracle.HTTPMessageSigner(signature_algorithm=oracle.algorithms.ED25519, key_resolver=OracleKeys())
    signer.sign(
        message,
        key_id="PC-0001",
        created=datetime.datetime.fromtimestamp(NOW),
        nonce="7",
        tag="keyturn-agent",
        label="keyturn",
        covered_component_ids=components(request_)[:-1],
        body=request_.body,
    )
    headers = {name.lower(): value for name, value in message.headers.items()}
    assert verify(request_, headers, PUBLIC, now=NOW) == Signed("PC-0001", 7, NOW)
