"""The boxes of a client access point and of the site server, and which file of the one ends in which of the other.

From the first seed's chapter on accounts (inboxes a client reads and writes) and Q252856.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

ROOT = ""
"""The access point itself, in the place of a box."""

READ_BOXES = ("clicomp.box", "clidata.box", "clifiles.box", "offerinf.box", "pkginfo.box")
WRITE_BOXES = ("ccr.box", "ddr.box", "inventry.box", "sinv.box", "statmsgs.box")
BOXES = (*READ_BOXES, *WRITE_BOXES)
BAD_BOX = "bad.box"
"""What no inbox can take is put aside here, on the access point: no client reads or writes it."""


class Inbox(StrEnum):
    """Of the site server."""

    CCR = "ccr"
    CCR_RETRY = "ccrretry"
    COMPONENT_SUMMARIES = "compsumm"
    DATA_LOADER = "dataldr"
    DISCOVERY = "ddm"
    RECEIVE = "despoolr/receive"
    INVENTORY = "inventry"
    OFFER_SUMMARIES = "offersum"
    REPLICATION = "replmgr"
    SCHEDULE = "schedule"
    SOFTWARE_INVENTORY = "sinv"
    SITE_STATUS = "sitestat"
    STATUS_MESSAGES = "statmgr"


@dataclass(frozen=True, slots=True)
class Passage:
    """What a write box is for. `max_bytes` of one file."""

    inbox: Inbox
    max_bytes: int


_LETTER, _INVENTORY = 64 * 1024, 4 * 1024 * 1024

PASSAGES: dict[str, Passage] = {
    "ccr.box": Passage(Inbox.CCR, _LETTER),
    "ddr.box": Passage(Inbox.DISCOVERY, _LETTER),
    "inventry.box": Passage(Inbox.INVENTORY, _INVENTORY),
    "sinv.box": Passage(Inbox.SOFTWARE_INVENTORY, _INVENTORY),
    "statmsgs.box": Passage(Inbox.STATUS_MESSAGES, _LETTER),
}

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}")
"""A file that a client may leave in a box. A name that begins with a dot is one still being written."""


def is_being_written(name: str) -> bool:
    return name.startswith(".")
