"""A client's policy as it travels: signed by its site, so that an access point that stores it cannot change it.

The same bytes come from the management point (HTTPS) and from `offerinf.box` of an access point.
"""

from typing import Annotated

import msgspec

from keyturn.model.software import Policy
from keyturn.wire.agent import BadMessage

POLICY = "/agent/v1/policy"
"""GET, signed by the client as all its requests; answered by SignedPolicy with an ETag, or by 304."""
POLICY_KEY = "/agent/v1/policy-key"
"""GET PolicyKey: what policies of this site are signed with, vouched for by the site's TLS alone."""
REPORT = "/agent/v1/reports"
"""POST one letter as the access point's `statmsgs.box` or `ddr.box` takes it: 201 for a new one, 200 for one that is
here."""

OFFER_BOX = "offerinf.box"
"""Of the access point, in which the policies of legacy clients are."""


def policy_file(client: str) -> str:
    """In OFFER_BOX."""
    return f"{client}.pol"


PACKAGE_BOX = "pkginfo.box"
"""Of the access point, in which the signed manifests are of packages that legacy clients read at their sources."""


def package_file(folder: str) -> str:
    """In PACKAGE_BOX. `folder` is that of the version at a distribution point: `PHX00001.3`."""
    return f"{folder}.pkg"


class PolicyKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    verify_key: Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
    """Ed25519."""


class SignedPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    body: Annotated[bytes, msgspec.Meta(max_length=3 * 1024 * 1024)]
    """JSON of a `Policy`."""
    signature: Annotated[bytes, msgspec.Meta(min_length=64, max_length=64)]
    """Ed25519 over PURPOSE and the body."""


PURPOSE = b"keyturn policy 1\n"


def to_body(policy: Policy) -> bytes:
    return msgspec.json.encode(policy)


def from_body(body: bytes) -> Policy:
    """BadMessage for what is none. To be called once the signature is found to be good."""
    try:
        return msgspec.json.decode(body, type=Policy)
    except (ValueError, RecursionError):
        raise BadMessage("not a valid policy") from None
