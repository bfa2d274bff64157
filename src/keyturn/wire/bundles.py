"""What site servers say to each other, version 1: the routes, the bodies, the answers.

Every request is signed (`wire.signing`) with the key of the site that sends it, under the name of its site server.
"""

from typing import Annotated

import msgspec

from keyturn.model.secret import Secret
from keyturn.wire.agent import AccountName, ClientName, Generation, Message, Recipient

JOIN = "/site/v1/join"
"""POST Join, answered by Joined; signed with the key that joins."""
LOG_ON = "/despoolr.box/logon"
"""POST LogOn, answered by LoggedOn."""
RECEIVE = "/despoolr.box/receive"
"""PUT a bundle, answered by Received. `SESSION_HEADER` has the token of a logon, where there is one."""
SESSION_HEADER = "keyturn-session"

MAX_BUNDLE = 16 * 1024 * 1024
"""Bytes; longer bodies are refused unread."""

SiteCode = Annotated[str, msgspec.Meta(pattern=r"\A[A-Z0-9]{3}\Z")]
Url = Annotated[str, msgspec.Meta(max_length=512, pattern=r"\Ahttps://[^\x00-\x20\x7f]+\Z")]
Pem = Annotated[str, msgspec.Meta(max_length=16 * 1024)]
VerifyKey = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
Text = Annotated[str, msgspec.Meta(max_length=1024)]


class Site(Message, frozen=True):
    """A card. `kind` is central, primary or secondary."""

    code: SiteCode
    kind: Annotated[str, msgspec.Meta(max_length=16)]
    parent: SiteCode | None
    server: ClientName
    url: Url
    authority: Pem
    verify_key: VerifyKey
    recipient: Recipient


class Join(Message, frozen=True):
    """`furnished`: the site has accounts or software of its own."""

    token: Secret
    code: SiteCode
    server: ClientName
    url: Url
    authority: Pem
    verify_key: VerifyKey
    recipient: Recipient
    furnished: bool = False


class Joined(Message, frozen=True):
    parent: Site
    own: Site
    others: Annotated[tuple[Site, ...], msgspec.Meta(max_length=10_000)]


class LogOn(Message, frozen=True):
    """Without a password: whether this generation may be presented."""

    account: AccountName
    generation: Generation
    password: Secret | None = None


class LoggedOn(Message, frozen=True):
    """`answer` is what the realm said; empty where the password was not looked at, and `reason` says why."""

    answer: Text = ""
    session: Secret | None = None
    reason: Text = ""


class Received(Message, frozen=True):
    """`taken`: the bundle is safe here. `log_on`: a logon is asked for first."""

    taken: bool
    reason: Text = ""
    log_on: bool = False
