"""A bundle: what one site sends to another, signed by the sender and sealed to the destination.

    keyturn-bundle/1 <header as JSON> LF <signature in Base64> LF <age file>

The signature is over the first line and the digest of the sealed payload. So a site on the way can tell from whom a
bundle is and for whom, and cannot open it; and a payload cannot be put under another header.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any

import pyrage
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from keyturn.model.errors import KeyturnError
from keyturn.model.estate import SiteCode
from keyturn.site.keys import SiteKeys

MAX_BUNDLE = 16 * 1024 * 1024
"""Bytes, sealed and with its header."""

MAX_PAYLOAD = MAX_BUNDLE - 64 * 1024

_FORM = b"keyturn-bundle/1 "
_MAX_HEADER = 1024
_HIGHEST = 2**53


class BadBundle(KeyturnError):
    """Damaged, of another form, signed by somebody else, or sealed to another site."""


class Lane(StrEnum):
    """Bundles of a lane arrive in the order they were sent in. What accounts are about has a lane of its own, which no
    account opens or closes: else a site that was cut off by a changed password could not be told the new one."""

    ACCOUNTS = "accounts"
    FILES = "files"


class Kind(StrEnum):
    SITES = "sites"
    """Cards of sites that joined, or left."""
    CREDENTIALS = "credentials"
    """Passwords to take, accounts to forget."""
    PROOFS = "proofs"
    """What became of them."""
    CONTROL = "control"
    """A delta to a site control file, or the file."""
    STATUS = "status"
    INVENTORY = "inventory"
    """Discovery and inventory records, on their way up."""
    PACKAGE = "package"
    SOFTWARE = "software"
    """All that a site above has authored."""
    WANTED = "wanted"
    """The content of packages that is not here yet, asked for at the site that has it."""
    CONTENT = "content"
    """Pieces of it."""
    REPORTS = "reports"
    """How clients stand with advertisements of a site above."""


_OF_ACCOUNTS = frozenset({Kind.SITES, Kind.CREDENTIALS, Kind.PROOFS})
_OF_SOFTWARE = frozenset({Kind.SOFTWARE, Kind.WANTED, Kind.CONTENT, Kind.REPORTS})


def is_made_by_sites(kind: Kind) -> bool:
    """No person sends such a bundle."""
    return kind in _OF_ACCOUNTS or kind in _OF_SOFTWARE


def lane_of(kind: Kind) -> Lane:
    return Lane.ACCOUNTS if kind in _OF_ACCOUNTS else Lane.FILES


@dataclass(frozen=True, slots=True)
class Header:
    """`sequence` counts the bundles from a source to a destination in a lane, from 1 without a gap. `created` is in
    seconds since the epoch."""

    source: SiteCode
    destination: SiteCode
    kind: Kind
    sequence: int
    created: float

    @property
    def lane(self) -> Lane:
        return lane_of(self.kind)

    def __str__(self) -> str:
        return f"{self.kind} {self.sequence} from {self.source} to {self.destination}"


def seal(payload: bytes, recipient: str) -> bytes:
    """BadBundle for a payload that is too long, or a recipient that is none."""
    if len(payload) > MAX_PAYLOAD:
        raise BadBundle(
            f"a bundle carries {MAX_PAYLOAD:,} bytes at most, and this has {len(payload):,}", hint="send it in parts"
        )
    try:
        return bytes(pyrage.encrypt(payload, [pyrage.x25519.Recipient.from_str(recipient)]))
    except pyrage.RecipientError:
        raise BadBundle("that is no recipient to seal a bundle to") from None


def sign(header: Header, sealed: bytes, keys: SiteKeys) -> bytes:
    """The whole bundle."""
    first = _FORM + json.dumps(asdict(header), separators=(",", ":")).encode()
    signature = base64.b64encode(keys.signing.sign(_signed(first, sealed)))
    return b"\n".join((first, signature, sealed))


def header_of(bundle: bytes) -> Header:
    """What it says of itself, unproven."""
    first, _, _ = _parts(bundle)
    try:
        return _header(json.loads(first.removeprefix(_FORM)))
    except (ValueError, TypeError, KeyError, RecursionError):
        raise BadBundle("the header of a bundle is not of our form") from None


def verify(bundle: bytes, verify_key: bytes) -> Header:
    """The header, once the signature over it and what is sealed holds."""
    header = header_of(bundle)
    first, signature, sealed = _parts(bundle)
    try:
        raw = base64.b64decode(signature, validate=True)
        Ed25519PublicKey.from_public_bytes(verify_key).verify(raw, _signed(first, sealed))
    except (ValueError, InvalidSignature):
        raise BadBundle(f"{header} is not signed by site {header.source}") from None
    return header


def payload_of(bundle: bytes, keys: SiteKeys) -> bytes:
    """Call `verify` first: who sealed it is not told by the seal."""
    _, _, sealed = _parts(bundle)
    try:
        return bytes(pyrage.decrypt(sealed, [pyrage.x25519.Identity.from_str(keys.identity.reveal())]))
    except pyrage.DecryptError:
        raise BadBundle(f"{header_of(bundle)} does not open with this site's key") from None


def _parts(bundle: bytes) -> tuple[bytes, bytes, bytes]:
    first, _, rest = bundle[: _MAX_HEADER + 1].partition(b"\n")
    if len(bundle) > MAX_BUNDLE or not first.startswith(_FORM) or len(first) > _MAX_HEADER or not rest:
        raise BadBundle("that is no bundle")
    signature, newline, sealed = bundle[len(first) + 1 :].partition(b"\n")
    if not newline or len(signature) != 88:
        raise BadBundle("that is no whole bundle")
    return first, signature, sealed


def _signed(first: bytes, sealed: bytes) -> bytes:
    return first + b"\n" + sha256(sealed).digest()


def _header(found: Mapping[str, Any]) -> Header:
    source, destination, sequence = found["source"], found["destination"], found["sequence"]
    if not all(isinstance(code, str) and 0 < len(code) <= 16 for code in (source, destination)):
        raise ValueError
    if not isinstance(sequence, int) or not 0 < sequence < _HIGHEST or len(found) != 5:
        raise ValueError
    return Header(SiteCode(source), SiteCode(destination), Kind(found["kind"]), sequence, float(found["created"]))
