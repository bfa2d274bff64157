"""One contact of a client that asks nobody, as the legacy client does: it is here to be compared with.

It presents what it holds, account after account (Q224286), and learns of new credentials through the access point
alone, with a credential that still works (seed, Managing the Client Connection Account). Many such clients with an
old password lock the account.
"""

from collections.abc import Iterator

from keyturn.agent.client import Client
from keyturn.agent.contact import act, conclude, reinstall
from keyturn.agent.deciding import decide
from keyturn.agent.records import Copy, Standing
from keyturn.agent.report import Event, Presented, Report, gather
from keyturn.model.logon import Answer
from keyturn.wire.agent import Adopt, Direction, Directions, Drop, accounts_file, read


def ungated_contact(client: Client) -> Report:
    """A client that holds nothing was never installed; only then, or at a logon script, does it ask with its key."""
    held = client.credentials.held()
    if not held:
        return reinstall(client)
    return conclude(client, gather(_in_turn(client, held)))


def _in_turn(client: Client, held: tuple[Copy, ...]) -> Iterator[Event]:
    for copy in held:
        event = client.present(copy.account, tell=False)
        yield event
        if isinstance(event, Presented) and event.answer is Answer.ACCEPTED:
            yield from _update(client, copy.account)
            return


def _update(client: Client, account: str) -> Iterator[Event]:
    content = client.fetch(accounts_file(client.name), account).content
    if content is None:
        return
    held = client.credentials.held()
    news = [direction for direction in read(Directions, content).directions if _is_news(direction, held)]
    yield from act(client, decide(news, held))


def _is_news(direction: Direction, held: tuple[Copy, ...]) -> bool:
    """The file names every account each time; what is proven need not be proven again."""
    if not isinstance(direction, Adopt):
        return isinstance(direction, Drop)
    proven = {(c.account, c.generation) for c in held if c.standing is Standing.PROVEN}
    return (direction.account, direction.generation) not in proven
