"""Plans: proposed, decided, watched."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from keyturn.lifecycle.catalogue.rules import MethodPart
from keyturn.lockout.timeline import timeline
from keyturn.model.secret import Secret
from keyturn.operations import plans
from keyturn.operations.confirming import confirm
from keyturn.operations.plan_questions import questions, resume_alike
from keyturn.server.rest.security import VIEWER, Approver, Operator, Site
from keyturn.server.rest.shaping import forecast_shape, plan_shape
from keyturn.wire.rest import ForecastShape, PlanShape

router = APIRouter(prefix="/plans", tags=["plans"])


@dataclass(frozen=True, slots=True)
class Proposal:
    """`password` is for an account whose new password a person chooses; else one is generated."""

    account: str
    kind: Literal["rotate", "create", "delete"] = "rotate"
    method: Literal["console", "site-reset", "sms"] | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Holders:
    holders: list[str]


@dataclass(frozen=True, slots=True)
class QuestionShape:
    """Accounts and generations are left out of the text where several plans ask it."""

    text: str
    hint: str
    plans: list[str]


@dataclass(frozen=True, slots=True)
class ResumedShape:
    """`refused`: by plan, why it was not."""

    resumed: list[str]
    refused: dict[str, str]


@router.post("", status_code=201)
def propose(parts: Site, person: Operator, proposal: Proposal) -> PlanShape:
    """Make a plan. Nothing is done before it is approved."""
    given = Secret(proposal.password) if proposal.password is not None else None
    method = MethodPart(proposal.method) if proposal.method else None
    match proposal.kind:
        case "rotate":
            made = plans.propose_rotation(parts, proposal.account, by=person.name, given=given, method=method)
        case "create":
            made = plans.propose_creation(parts, proposal.account, by=person.name, given=given)
        case _:
            made = plans.propose_deletion(parts, proposal.account, by=person.name)
    return plan_shape(made)


@router.get("", dependencies=[VIEWER])
def all_plans(parts: Site, *, only_open: Annotated[bool, Query(alias="open")] = False) -> list[PlanShape]:
    """Every plan, or the open ones."""
    return [plan_shape(plans.shown(parts, record)) for record in parts.store.plans(only_open=only_open)]


@router.get("/stopped/questions", dependencies=[VIEWER])
def asked(parts: Site) -> list[QuestionShape]:
    """What the stopped plans ask, each question once."""
    return [
        QuestionShape(question.text, question.hint, [record.plan_id for record in question.plans])
        for question in questions(parts)
    ]


@router.get("/{plan_id}", dependencies=[VIEWER])
def show(parts: Site, plan_id: str) -> PlanShape:
    """A plan with its steps, its forecast and whom it waits for."""
    return plan_shape(plans.shown(parts, parts.store.plan(plan_id)))


@router.get("/{plan_id}/timeline.svg", dependencies=[VIEWER], response_class=Response)
def picture(parts: Site, plan_id: str) -> Response:
    """The forecast as a timeline."""
    forecast = parts.store.plan(plan_id).forecast
    return Response(timeline(forecast, standalone=True), media_type="image/svg+xml")


@router.post("/{plan_id}/approve")
def approve(parts: Site, person: Approver, plan_id: str) -> PlanShape:
    """Let it run, if it is still what would be planned now."""
    return plan_shape(plans.approve(parts, plan_id, by=person.name))


@router.post("/{plan_id}/reject")
def reject(parts: Site, person: Approver, plan_id: str) -> PlanShape:
    """Decline it; nothing was done."""
    return plan_shape(plans.reject(parts, plan_id, by=person.name))


@router.post("/{plan_id}/resume")
def resume(parts: Site, person: Operator, plan_id: str) -> PlanShape:
    """Go on after it stopped with a question."""
    return plan_shape(plans.resume(parts, plan_id, by=person.name))


@router.post("/{plan_id}/resume-alike")
def resume_with_others(parts: Site, person: Operator, plan_id: str) -> ResumedShape:
    """Go on with it and with every other plan that stopped with the same question."""
    resumed = resume_alike(parts, plan_id, by=person.name)
    return ResumedShape(list(resumed.plans), dict(resumed.refused))


@router.post("/{plan_id}/abandon")
def abandon(parts: Site, person: Approver, plan_id: str) -> PlanShape:
    """Give it up where it stands; no account is taken from anybody."""
    return plan_shape(plans.abandon(parts, plan_id, by=person.name))


@router.post("/{plan_id}/confirm")
def confirm_holders(parts: Site, person: Approver, plan_id: str, working: Holders) -> PlanShape:
    """Say of holders without an agent that they work with the new password: somebody gave it to them and looked."""
    return plan_shape(confirm(parts, plan_id, working.holders, by=person.name))


@router.post("/{plan_id}/release-forecast", dependencies=[VIEWER])
def foresee_release(parts: Site, plan_id: str, given_up: Holders) -> ForecastShape:
    """What becomes of these holders if the plan stops waiting for them."""
    return forecast_shape(plans.foresee_giving_up(parts, plan_id, given_up.holders))


@router.post("/{plan_id}/release")
def release(parts: Site, person: Approver, plan_id: str, given_up: Holders) -> PlanShape:
    """Give holders up that will not return."""
    return plan_shape(plans.release(parts, plan_id, given_up.holders, by=person.name))
