"""Where a site's server is, and how a person gets in."""

from dataclasses import dataclass, field

from keyturn.model.secret import Secret


@dataclass(frozen=True, slots=True)
class Door:
    """`authority_pem` is the one certificate authority that is believed. Without a token one can only log in."""

    url: str
    authority_pem: str = field(repr=False)
    token: Secret | None = None
