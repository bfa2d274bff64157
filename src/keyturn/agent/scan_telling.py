"""A scan told to the agent's site by its own signed channel: names and places, never what stands there."""

from collections import Counter
from collections.abc import Iterator

from keyturn.agent.client import Client
from keyturn.agent.home import Home
from keyturn.wire.scan import MOST_PLACES, Mention, Place, Scan, ScanReport, Use


def ask_names(home: Home, client: Client) -> tuple[str, ...]:
    """The accounts that the site lets this machine look for. Raises as `Link` does."""
    with home.lock():
        client.credentials.refresh()
        return client.link.accounts_to_find()


def tell(home: Home, client: Client, found: Scan) -> None:
    """Raises as `Link` does. The same scan told again changes nothing."""
    report = ScanReport(found.at, tuple(_places(found.mentions)))
    with home.lock():
        client.credentials.refresh()
        client.link.tell_scan(report)


def _places(mentions: tuple[Mention, ...]) -> Iterator[Place]:
    told: Counter[str] = Counter()
    for mention in mentions:
        if mention.use is Use.COMMENT or told[mention.account] == MOST_PLACES:
            continue
        told[mention.account] += 1
        yield Place(mention.account, mention.path, mention.line, mention.kind, mention.use)
