"""Machines that are gone for good, or whose agent is: the site forgets their keys, and with them what they may ask.

What a machine out of reach holds it goes on holding. So its holdings stay known, and a plan that waits for it waits on
until somebody releases it there, having seen what follows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from keyturn.lifecycle.journal import Mark
from keyturn.lifecycle.plan import AwaitUptake, Step
from keyturn.model.accounts import canonical
from keyturn.model.errors import NotFound
from keyturn.operations.client_ports import EnrolledClient, Offer
from keyturn.operations.clients import machines_of
from keyturn.operations.parts import Parts
from keyturn.operations.ports import PlanRecord
from keyturn.operations.push_asking import withdraw
from keyturn.operations.push_records import PushRequest


@dataclass(frozen=True, slots=True)
class Known:
    """What the site has of a machine. `client`, an unused invitation and an open `request` are what is forgotten.

    The rest stays: `may_hold` is what it was offered and has not dropped, `plans` wait for it now or at a step to
    come, and each of `logon_keys` enrols it anew without an invitation.
    """

    name: str
    client: EnrolledClient | None
    invited: bool
    request: PushRequest | None
    may_hold: tuple[Offer, ...]
    plans: tuple[PlanRecord, ...]
    in_estate: bool
    logon_keys: tuple[str, ...]


def look_up(parts: Parts, names: Sequence[str]) -> list[Known]:
    """In the order of the names. NotFound where there is nothing of a machine that could be forgotten."""
    store = parts.store
    wanted = {canonical(name): name for name in names}
    spelled = {canonical(name): name for name in machines_of(store.document())}
    clients, invited, offers = store.clients_of(wanted), store.invited(wanted), store.offers_to(wanted)
    requests = {canonical(r.name): r for r in store.push_requests() if r.state.open}
    plans = store.plans(only_open=True)
    good = tuple(key.name for key in store.logon_keys() if key.good(parts.now()))
    found = []
    for key, typed in wanted.items():
        client, request = clients.get(key), requests.get(key)
        if client is None and request is None and key not in invited:
            raise NotFound(f"no client {typed} is enrolled, invited or asked for", hint="keyturn client list")
        name = spelled.get(key, client.name if client else typed)
        waiting = tuple(record for record in plans if _waits_for(record, name, offers[key]))
        listed = key in spelled
        found.append(Known(name, client, key in invited, request, offers[key], waiting, listed, good if listed else ()))
    return found


def forget(parts: Parts, names: Sequence[str], *, by: str) -> list[Known]:
    """All of the machines or none. What was known of them before is returned."""
    with parts.store.whole():
        found = look_up(parts, names)
        for machine in found:
            parts.store.forget_client(machine.name)
            if machine.request:
                withdraw(parts, machine.name, by=by)
            parts.store.tell(by, "client-forgotten", machine.name)
    return found


def _waits_for(record: PlanRecord, name: str, offers: Sequence[Offer]) -> bool:
    if name in record.released:
        return False
    proven = {(str(offer.account), offer.proven) for offer in offers}
    return name in record.missing or any(
        name in step.holders and (str(step.credential.account), step.credential.generation) not in proven
        for step in _to_come(record)
        if isinstance(step, AwaitUptake)
    )


def _to_come(record: PlanRecord) -> list[Step]:
    done = {number for number, marked in record.marks.items() if marked.mark is Mark.DONE}
    return [planned.step for number, planned in enumerate(record.plan.steps) if number not in done]
