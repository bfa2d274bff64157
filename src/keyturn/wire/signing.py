"""HTTP message signatures (RFC 9421) over an agent's requests, with Ed25519 and a digest of the body (RFC 9530).

One form is written and the same one is read: components, parameters and their order are fixed, so nothing can be
left out of a signature by asking for less. Header names are in lower case, as ASGI has them.
"""

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from keyturn.model.errors import KeyturnError

CLIENT_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}"
"""What a client may be called: it stands in signatures, in paths and in the names of files."""

MAX_COUNTER = 10**18 - 1

_LABEL = "keyturn"
_TAG = "keyturn-agent"
_MAX_HEADER = 512
_MAX_TARGET = 2048


class BadSignature(KeyturnError):
    """The request is not, or not provably, what the key's owner sent just now. The message is for the log."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is signed of a request. `path` and `query` are as they stand in the request line, still percent-encoded;
    `query` is without its question mark, None where there is none. `authority` is what the server goes by:
    whoever verifies passes the Host header and refuses a foreign one."""

    method: str
    authority: str
    path: str
    query: str | None = None
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Signed:
    """`counter` rises with every request of a client; whoever verifies keeps the highest. `created` is in seconds."""

    keyid: str
    counter: int
    created: int


def sign(request: Request, key: Ed25519PrivateKey, keyid: str, counter: int, created: int) -> dict[str, str]:
    """The three headers to send along. ValueError for a request that could not be verified."""
    covered, lines = _covered(request)
    digest = content_digest(request.body)
    parameters = f'({covered});created={created};keyid="{keyid}";alg="ed25519";nonce="{counter}";tag="{_TAG}"'
    if not _INPUT.fullmatch(f"{_LABEL}={parameters}"):
        raise ValueError("a client's name, counter or clock cannot be signed")
    signature = base64.b64encode(key.sign(_base(lines, digest, parameters))).decode()
    return {
        "content-digest": digest,
        "signature-input": f"{_LABEL}={parameters}",
        "signature": f"{_LABEL}=:{signature}:",
    }


def verify(
    request: Request, headers: Mapping[str, str], public_key: bytes, *, now: float, max_age_s: float = 300
) -> Signed:
    """What the signature says, once it holds. BadSignature otherwise, also for one made more than `max_age_s`
    before or after `now`. Replays are not found here: compare the counter."""
    claimed = _claimed(headers)
    signature = _signature(headers)
    covered, lines = _lines_to_verify(request)
    if claimed["covered"] != covered:
        raise BadSignature("the signature covers other parts than ours")
    signed = Signed(claimed["keyid"], int(claimed["nonce"]), int(claimed["created"]))
    if abs(now - signed.created) > max_age_s:
        raise BadSignature("signed too long ago, or in the future")
    digest = content_digest(request.body)
    if headers.get("content-digest") != digest:
        raise BadSignature("the body is not the one signed")
    parameters = headers["signature-input"].removeprefix(f"{_LABEL}=")
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, _base(lines, digest, parameters))
    except (InvalidSignature, ValueError):
        raise BadSignature("not signed by the client's key") from None
    return signed


def claimed_keyid(headers: Mapping[str, str]) -> str:
    """Whose key to verify with: a claim, nothing more. BadSignature where there is none."""
    return _claimed(headers)["keyid"]


def content_digest(body: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def _claimed(headers: Mapping[str, str]) -> re.Match[str]:
    text = headers.get("signature-input", "")
    claimed = _INPUT.fullmatch(text) if len(text) <= _MAX_HEADER else None
    if claimed is None:
        raise BadSignature("no signature of our form")
    return claimed


def _signature(headers: Mapping[str, str]) -> bytes:
    text = headers.get("signature", "")
    match = _SIGNATURE.fullmatch(text) if len(text) <= _MAX_HEADER else None
    if match is None:
        raise BadSignature("no signature of our form")
    return base64.b64decode(match[1])


def _lines_to_verify(request: Request) -> tuple[str, str]:
    try:
        return _covered(request)
    except ValueError:
        raise BadSignature("a request line that is never signed") from None


def _covered(request: Request) -> tuple[str, str]:
    """The component list, and the lines for method, path, query and authority. A line break in one of them
    would let a signature be read as covering something else: ValueError."""
    parts = [("@method", request.method), ("@path", request.path)]
    if request.query is not None:
        parts.append(("@query", "?" + request.query))
    parts.append(("@authority", _normal(request.authority)))
    for name, value in parts:
        if len(value) > _MAX_TARGET or not _FORMS[name].fullmatch(value):
            raise ValueError(f"this {name} cannot be signed")
    covered = " ".join(f'"{name}"' for name, _ in parts)
    return f'{covered} "content-digest"', "".join(f'"{name}": {value}\n' for name, value in parts)


def _base(lines: str, digest: str, parameters: str) -> bytes:
    """RFC 9421, section 2.5."""
    return f'{lines}"content-digest": {digest}\n"@signature-params": {parameters}'.encode()


def _normal(authority: str) -> str:
    """RFC 9421, section 2.2.3: in lower case, without the scheme's own port."""
    return authority.lower().removesuffix(":443")


_FORMS = {
    "@method": re.compile(r"[A-Z]{1,16}"),
    "@path": re.compile(r"/[!-~]*"),
    "@query": re.compile(r"\?[!-~]*"),
    "@authority": re.compile(r"[!-~]{1,255}"),
}
_INPUT = re.compile(
    rf'{_LABEL}=\((?P<covered>"@method" "@path" (?:"@query" )?"@authority" "content-digest")\)'
    rf';created=(?P<created>[0-9]{{1,11}});keyid="(?P<keyid>{CLIENT_NAME})";alg="ed25519"'
    rf';nonce="(?P<nonce>[1-9][0-9]{{0,17}})";tag="{_TAG}"'
)
_SIGNATURE = re.compile(rf"{_LABEL}=:([A-Za-z0-9+/]{{85}}[AQgw]==):")
