"""What a logon script does for the agent of its machine: nothing at all when all is well, else the least that helps.

The way back for a client that no account lets in (seed, Managing the Client Connection Account). No password is
presented to find out how the agent is; it asks its site with its own key, if it asks at all.
"""

import hashlib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from keyturn.agent.client import open_client
from keyturn.agent.contact import contact
from keyturn.agent.enrolment import enrol
from keyturn.agent.home import Home
from keyturn.agent.ports import AgentParts
from keyturn.agent.records import Damaged, Installation
from keyturn.agent.status import read_status
from keyturn.agent.turns import put_right, take_turn
from keyturn.model.errors import NotFound, Refused
from keyturn.model.secret import Secret
from keyturn.wire.agent import BadMessage, NoAnswer

MISSED = 3
"""An agent whose last contact is older than so many of its intervals does not run, or does not get through."""


class Found(StrEnum):
    WELL = "well"
    NOT_INSTALLED = "not installed"
    KEYS_LOST = "its keys are lost"
    ANOTHER_SITE = "it belongs to another site"
    NO_WAY_IN = "no account lets it in"
    DAMAGED = "what it keeps is damaged"
    SILENT = "it has not been in contact"
    TURNED_AWAY = "its site does not know it any more"


_ENROLS = frozenset({Found.NOT_INSTALLED, Found.KEYS_LOST, Found.ANOTHER_SITE, Found.TURNED_AWAY})


@dataclass(frozen=True, slots=True)
class Site:
    """What the logon script says: where this machine belongs. `authority` fetches the site's certificate authority;
    `key` reads the site's logon key. Both are called only where they are needed."""

    server: str
    name: str
    fingerprint: str
    authority: Callable[[], str]
    key: Callable[[], Secret]


class Running(Protocol):
    """The agent as something that runs: `agent.service`."""

    def start(self) -> str: ...

    def stop(self) -> None: ...

    @property
    def known(self) -> bool: ...

    @property
    def running(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """`trouble` is why it is not well now; a later logon tries again."""

    found: Found
    did: str = ""
    trouble: str = ""


def logon_install(home: Home, load: Callable[[], AgentParts], site: Site, service: Running, now: float) -> Outcome:
    """`load` is called where there is something to do, for it takes its time. Raises Refused where the site does not
    take the logon key for this machine."""
    found = examine(home, site, now)
    if found is Found.WELL:
        return Outcome(found)
    parts = load()
    try:
        if found is Found.SILENT and not _knows_us(home, parts):
            found = Found.TURNED_AWAY
        return _put_right(found, home, parts, site, service)
    except (NoAnswer, BadMessage) as error:
        return Outcome(found, trouble=error.message)


def examine(home: Home, site: Site, now: float) -> Found:
    """From the agent's own files alone. Refused where others can read its keys or they are another user's."""
    try:
        installation = home.installation()
        home.keys()
    except NotFound:
        return Found.NOT_INSTALLED
    except Damaged:
        return Found.KEYS_LOST
    if not _same_site(installation, site):
        return Found.ANOTHER_SITE
    try:
        state = home.state()
    except Damaged:
        return Found.DAMAGED
    if state is not None and state.orphaned:
        return Found.NO_WAY_IN
    status = read_status(home.status())
    if status is None or status.failures >= MISSED:
        return Found.SILENT
    away_s = abs(now - status.at)  # a clock that was set back tells nothing, so the site is asked
    return Found.SILENT if away_s > MISSED * installation.contact_s else Found.WELL


def _same_site(installation: Installation, site: Site) -> bool:
    """A site server that was set up anew has another authority under the same address."""
    return (
        installation.server.rstrip("/") == site.server.rstrip("/")
        and installation.name == site.name
        and _fingerprint(installation.ca) == site.fingerprint.replace(":", "").strip().lower()
    )


def _fingerprint(pem: str) -> str:
    """Empty for what is no certificate."""
    try:
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem[max(0, pem.find("-----BEGIN")) :])).hexdigest()
    except ValueError:
        return ""


def _knows_us(home: Home, parts: AgentParts) -> bool:
    """Asks with the agent's key, and presents no password."""
    client = open_client(home, parts)
    with home.lock():
        client.credentials.refresh()
        try:
            client.check_in(client.credentials.holds())
        except Refused:
            return False
    return True


def _put_right(found: Found, home: Home, parts: AgentParts, site: Site, service: Running) -> Outcome:
    did = []
    if found in _ENROLS:
        service.stop()
        enrol(home, parts, server=site.server, name=site.name, token=site.key(), ca=site.authority())
        did.append("enrolled")
    client = open_client(home, parts)
    if found in (Found.NO_WAY_IN, Found.DAMAGED):
        report, _ = put_right(home, client, parts)
        did.append("credentials fetched anew")
    else:
        report, _ = take_turn(home, client, contact, parts)
        did.append("contacted the site")
    if (found in _ENROLS or service.known) and not service.running:
        service.start()
        did.append("started")
    return Outcome(found, ", ".join(did), report.failure)
