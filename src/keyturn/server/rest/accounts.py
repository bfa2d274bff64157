"""Accounts: listed, shown with their holders, taken in, and changed by hand where that is harmless."""

from dataclasses import dataclass, field
from typing import Literal

from fastapi import APIRouter

from keyturn.lifecycle.forecasting import HORIZON_S, PUBLISH_LAG_S, foresee_naive, foresee_nothing, scene_of
from keyturn.lifecycle.guards import Change
from keyturn.model.errors import KeyturnError
from keyturn.model.secret import Secret
from keyturn.operations import accounts, envelopes
from keyturn.server.rest.security import VIEWER, Operator, Site
from keyturn.server.rest.shaping import account_shape, detail_shape, forecast_shape
from keyturn.wire.rest import AccountDetailShape, AccountShape, ForecastShape

router = APIRouter(tags=["accounts"])


@dataclass(frozen=True, slots=True)
class Named:
    account: str


@dataclass(frozen=True, slots=True)
class Adoption:
    account: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ByHand:
    account: str
    change: Literal["disable", "enable", "unlock", "rename", "rights"]


@dataclass(frozen=True, slots=True)
class Question:
    """`naive`: what a plain password change would bring; else what doing nothing would."""

    account: str
    naive: bool = True
    publish_lag_s: float = PUBLISH_LAG_S
    horizon_s: float = HORIZON_S


@router.get("/accounts", dependencies=[VIEWER])
def all_accounts(parts: Site) -> list[AccountShape]:
    """Every account, with how many of its holders are current."""
    estate, due = parts.store.estate(), envelopes.due(parts)
    return [account_shape(estate, managed, due) for managed in estate.accounts]


@router.post("/accounts/show", dependencies=[VIEWER])
def show(parts: Site, named: Named) -> AccountDetailShape:
    """One account with everybody who holds it. Names contain backslashes, so they travel in the body."""
    estate = parts.store.estate()
    managed = estate.managed(named.account)
    try:
        state = accounts.state(parts, named.account)
    except KeyturnError:
        state = None
    return detail_shape(estate, managed, envelopes.due(parts), state)


@router.post("/accounts/adopt")
def adopt(parts: Site, person: Operator, adoption: Adoption) -> AccountShape:
    """Take in an account that exists, by one logon that is charged to the lockout budget."""
    managed = accounts.adopt(parts, adoption.account, Secret(adoption.password), by=person.name)
    return account_shape(parts.store.estate(), managed, envelopes.due(parts))


@router.post("/accounts/change")
def change(parts: Site, person: Operator, wanted: ByHand) -> AccountShape:
    """Disable, enable or unlock by hand; refused where somebody would be cut off."""
    managed = accounts.change(parts, wanted.account, Change[wanted.change.upper()], by=person.name)
    return account_shape(parts.store.estate(), managed, envelopes.due(parts))


@router.post("/forecasts", dependencies=[VIEWER])
def forecast(parts: Site, question: Question) -> ForecastShape:
    """What a plain password change would bring, or doing nothing."""
    estate = parts.store.estate()
    scene = scene_of(estate, estate.managed(question.account))
    if not question.naive:
        return forecast_shape(foresee_nothing(scene, horizon_s=question.horizon_s))
    foreseen = foresee_naive(scene, publish_lag_s=question.publish_lag_s, horizon_s=question.horizon_s)
    return forecast_shape(foreseen)
