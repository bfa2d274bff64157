"""Looking around in a realm: what is found as JSON, and as an estate file to review."""

from fastapi import APIRouter, Response

from keyturn.lifecycle.catalogue.products import role_names
from keyturn.operations.discovery import Discovered, FoundAccount, discover
from keyturn.operations.surveys import NamedPolicy
from keyturn.server.rest.security import Operator, Site
from keyturn.wire.discovery import (
    DiscoveryShape,
    FoundAccountShape,
    LeftOutShape,
    PolicyShape,
    PublishedSiteShape,
)
from keyturn.wire.estate_proposal import propose

router = APIRouter(prefix="/realms/{realm}/discovery", tags=["realms"])


@router.get("")
def look(parts: Site, person: Operator, realm: str) -> DiscoveryShape:
    """Which accounts of the realm are probably no person's, and why. Changes nothing, takes nothing in."""
    return _shape(discover(parts, realm, by=person.name))


@router.get("/file", response_class=Response)
def file(parts: Site, person: Operator, realm: str) -> Response:
    """The estate with what was found, as a file to review and import. Whatever is uncertain in it is a comment."""
    found = _shape(discover(parts, realm, by=person.name))
    return Response(propose(parts.store.estate(), found, role_names()), media_type="application/toml")


def _shape(found: Discovered) -> DiscoveryShape:
    survey = found.survey
    return DiscoveryShape(
        realm=found.realm.name,
        kind=found.realm.kind,
        servers=survey.servers,
        policies=tuple(map(_policy, survey.policies)),
        sites=tuple(
            PublishedSiteShape(s.code, s.management_points, s.locator_points, s.boundaries) for s in survey.sites
        ),
        accounts=tuple(map(_account, found.accounts)),
        left_out=tuple(LeftOutShape(left.why, left.count, left.names) for left in survey.left_out),
        people=found.people,
    )


def _account(found: FoundAccount) -> FoundAccountShape:
    return FoundAccountShape(
        name=found.candidate.name,
        known=found.known,
        certainty=found.verdict.certainty,
        role=found.role,
        enabled=found.candidate.enabled,
        policy=found.candidate.policy,
        reasons=found.verdict.reasons,
    )


def _policy(named: NamedPolicy) -> PolicyShape:
    policy = named.policy
    return PolicyShape(
        named.name,
        policy.lockout_threshold,
        policy.lockout_window_s,
        policy.lockout_duration_s,
        policy.history,
        policy.min_length,
        policy.max_age_s,
    )
