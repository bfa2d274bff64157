"""What one site tells another of itself: who it is, where it is reached, and by which keys it is known."""

from dataclasses import dataclass, field

from keyturn.model.estate import SiteCode, SiteKind
from keyturn.site.hierarchy import Place


@dataclass(frozen=True, slots=True)
class Address:
    """`https://HOST:PORT`, and the certificate authority to trust there, in PEM form."""

    url: str
    authority: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Card:
    """`server` is the name that the site server has as a holder of accounts and under which it signs its requests.
    `verify_key` is its raw Ed25519 public key, `recipient` its age recipient. Nothing in it is secret."""

    code: SiteCode
    kind: SiteKind
    parent: SiteCode | None
    server: str
    address: Address
    verify_key: bytes = field(repr=False)
    recipient: str

    @property
    def place(self) -> Place:
        return Place(self.code, self.kind, self.parent)
