"""Whole sites without sockets, and lines between them that a test cuts."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from keyturn.adapters.content.arriving import FolderArriving
from keyturn.adapters.content.blobs import FolderBlobs
from keyturn.adapters.content.folder import FolderSource
from keyturn.lifecycle.ports import Authority
from keyturn.model.errors import KeyturnError, Refused
from keyturn.model.estate import SiteCode
from keyturn.model.secret import Secret
from keyturn.operations import bundles, hierarchy
from keyturn.operations.content_below import gather
from keyturn.operations.content_ports import ContentParts, no_shared_folder
from keyturn.operations.despooling import HANDLERS
from keyturn.operations.handing_down import HandingDown
from keyturn.operations.hierarchy_ports import Joined, Joining, Receipt, Session, SiteLogon, Unreached
from keyturn.operations.neighbours import served_by
from keyturn.operations.parts import Parts
from keyturn.operations.receive_inbox import take_from
from keyturn.operations.reports_above import tell_owners
from keyturn.operations.sending import Sender
from keyturn.operations.site_credentials import admit, closed_to, must_log_on, prove_fresh, tell_sites
from keyturn.site.cards import Address, Card
from tests.builtin import Clock
from tests.inner_site import InnerSite, site_in


def estate(code: str, *, realm: str, sites: str = "", accounts: str = "", kind: str = "primary") -> str:
    return f"""
product = "sms2003"

[[realm]]
name = "{realm}"

[realm.policy]
lockout_threshold = 3
grace = "0 s"
history = 0

[[site]]
code = "{code}"
realm = "{realm}"
server = "SRV-{code}"
kind = "{kind}"
{sites}
{accounts}
"""


def child(code: str, *, parent: str, realm: str, kind: str = "primary") -> str:
    return (
        f'\n[[site]]\ncode = "{code}"\nrealm = "{realm}"\nserver = "SRV-{code}"\nparent = "{parent}"\nkind = "{kind}"\n'
    )


def account(name: str, role: str, *, realm: str, sites: tuple[str, ...]) -> str:
    named = ", ".join(f'"{code}"' for code in sites)
    return f'\n[[account]]\nname = "{name}"\nrealm = "{realm}"\nrole = "{role}"\nsites = [{named}]\n'


@dataclass
class Hierarchy:
    """Sites by code, on one clock. `cut` holds pairs (from, to) between which nothing passes; `silent` those where
    what is sent arrives and no answer comes back."""

    folder: Path
    clock: Clock = field(default_factory=Clock)
    sites: dict[str, InnerSite] = field(default_factory=dict)
    senders: dict[str, Sender] = field(default_factory=dict)
    handing: dict[str, HandingDown] = field(default_factory=dict)
    sessions: dict[tuple[str, str], Secret] = field(default_factory=dict)
    cut: set[tuple[str, str]] = field(default_factory=set)
    silent: set[tuple[str, str]] = field(default_factory=set)
    logons: list[tuple[str, str, str]] = field(default_factory=list)
    """Who showed a password where, and what it came to."""

    def found(
        self,
        code: str,
        text: str,
        real: Mapping[str, Authority] = MappingProxyType({}),
        two_person_approval: bool = False,
    ) -> InnerSite:
        """A site. Founding the same one again is a restart. `real` realms are servers of the test's own."""
        folder = self.folder / code
        folder.mkdir(exist_ok=True)

        def in_hierarchy(parts: Parts) -> Parts:
            blobs = FolderBlobs(folder / "content")
            return replace(
                parts,
                settings=replace(parts.settings, site=code, package_sources=(str(folder / "sources"),)),
                content=ContentParts(blobs, FolderArriving(folder / "content", blobs), FolderSource, no_shared_folder),
                address=Address(f"https://{code.lower()}.example:8443", f"authority of {code}"),
                line=WireTo(self, code),
            )

        site = site_in(
            folder, text, clock=self.clock, wrap=in_hierarchy, real=real, two_person_approval=two_person_approval
        )
        self.sites[code] = site
        self.senders[code] = Sender(site.parts, lambda: 1.0)
        self.handing[code] = HandingDown(site.parts)
        self.sessions = {pair: token for pair, token in self.sessions.items() if code not in pair}
        return site

    def join(self, code: str, parent: str) -> None:
        token = hierarchy.invite(self.sites[parent].parts, code, by="olga")
        hierarchy.join(self.sites[code].parts, f"https://{parent.lower()}.example:8443", "", token, by="olga")

    def turn(self, *codes: str, step_s: float = 1) -> None:
        """One turn of every component of these sites, or of all."""
        for code in codes or tuple(self.sites):
            parts = self.sites[code].parts
            tell_sites(parts)
            self.handing[code].turn()
            tell_owners(parts)
            self.senders[code].turn()
            if parts.receive_folder is not None:
                take_from(parts, parts.receive_folder)
            bundles.open_arrived(parts, HANDLERS)
            gather(parts)
            prove_fresh(parts)
        self.clock.turn(step_s)

    def settle(self, rounds: int = 12, step_s: float = 10) -> None:
        for _ in range(rounds):
            self.turn(step_s=step_s)

    def close(self) -> None:
        for site in self.sites.values():
            site.close()


@dataclass
class WireTo:
    """A `Line` from one site to all others."""

    hierarchy: Hierarchy
    code: str

    def join(self, url: str, fingerprint: str, joining: Joining) -> Joined:
        parent = url.removeprefix("https://").partition(".")[0].upper()
        return hierarchy.accept(self._reached(parent).parts, joining)

    def ask(self, to: Card, account: str, generation: int) -> str:
        there = self._reached(to.code).parts
        return closed_to(there, self._seen_by(there), account, generation)

    def log_on(self, to: Card, logon: SiteLogon) -> Session:
        there = self._reached(to.code).parts
        session = admit(there, self._seen_by(there), logon)
        self.hierarchy.logons.append((self.code, to.code, str(session.answer or session.reason)))
        if session.token:
            self.hierarchy.sessions[self.code, to.code] = session.token
        return session

    def deliver(self, to: Card, bundle: bytes, session: Secret | None) -> Receipt:
        there = self._reached(to.code).parts
        sender = self._seen_by(there)
        shown = session is not None and session == self.hierarchy.sessions.get((self.code, to.code))
        try:
            receipt = bundles.take_in(there, sender, bundle, logged_on=shown or not must_log_on(there, sender))
        except KeyturnError as error:
            raise Unreached(error.message) from None
        if (self.code, to.code) in self.hierarchy.silent:
            raise Unreached("the answer was lost")
        return receipt

    def _reached(self, code: str) -> InnerSite:
        if (self.code, code) in self.hierarchy.cut or code not in self.hierarchy.sites:
            raise Unreached(f"no way to {code}")
        return self.hierarchy.sites[code]

    def _seen_by(self, there: Parts) -> Card:
        sender = served_by(there, f"SRV-{self.code}")
        if sender is None:
            raise Refused(f"SRV-{self.code} is not known")
        return sender


CODES = tuple(map(SiteCode, ("CEN", "EUR", "USA", "LON", "PHX")))
