"""The receive inbox as files: what a sender writes into it over a share, and what the despooler takes out of it.

A bundle is signed by its site, so what a file says counts, and neither its name nor who wrote it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice

from keyturn.model.errors import KeyturnError, Unavailable
from keyturn.model.logon import Answer
from keyturn.operations.bundles import take_in
from keyturn.operations.hierarchy_ports import HeldCredential, ReceiveFolder, Session, SiteLogon, Unreached
from keyturn.operations.inbox_ports import PointTrouble, ReachedPoint
from keyturn.operations.neighbours import card_of, here, tree
from keyturn.operations.parts import Parts
from keyturn.operations.site_credentials import log_on
from keyturn.operations.status_messages import report
from keyturn.site.bundles import Header, header_of
from keyturn.site.cards import Card
from keyturn.site.components import ComponentName
from keyturn.site.status_messages import MessageId

BOX = r"despoolr.box\receive"
"""Below the share that an address names."""

PORTION = 64
"""Files taken at a time, so that what they bring is opened meanwhile."""


@contextmanager
def entered(parts: Parts, to: Card, share: str, credential: HeldCredential) -> Iterator[ReachedPoint]:
    """The share, logged on to. Raises PointTrouble."""
    with parts.access_point(share).reach() as point:

        def present(logon: SiteLogon) -> Session:
            try:
                answer = point.log_on(logon.account, logon.secret)
            except PointTrouble as trouble:
                raise Unreached(trouble.message) from None
            return Session(answer, reason="" if answer is Answer.ACCEPTED else f"{share} says {answer}")

        session = log_on(parts, to, credential, present)
        if session.answer is not Answer.ACCEPTED:
            raise PointTrouble(f"{credential.account} generation {credential.generation}: {session.reason}")
        yield point


def put(inbox: ReachedPoint, header: Header, bundle: bytes) -> None:
    """The same bundle again takes the place of itself. Raises PointTrouble."""
    inbox.write(BOX, f"{header.source}-{header.destination}-{header.lane}-{header.sequence:012}.bundle", bundle)


def take_from(parts: Parts, folder: ReceiveFolder) -> int:
    """Everything that has arrived. What cannot be believed is put aside, and told; what comes from a site that is not
    known yet stays. Returns how many are safe here now."""
    taken = (name for name in folder.names() if _take(parts, folder, name))
    return len(list(islice(taken, PORTION)))  # what stays takes nobody's place


def _take(parts: Parts, folder: ReceiveFolder, name: str) -> bool:
    try:
        bundle = folder.content(name)
        through = _neighbour(parts, header_of(bundle))
        taken = through is not None and take_in(parts, through, bundle, logged_on=True).taken
    except Unavailable:
        raise
    except KeyturnError as error:
        folder.put_aside(name)
        told = {"bundle": f"the file {ascii(name)[1:-1]}", "reason": error.message}
        report(parts, ComponentName.DESPOOLER, MessageId.BUNDLE_REFUSED, **told)
        return False
    if taken:
        folder.remove(name)
    return taken


def _neighbour(parts: Parts, claimed: Header) -> Card | None:
    """Through whom it must have come; None for a site that is not known."""
    known = tree(parts)
    return card_of(parts, known.next_hop(here(parts).code, claimed.source)) if claimed.source in known else None
