"""What a client writes into the boxes of its access point: that it is there, and what went wrong.

Written with an account that was let in just now, so that no letter costs a bad attempt. A letter bears the same name
until it is known to have arrived, and the site takes it once. An advanced client that no account lets in brings its
letters to the management point.
"""

from collections.abc import Callable
from contextlib import suppress

import msgspec

from keyturn.agent.client import Client
from keyturn.agent.consumers.handing import NotHanded
from keyturn.agent.facts import facts_of_this_machine
from keyturn.agent.report import TROUBLE, Report, Spoiled
from keyturn.model.errors import NotFound
from keyturn.model.logon import Answer
from keyturn.model.software import ClientKind
from keyturn.site.client_files import ClientStatus, DiscoveryRecord
from keyturn.site.status_messages import Severity
from keyturn.wire.policy import REPORT
from keyturn.wire.sealed import BadSealed

DISCOVERY_S = 7 * 24 * 3600.0
"""How often a client says that it is there, as the heartbeat of SMS 2003 does, if nothing about it has changed."""
COMPONENT = "KEYTURN_AGENT"
KIND = "keyturn-agent"
NOT_HANDED, SPOILED = 60010, 60011

Leave = Callable[[str, str, msgspec.Struct], bool]
"""Into a box, under a name: whether the letter was taken."""


def write_letters(client: Client, report: Report, now: float) -> None:
    """What is due, as far as it is taken: nothing that happens here makes a contact fail."""
    leave = _way(client, report)
    if leave is None:
        return
    with suppress(*TROUBLE, NotFound, BadSealed):  # NotFound: it was to be forgotten in the same contact
        _complain(client, leave, report, now)
        _be_discovered(client, leave, now)


def _way(client: Client, report: Report) -> Leave | None:
    """None where there is none now. The management point tells the box by the letter."""
    logon = report.logon
    if logon is not None and logon.answer is Answer.ACCEPTED:
        account = logon.account
        return lambda box, name, letter: client.leave(box, name, letter, account)
    answered = report.contact_s is not None
    if answered and client.installation.kind is ClientKind.ADVANCED:
        return lambda _box, _name, letter: client.link.send("POST", REPORT, letter).status in (200, 201)
    return None


def _be_discovered(client: Client, leave: Leave, now: float) -> None:
    credentials, facts = client.credentials, facts_of_this_machine(client.installation.server)
    last = credentials.letters
    if now - last.discovered_at < DISCOVERY_S and last.facts == facts:
        return
    held = tuple(copy.account for copy in credentials.held())
    record = DiscoveryRecord(client.name, now, KIND, held, facts)
    if leave("ddr.box", _name(client, "ddr"), record):
        credentials.left_letter(discovered_at=now, facts=facts)


def _complain(client: Client, leave: Leave, report: Report, now: float) -> None:
    """When it begins or changes, not at every contact."""
    wrong = next((event for event in report.events if isinstance(event, NotHanded | Spoiled)), None)
    text, number = _words(wrong) if wrong else ("", 0)
    if text == client.credentials.letters.complaint:
        return
    said = ClientStatus(client.name, now, COMPONENT, number, Severity.ERROR, text)
    if not text or leave("statmsgs.box", _name(client, "svf"), said):
        client.credentials.left_letter(complaint=text)


def _words(event: NotHanded | Spoiled) -> tuple[str, int]:
    if isinstance(event, NotHanded):
        said = f"{event.consumer} does not have the password of {event.account}: {event.reason}", NOT_HANDED
    else:
        said = f"the password of {event.account} did not open: {event.reason}", SPOILED
    return "".join(character if character.isprintable() else " " for character in said[0])[:2000], said[1]


def _name(client: Client, kind: str) -> str:
    return f"{client.name}.{client.credentials.letters.number}.{kind}"[-120:]
