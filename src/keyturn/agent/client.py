"""The client of one machine, put together from its folder, and how it presents a password."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from keyturn import __version__
from keyturn.agent.consumers.files import put_back
from keyturn.agent.consumers.handing import Handing, NotHanded
from keyturn.agent.consumers.settings import read_consumers
from keyturn.agent.credentials import Credentials
from keyturn.agent.home import Home
from keyturn.agent.keys import Keys
from keyturn.agent.link import Link, authority_of
from keyturn.agent.ports import AgentParts, Share
from keyturn.agent.records import Installation
from keyturn.agent.report import Presented, Spoiled
from keyturn.model.secret import Secret
from keyturn.wire.agent import SITE_FILE, CheckIn, Directions, Held, Proof, Reading
from keyturn.wire.sealed import BadSealed, open_sealed, seal_for


@dataclass(frozen=True, slots=True)
class Client:
    installation: Installation
    identity: Secret
    credentials: Credentials
    link: Link
    share: Share
    handing: Callable[[], Handing]
    """As this machine's settings have it now. Refused while they are wrong."""
    previous: Callable[[Path], bytes]

    @property
    def name(self) -> str:
        return self.installation.name

    def check_in(self, holds: tuple[Held, ...]) -> Directions:
        return self.link.check_in(CheckIn(holds, f"keyturn/{__version__}"))

    def present(self, account: str, *, tell: bool) -> Presented | Spoiled:
        """One logon at the access point, written down before and after it. NoAnswer leaves it written as begun."""
        copy = self.credentials.copy(account)
        try:
            secret = self.open(account, copy.generation, copy.sealed)
        except BadSealed as error:
            self.credentials.forget(account)
            return Spoiled(account, error.message)
        before = self.credentials.begin(account)
        answer = self.share.read(SITE_FILE, account, secret).answer
        self.credentials.settle(before, answer, tell=tell)
        return Presented(account, copy.generation, answer)

    def hand_over(self, account: str) -> NotHanded | None:
        """Give what is held to every consumer of the account that has not got it, and note when all have."""
        copy, handing = self.credentials.copy(account), self.handing()
        due = handing.due(account, copy.generation)
        if copy.handed == due:
            return None
        try:
            secret = self.open(account, copy.generation, copy.sealed)
        except BadSealed as error:
            return NotHanded(account, "this agent", error.message)
        trouble = handing.hand_over(account, copy.generation, secret) if due else None
        if trouble is None:
            self.credentials.handed(account, due)
        return trouble

    def put_back(self, path: Path) -> None:
        """A consumer's file as it was before its last change. NotFound where nothing is kept of it."""
        put_back(path, self.open(str(path), 0, self.previous(path)))

    def fetch(self, name: str, account: str) -> Reading:
        """Another file, by an account that was let in just now."""
        copy = self.credentials.copy(account)
        return self.share.read(name, account, self.open(account, copy.generation, copy.sealed))

    def open(self, account: str, generation: int, sealed: bytes) -> Secret:
        """BadSealed for what is damaged or another credential."""
        return open_sealed(self.identity, account, generation, sealed)

    def report(self) -> None:
        """Tell the site every answer it has not been told."""
        for copy in self.credentials.untold():
            if copy.answer is not None:
                self.link.prove(copy.account, Proof(copy.generation, copy.answer))
            self.credentials.told(copy.account)


def open_client(home: Home, parts: AgentParts) -> Client:
    installation, keys = home.installation(), home.keys()
    credentials = Credentials(home, parts.now)
    exchange = parts.exchange(installation.server, installation.ca)
    authority = authority_of(installation.server)
    link = Link(exchange, authority, installation.name, keys, credentials.number, parts.now)
    share = parts.share(link.send, installation.access_point)
    return Client(installation, keys.identity, credentials, link, share, lambda: _handing(home, keys), home.previous)


def _handing(home: Home, keys: Keys) -> Handing:
    def keep_previous(path: Path, content: Secret) -> None:
        home.keep_previous(path, seal_for(keys.recipient, str(path), 0, content))

    return Handing(read_consumers(home.consumers()), keep_previous)
