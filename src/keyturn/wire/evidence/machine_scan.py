"""What `keyturn agent scan --json` has found on a machine: its configuration names the account.

Nobody was seen logging on. It counts like a logon all the same: a machine that is set up to use an account will.
"""

from collections.abc import Iterator

from keyturn.model.logon import Answer
from keyturn.wire.evidence.sightings import Sighting
from keyturn.wire.scan import Use, read_scan

HOW = "scan"


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
        yield Sighting(scan.at, name, domain, scan.machine, "", HOW, Answer.ACCEPTED) if used else None
