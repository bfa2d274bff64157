"""What the hierarchy needs from outside: other sites, and a place for what is on its way between them."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from keyturn.model.accounts import RoleName
from keyturn.model.errors import Refused
from keyturn.model.estate import SiteCode
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret
from keyturn.site.bundles import Header, Kind
from keyturn.site.cards import Card
from keyturn.site.keys import SiteKeys


@dataclass(frozen=True, slots=True)
class KnownSite:
    """`introduced_by` is the neighbour whose word it is; its own code where it joined here itself."""

    card: Card
    introduced_by: SiteCode


@dataclass(frozen=True, slots=True)
class LinkRecord:
    """How the way to a neighbour stands. `trouble` is empty while nothing is wrong."""

    site: SiteCode
    failures: int = 0
    next_try_at: float = 0
    last_sent_at: float | None = None
    trouble: str = ""


class Standing(StrEnum):
    FRESH = "fresh"
    """Never accepted here yet."""
    PROVEN = "proven"
    REFUSED = "refused"
    """Never presented again: another generation must come, or the same one anew after a person has looked."""


@dataclass(frozen=True, slots=True)
class HeldCredential:
    """A password that this site was given by another. `account` is `REALM\\name`; `owner` the site that rotates it."""

    account: str
    generation: int
    role: RoleName
    owner: SiteCode
    standing: Standing = Standing.FRESH
    retry_at: float = 0


@dataclass(frozen=True, slots=True)
class Told:
    """The last word sent to a site about an account. Generation 0: to forget it."""

    generation: int
    answered: bool


class Queues(Protocol):
    """Bundles on their way. A stream is what one source sends one destination in one lane."""

    def queue(self, source: SiteCode, destination: SiteCode, kind: Kind, close: Callable[[int], bytes]) -> int:
        """Give it the next number of its stream, close it under that number, and keep it until it was passed on."""

    def pass_on(self, header: Header, bundle: bytes) -> bool:
        """Keep a bundle for somebody else. False for one that was here before."""

    def outgoing(self, destinations: Collection[SiteCode], most: int) -> tuple[Header, ...]:
        """The first of each stream first, and what accounts are about before everything else."""

    def outgoing_bundle(self, header: Header) -> bytes: ...

    def sent(self, header: Header) -> None:
        """The next site has it safely."""

    def queued(self) -> dict[SiteCode, int]:
        """How many bundles wait, by destination."""

    def arrive(self, header: Header, bundle: bytes) -> bool:
        """Keep a bundle for this site. False for one that arrived before."""

    def openable(self) -> tuple[Header, ...]:
        """Of each stream, the bundle that is next."""

    def arrived_bundle(self, header: Header) -> bytes: ...

    def opened(self, header: Header, *, keep: bool) -> None:
        """Its turn is over; with `keep` it stays for whoever collects it."""

    def delivered(self) -> tuple[Header, ...]:
        """Kept and not collected, oldest first."""

    def collected(self, header: Header) -> None: ...


class KnownSites(Protocol):
    def site_keys(self) -> SiteKeys:
        """This site's own, made when first asked for."""

    def known_sites(self) -> tuple[KnownSite, ...]:
        """By code. This site's own card too, once it has joined a parent."""

    def keep_site(self, site: KnownSite) -> None: ...

    def forget_site(self, code: SiteCode) -> None:
        """With its link, what it was told, and every bundle from it or for it. Its streams begin anew."""

    def link(self, site: SiteCode) -> LinkRecord: ...

    def note_link(self, record: LinkRecord) -> None: ...

    def words(self) -> dict[SiteCode, dict[str, Told]]:
        """By site and account."""

    def tell_site(self, site: SiteCode, account: str, told: Told | None) -> None:
        """None: nothing more is to be said of it."""


class HeldCredentials(Protocol):
    def hold(self, credential: HeldCredential, secret: Secret) -> None:
        """In the place of an older generation."""

    def held_credentials(self) -> tuple[HeldCredential, ...]: ...

    def held_secret(self, credential: HeldCredential) -> Secret: ...

    def keep_standing(self, credential: HeldCredential) -> None:
        """Keep its new standing and when to try again; nothing where another generation has come since."""

    def let_go(self, account: str) -> None: ...


@dataclass(frozen=True, slots=True)
class SiteLogon:
    """A logon at another site's receive inbox. A generation that is known there to be old is not looked at."""

    account: str
    generation: int
    secret: Secret


@dataclass(frozen=True, slots=True)
class Session:
    """What a logon came to. `answer` None: the password was not looked at, and `reason` says why."""

    answer: Answer | None
    token: Secret | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """`taken`: the bundle is safe there. Else why not; `log_on`: a logon is asked for first."""

    taken: bool
    reason: str = ""
    log_on: bool = False


@dataclass(frozen=True, slots=True)
class Joining:
    """What a site sends to its parent with the token that the parent made for it. `furnished`: it has accounts or
    software of its own, and so can be no secondary site."""

    token: Secret
    code: SiteCode
    server: str
    url: str
    authority: str = field(repr=False)
    verify_key: bytes = field(repr=False)
    recipient: str
    furnished: bool = False


@dataclass(frozen=True, slots=True)
class Joined:
    """The parent's own card, the joining site's as the parent will know it, and the sites reached through the
    parent."""

    parent: Card
    own: Card
    others: tuple[Card, ...]


class Unreached(Exception):
    """No connection, or no answer that could be understood: what became of the request is unknown."""


class ReceiveFolder(Protocol):
    """The receive inbox as a folder, into which other sites write over a share."""

    def names(self) -> Sequence[str]:
        """Of the files that are whole, in the order in which they are to be taken."""

    def content(self, name: str) -> bytes:
        """BadBundle for what is no plain file, or is longer than a bundle may be; Unavailable while it cannot be
        read."""

    def remove(self, name: str) -> None: ...

    def put_aside(self, name: str) -> None:
        """Where people find it and nobody takes it."""


class Line(Protocol):
    """The way to other sites' servers. Raises Unreached. Every request is signed with this site's key."""

    def join(self, url: str, fingerprint: str, joining: Joining) -> Joined:
        """`fingerprint` is the SHA-256 of the parent's certificate authority. Refused in the parent's own words."""

    def ask(self, to: Card, account: str, generation: int) -> str:
        """Why this generation is not to be presented there now; empty where it may be. No password is sent."""

    def log_on(self, to: Card, logon: SiteLogon) -> Session: ...

    def deliver(self, to: Card, bundle: bytes, session: Secret | None) -> Receipt: ...


class NoLine:
    """Of a process that reaches no other site."""

    def join(self, *_: object, **__: object) -> Joined:
        raise Refused("this process reaches no other site")

    def ask(self, *_: object, **__: object) -> str:
        raise Unreached

    def log_on(self, *_: object, **__: object) -> Session:
        raise Unreached

    def deliver(self, *_: object, **__: object) -> Receipt:
        raise Unreached
