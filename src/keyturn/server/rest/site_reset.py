"""Site resets, access points that one went on without, and site servers that are to be removed."""

from dataclasses import dataclass, field

from fastapi import APIRouter

from keyturn.model.secret import Secret
from keyturn.model.setup import SetupAccount, SetupAccounts
from keyturn.operations import site_removal, site_reset
from keyturn.operations.site_reset import Asked
from keyturn.server.rest.security import VIEWER, Approver, Operator, Site
from keyturn.server.rest.shaping import plan_shape
from keyturn.wire.estate_file.writing import write_estate
from keyturn.wire.rest import PlanShape
from keyturn.wire.site_reset import LeftOutShape, RemadeShape, RemovalShape, ResetReportShape

router = APIRouter(tags=["site reset"])


@dataclass(frozen=True, slots=True)
class NamedAccount:
    name: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SetupGiven:
    """What a setup file says. None: setup makes the default account of that role."""

    server: NamedAccount | None = None
    client: NamedAccount | None = None


@dataclass(frozen=True, slots=True)
class ResetAsked:
    """`setup` null: no setup file. `recreate_accounts`: delete and make accounts instead of keeping them."""

    site: str
    setup: SetupGiven | None = None
    service_password: str | None = field(default=None, repr=False)
    recreate_accounts: bool = False


@router.post("/site-resets", status_code=201)
def propose(parts: Site, person: Operator, asked: ResetAsked) -> PlanShape:
    """Plan a reset of this site. Passwords that came along are proven by one logon each and kept."""
    return plan_shape(site_reset.propose_reset(parts, _asked(asked), by=person.name))


@router.post("/site-resets/preview")
def preview(parts: Site, person: Operator, asked: ResetAsked) -> PlanShape:
    """The plan as it would be made. Nothing is kept, and nobody logs on."""
    return plan_shape(site_reset.preview(parts, _asked(asked), by=person.name))


@router.get("/site-resets/{plan_id}", dependencies=[VIEWER])
def report(parts: Site, plan_id: str) -> ResetReportShape:
    """What the reset kept, regenerated, made anew and went on without."""
    found = site_reset.report(parts, plan_id)
    return ResetReportShape(
        found.site,
        found.state,
        list(found.kept),
        list(found.regenerated),
        [RemadeShape(each.account, each.was, each.now) for each in found.remade],
        list(found.made),
        list(found.left_out),
    )


@router.get("/left-out", dependencies=[VIEWER])
def left_out(parts: Site) -> list[LeftOutShape]:
    """Access points that are to be assigned again."""
    return [LeftOutShape(each.system, each.plan_id, each.at) for each in parts.store.left_out()]


@router.post("/left-out/{system}/assign", status_code=204)
def assign(parts: Site, person: Approver, system: str) -> None:
    """Write an access point that a reset went on without, and use it again."""
    site_reset.assign(parts, system, by=person.name)


@router.get("/sites/{code}/removal", dependencies=[VIEWER])
def foresee_removal(parts: Site, code: str) -> RemovalShape:
    """Who would be orphaned if the site server were removed."""
    found = site_removal.foresee_removal(parts, code)
    return RemovalShape(found.site, found.server, list(found.orphans), list(found.below))


@router.post("/sites/{code}/removal", status_code=204)
def remove(parts: Site, person: Approver, code: str) -> None:
    """Take a site out of the estate, where that orphans nobody."""
    site_removal.remove(parts, code, write_estate, by=person.name)


def _asked(asked: ResetAsked) -> Asked:
    setup = None
    if asked.setup is not None:
        setup = SetupAccounts(server=_account(asked.setup.server), client=_account(asked.setup.client))
    password = Secret(asked.service_password) if asked.service_password is not None else None
    return Asked(asked.site, setup, password, asked.recreate_accounts)


def _account(named: NamedAccount | None) -> SetupAccount | None:
    return SetupAccount(named.name, Secret(named.password)) if named else None
