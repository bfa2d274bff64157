"""One contact of a client that asks with its own key before it presents a password (the gate)."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from keyturn.agent.client import Client
from keyturn.agent.deciding import Action, AdoptThenPresent, Forget, Pause, Present, decide
from keyturn.agent.report import TROUBLE, Adopted, Event, Presented, Report, Spoiled, gather
from keyturn.model.logon import Answer
from keyturn.model.software import ClientKind
from keyturn.wire.agent import Adopt, Directions, Use
from keyturn.wire.sealed import BadSealed


def contact(client: Client) -> Report:
    """Ask, then do as told. No password is presented when asking fails."""
    try:
        client.report()
        _take_up_unanswered(client)
        directions = client.check_in(client.credentials.holds())
    except TROUBLE as error:
        return Report(failure=error.message, hint=error.hint)
    return _carry_out(client, directions)


def reinstall(client: Client) -> Report:
    """Let go of everything held and take what the site gives to the client's own key: the way back for a client whose
    credentials fail (seed, Managing the Client Connection Account). Nothing is let go while the site gives nothing."""
    try:
        directions = client.check_in(holds=())
    except TROUBLE as error:
        return Report(failure=error.message, hint=error.hint)
    if any(isinstance(direction, Adopt) for direction in directions.directions):
        client.credentials.wipe()
    return _carry_out(client, directions)


def _take_up_unanswered(client: Client) -> None:
    """An agent that died in both of its first logons does not know whether its password is wrong, and presents it no
    more. Where the site has just seen that it is right, one more logon cannot be a bad attempt; an agent that dies
    in that one too asks anew. A site that cannot tell says nothing."""
    unanswered = client.credentials.unanswered()
    with suppress(*TROUBLE):
        said = client.assure(unanswered) if unanswered else ()
        for copy in unanswered:
            if Use(copy.account, copy.generation) in said:
                client.credentials.take_up(copy)


def _carry_out(client: Client, directions: Directions) -> Report:
    actions = decide(directions.directions, client.credentials.held())
    return conclude(client, gather(act(client, actions), directions.contact_s))


def act(client: Client, actions: Sequence[Action]) -> Iterator[Event]:
    """At most one logon for each account, and none just for access once one was accepted."""
    inside = False
    for action in actions:
        for event in _events(client, action, inside):
            inside = inside or (isinstance(event, Presented) and event.answer is Answer.ACCEPTED)
            yield event


def _events(client: Client, action: Action, inside: bool) -> Iterator[Event]:
    match action:
        case Pause():
            yield action
        case AdoptThenPresent():
            yield from _adopt(client, action)
        case Present(account, _, to_prove=True):
            yield from _prove(client, account)
        case Present(account):
            trouble = client.hand_over(account)
            if trouble:
                yield trouble
            if not inside:
                yield client.present(account, tell=False)
        case Forget(account):
            client.credentials.forget(account)
            yield action


def _adopt(client: Client, new: AdoptThenPresent) -> Iterator[Event]:
    """What does not open replaces nothing."""
    try:
        client.open(new.account, new.generation, new.sealed)
    except BadSealed as error:
        yield Spoiled(new.account, error.message)
        return
    client.credentials.adopt(new.account, new.generation, new.sealed, new.succeeds)
    yield Adopted(new.account, new.generation)
    yield from _prove(client, new.account)


def _prove(client: Client, account: str) -> Iterator[Event]:
    """A logon with it tells the site that this machine can do without the old one: so everybody here must have it."""
    trouble = client.hand_over(account)
    yield trouble or client.present(account, tell=True)


def conclude(client: Client, report: Report) -> Report:
    """Tell the site what the realm answered, and remember whether the client found a way in."""
    try:
        client.report()
    except TROUBLE as error:
        if not report.failure:
            report = replace(report, failure=error.message, hint=error.hint)
    if not report.failure and _needs_none(client, report):
        report = replace(report, needs_none=True)
    if report.accepted or report.needs_none:
        client.credentials.orphan(False)
    elif not report.failure and not report.of(Pause):
        client.credentials.orphan(True)
    return report


def _needs_none(client: Client, report: Report) -> bool:
    """Everything it does goes by its own key; a legacy client without an account is lost."""
    advanced = client.installation.kind is ClientKind.ADVANCED
    nothing_tried = all(isinstance(event, Forget) for event in report.events)
    return advanced and nothing_tried and not client.credentials.held()
