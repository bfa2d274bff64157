"""What `keyturn agent scan` has found on a machine, and printed or told its site: its configuration names the account.

Nobody was seen logging on. It counts like a logon all the same: a machine that is set up to use an account will.
"""

from collections.abc import Iterator

from keyturn.model.logon import Answer
from keyturn.wire.evidence.sightings import SCAN, Sighting
from keyturn.wire.scan import Mention, Place, Use, read_scan


def is_it(beginning: str) -> bool:
    return beginning.lstrip().startswith("{") and '"keyturn_scan"' in beginning


def read(text: str) -> Iterator[Sighting | None]:
    """One for each place that uses the account; None for one that only speaks of it, and for a damaged document."""
    try:
        scan = read_scan(text)
    except ValueError:
        yield None
        return
    for mention in scan.mentions:
        domain, _, name = str(mention.account).rpartition("\\")
        used = mention.use is not Use.COMMENT
        yield Sighting(scan.at, name, domain, scan.machine, "", SCAN, Answer.ACCEPTED, where(mention)) if used else None


def where(mention: Mention | Place) -> str:
    """A line for a terminal, whatever a file is called there."""
    place = f"{mention.path}:{mention.line}" if mention.line else mention.path
    said = f"{place} ({mention.kind}, {mention.use})"
    return "".join(letter if letter.isprintable() else "?" for letter in said)
