"""The client of one machine, put together from its folder, and how it presents a password."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from keyturn import __version__
from keyturn.agent.consumers.files import put_back
from keyturn.agent.consumers.handing import Handing, NotHanded
from keyturn.agent.consumers.settings import FileConsumer, find_file, read_consumers
from keyturn.agent.consumers.windows import Windows
from keyturn.agent.credentials import Credentials
from keyturn.agent.home import Home
from keyturn.agent.keys import Keys
from keyturn.agent.link import Link, authority_of
from keyturn.agent.managing import windows
from keyturn.agent.ports import AgentParts, Letterbox, Share
from keyturn.agent.records import Copy, Installation
from keyturn.agent.report import Presented, Spoiled
from keyturn.model.errors import NotFound, Refused
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret
from keyturn.wire.agent import FOLDER, SITE_FILE, CheckIn, Direction, Directions, Held, Proof, Reading
from keyturn.wire.sealed import BadSealed, open_sealed, seal_for

VERSION = f"keyturn/{__version__}"


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
        return self.link.check_in(CheckIn(holds, VERSION))

    def assure(self, copies: Iterable[Copy]) -> tuple[Direction, ...]:
        """The site's word on each, from a look at the realm that it makes for that."""
        holds = tuple(Held(copy.account, copy.generation) for copy in copies)
        return self.link.assure(CheckIn(holds, VERSION)).directions

    def present(self, account: str, *, tell: bool) -> Presented | Spoiled:
        """One logon at the access point, written down before and after it. NoAnswer leaves it written as begun, and
        as it was where the access point was not even reached."""
        copy = self.credentials.copy(account)
        try:
            secret = self.open(account, copy.generation, copy.sealed)
        except BadSealed as error:
            self.credentials.forget(account)
            return Spoiled(account, error.message)
        with self.share.reach() as reached:
            before = self.credentials.begin(account)
            answer = reached.read(SITE_FILE, account, secret).answer
        self.credentials.settle(before, answer, tell=tell)
        return Presented(account, copy.generation, answer)

    def hand_over(self, account: str) -> NotHanded | None:
        """Give what is held to every consumer of the account that has not got it, and note when all have."""
        if self.credentials.has_successor(account):
            return None  # they were given that one
        copy, handing = self.credentials.copy(account), self.handing()
        due = handing.due(copy)
        if copy.handed == due:
            return None
        try:
            secret = self.open(account, copy.generation, copy.sealed)
        except BadSealed as error:
            return NotHanded(account, "this agent", error.message)
        trouble = handing.hand_over(copy, secret) if due else None
        if trouble is None:
            self.credentials.handed(account, due)
        return trouble

    def put_back(self, path: Path, host: str = "") -> None:
        """A consumer's file, on `host` if that is another machine, as it was before its last change; the next contact
        hands it what is current. NotFound where nothing is kept of it, or no consumer says how the host is reached."""
        consumer = self._there(f"{host}:{path}") if host else FileConsumer("", path)
        title = consumer.title
        put_back(consumer, self.open(title, 0, self.previous(Path(title))))
        self.credentials.refresh()
        with suppress(Refused):  # with settings that are wrong nobody has said who uses it
            for copy in self.handing().users_of(title, self.credentials.held()):
                self.credentials.handed(copy.account, "")

    def _there(self, title: str) -> FileConsumer:
        found = find_file(self.handing().consumers, title)
        if found is None:
            raise NotFound(f"no consumer of this agent is the file {title}", hint="keyturn agent consumers")
        return found

    def fetch(self, name: str, account: str, box: str = FOLDER) -> Reading:
        """Another file, by an account that was let in just now."""
        copy = self.credentials.copy(account)
        with self.share.reach() as reached:
            return reached.read(name, account, self.open(account, copy.generation, copy.sealed), box)

    def leave(self, box: str, name: str, letter: msgspec.Struct, account: str) -> bool:
        """Into a box of the access point, by an account that was let in just now. Whether it was taken."""
        copy = self.credentials.copy(account)
        with self.share.reach() as reached:
            if not isinstance(reached, Letterbox):
                return False
            secret = self.open(account, copy.generation, copy.sealed)
            return reached.leave(box, name, letter, account, secret) is Answer.ACCEPTED

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
    share = _share(parts, link, installation)

    def handing() -> Handing:
        return _handing(home, keys, windows(home, keys, credentials, parts.windows))

    return Client(installation, keys.identity, credentials, link, share, handing, home.previous)


def _share(parts: AgentParts, link: Link, installation: Installation) -> Share:
    place = installation.access_point
    return parts.smb(place, installation.protocol) if place.startswith("\\\\") else parts.share(link.send, place)


def _handing(home: Home, keys: Keys, windows: Windows) -> Handing:
    def keep_previous(path: Path, content: Secret) -> None:
        home.keep_previous(path, seal_for(keys.recipient, str(path), 0, content))

    return Handing(read_consumers(home.consumers()), keep_previous, windows.adopt)
