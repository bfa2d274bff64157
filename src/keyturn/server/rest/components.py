"""The site's components: how they stand, what people want of them, and what they have to say."""

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import APIRouter, Query

from keyturn.model.accounts import same_name
from keyturn.operations import components
from keyturn.operations.advertisement_status import COMPONENTS
from keyturn.operations.components import ComponentStatus, Verb
from keyturn.operations.parts import Parts
from keyturn.operations.status_messages import Asked
from keyturn.server.rest.security import VIEWER, Operator, Site
from keyturn.site.components import WORK, component_named
from keyturn.site.status_messages import Severity, StatusMessage
from keyturn.wire.components import ComponentShape, OrderedShape, SiteStatusShape, StatusMessageShape

router = APIRouter(prefix="/site", tags=["site"])


@dataclass(frozen=True, slots=True)
class Orders:
    """`names` as people write them: the last words of a component's name are enough. None: all that can be ordered."""

    verb: Verb
    names: list[str] = field(default_factory=list)


@router.get("/status", dependencies=[VIEWER])
def status(parts: Site) -> SiteStatusShape:
    """How the site's components stand, and whether that is well."""
    found = components.status(parts)
    shown = [_component(one) for one in found.components]
    return SiteStatusShape(found.site, found.verdict, shown, [each.system for each in parts.store.left_out()])


@router.post("/components")
def order(parts: Site, person: Operator, orders: Orders) -> OrderedShape:
    """Start, stop, restart or pause components. They follow within a second or two."""
    named = [component_named(name) for name in orders.names]
    return OrderedShape(list(components.order(parts, named or None, orders.verb, by=person.name)))


@router.get("/messages", dependencies=[VIEWER])
def messages(
    parts: Site,
    after: int = 0,
    since: float = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    component: str | None = None,
    severity: Severity = Severity.INFORMATIONAL,
    newest: bool = False,
) -> list[StatusMessageShape]:
    """Status messages, oldest first: after a number, since a moment, of a component, of a severity or worse."""
    asked = Asked(after, since, _sender(parts, component) if component else None, severity)
    return [_message(one) for one in parts.store.messages(asked, limit, newest=newest)]


def _sender(parts: Parts, text: str) -> str:
    """A client's components bear names of their own. NotFound for what neither has."""
    known = (*COMPONENTS.values(), *parts.store.last_messages())
    return next((name for name in known if same_name(name, text)), None) or component_named(text)


def _component(one: ComponentStatus) -> ComponentShape:
    standing = one.standing
    return ComponentShape(
        name=standing.component,
        work=WORK[standing.component],
        state=standing.state,
        wanted=one.wanted,
        since=standing.since,
        failures=standing.failures,
        next_start_at=standing.next_start_at,
        note=standing.note,
        process=standing.process,
        last_message=_message(one.last) if one.last else None,
    )


def _message(one: StatusMessage) -> StatusMessageShape:
    return StatusMessageShape(
        one.number, one.at, one.site, one.machine, one.component, one.message_id, one.severity, one.text
    )
