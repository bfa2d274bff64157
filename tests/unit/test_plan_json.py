"""Plans, forecasts and estates as text, and back."""

import json
from dataclasses import fields, replace
from typing import get_args

import pytest

from keyturn.adapters.store.errors import Unreadable
from keyturn.adapters.store.plan_json import from_json, to_json
from keyturn.lifecycle.plan import (
    AwaitCanary,
    AwaitConvergence,
    AwaitQuiet,
    AwaitUptake,
    CopyRights,
    CreateAccount,
    Delete,
    Disable,
    ForgetIdentity,
    Plan,
    PlanKind,
    Planned,
    Publish,
    ReachWith,
    RecreateAccessPoint,
    ReinstallComponents,
    Seal,
    SetPassword,
    Step,
    StopComponents,
    VerifyPassword,
    Withdraw,
    WriteControlFile,
)
from keyturn.lockout.changes import Forecast, Moment
from keyturn.model.accounts import Account, AccountToBe, Credential, RealmName, RoleName
from keyturn.model.estate import (
    Absence,
    AccountLife,
    ClientGroup,
    Consumer,
    Estate,
    Habit,
    Holder,
    HolderKind,
    Holding,
    ManagedAccount,
    Proof,
    Realm,
    RealmKind,
    Site,
    SiteCode,
    SiteKind,
    SiteSystem,
)
from keyturn.model.logon import LogonProtocol
from keyturn.model.policy import RealmPolicy

CORP, PHX = RealmName("CORP"), SiteCode("PHX")
OLD = Account(CORP, "S-1-5-21-7-1001", "SMSClient_PHX")
NEW = AccountToBe(CORP, "SMSClient_PHX_2")
CREDENTIAL, IN_PLACE = Credential(NEW, 1), Credential(OLD, 2)
ROLE = RoleName("sms2003/client-connection-additional")

STEPS: tuple[Step, ...] = (
    Seal(IN_PLACE),
    SetPassword(IN_PLACE),
    SetPassword(IN_PLACE, behind=CREDENTIAL),
    Seal(CREDENTIAL),
    CreateAccount(NEW, ROLE, (PHX,), like=OLD, succeeds=OLD),
    CreateAccount(NEW, ROLE, ()),
    CopyRights(OLD, NEW),
    AwaitConvergence(CREDENTIAL),
    Publish(CREDENTIAL, ("pc-1", "pc-2"), 2),
    AwaitCanary(CREDENTIAL, 0.5),
    AwaitUptake(CREDENTIAL, ("pc-1",), float("inf")),
    Withdraw(OLD, CREDENTIAL),
    AwaitQuiet(OLD, 3600.0, CREDENTIAL),
    Disable(OLD, CREDENTIAL),
    Delete(OLD),
    ReachWith(CORP, OLD),
    VerifyPassword(IN_PLACE),
    StopComponents(PHX),
    WriteControlFile(PHX),
    ForgetIdentity(OLD),
    CreateAccount(NEW, ROLE, (PHX,), generation=4),
    ReinstallComponents(PHX),
    RecreateAccessPoint(PHX, "cap"),
)
PLAN = Plan(
    PlanKind.CYCLE,
    OLD,
    tuple(Planned(step, f"because {number}") for number, step in enumerate(STEPS)),
    via=("operating-system", "console"),
    notes=("naïve → safe",),
    keeps=(OLD, NEW),
)
FORECAST = Forecast(12.5, ("pc-1",), ("pc-2",), ("pc-3",), (Moment(0.0, "set"), Moment(12.5, "locked", "pc-1")))
PC = Holder(
    "pc-1",
    HolderKind.LEGACY_CLIENT,
    PHX,
    Habit(60.0, 1.5, (Absence(1.0, 2.0),), 3600.0),
    LogonProtocol.LDAP,
    gated=False,
    replica="dc2",
    max_password_length=14,
)
ESTATE = Estate(
    "configmgr",
    realms=(
        Realm(
            CORP, RealmKind.LOCAL, ("dc1", "dc2"), 5.0, (RealmName("LAB"),), RealmPolicy(3, 60.0), "rotator", "spare"
        ),
    ),
    sites=(
        Site(PHX, CORP, "srv", SiteKind.SECONDARY, "Phoenix", SiteCode("CEN"), True, True, ("srv",), ("SMS",), "push"),
    ),
    systems=(SiteSystem("cap", PHX, ("cap", "dp")),),
    clients=(PC,),
    groups=(ClientGroup("lab", 40, PC),),
    consumers=(Consumer(PC, ("CORP\\SMSClient_PHX",)),),
    accounts=(ManagedAccount(OLD, ROLE, (PHX,), AccountLife.WITHDRAWN, 3, NEW, 7.0), ManagedAccount(NEW, ROLE)),
    holdings=(Holding("pc-1", OLD, 2, Proof.REPORTED, 9.0),),
)


def test_the_plan_of_these_tests_has_every_kind_of_step() -> None:
    assert {type(step) for step in STEPS} == set(get_args(Step))


def test_a_plan_is_read_back_as_it_was() -> None:
    assert from_json(to_json(PLAN), Plan, "it") == PLAN


def test_a_forecast_is_read_back_as_it_was() -> None:
    assert from_json(to_json(FORECAST), Forecast, "it") == FORECAST
    never = replace(FORECAST, first_lockout_s=None)
    assert from_json(to_json(never), Forecast, "it") == never


def test_an_estate_is_read_back_as_it_was() -> None:
    for field in fields(Estate):
        assert getattr(ESTATE, field.name) != getattr(Estate(), field.name), "every part is told apart from its default"
    assert from_json(to_json(ESTATE), Estate, "it") == ESTATE
    assert from_json(to_json(Estate()), Estate, "it") == Estate()


def test_an_account_and_one_to_be_are_told_apart() -> None:
    plan = from_json(to_json(PLAN), Plan, "it")
    assert isinstance(plan.account, Account)
    assert plan.account.name == OLD.name
    assert isinstance(plan.steps[3].step, Seal)
    assert isinstance(plan.steps[3].step.credential.account, AccountToBe)


def test_stored_plans_keep_their_shape() -> None:
    """Rows of this shape are in stores out there: whoever changes it writes a migration."""
    plan = Plan(PlanKind.IN_PLACE, OLD, (Planned(Seal(IN_PLACE), "kept first"),))
    account = {"realm": "CORP", "sid": "S-1-5-21-7-1001", "name": "SMSClient_PHX"}
    assert json.loads(to_json(plan)) == {
        "kind": "in-place",
        "account": account,
        "steps": [
            {"step": {"step": "Seal", "credential": {"account": account, "generation": 2}}, "reason": "kept first"}
        ],
        "via": [],
        "notes": [],
        "keeps": [],
    }


def test_a_plan_kept_before_there_were_site_resets_is_read_as_it_was() -> None:
    plan = Plan(PlanKind.IN_PLACE, OLD, (Planned(Seal(IN_PLACE), "kept first"),))
    shape = json.loads(to_json(plan))
    del shape["keeps"]
    assert from_json(json.dumps(shape), Plan, "it") == plan


def test_a_field_added_with_a_default_is_filled_in() -> None:
    text = json.loads(to_json(PLAN))
    del text["notes"]
    assert from_json(json.dumps(text), Plan, "it") == replace(PLAN, notes=())


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ('"step":"Withdraw"', '"step":"Forget"'),
        ('"at_once":2', '"at_once":2,"in_waves":3'),
        ('"at_once":2', '"at_once":"two"'),
        ('"at_once":2', '"pace":2'),
        ('"kind":"cycle"', '"kind":"merry-go-round"'),
        ('"sid"', '"guid"'),
        ('"credential":', ""),
        ('"step":"Seal"', '"step":"SetPassword"'),
    ],
)
def test_what_this_release_would_not_have_written_is_not_read(was: str, becomes: str) -> None:
    text = to_json(PLAN)
    assert was in text
    with pytest.raises(Unreadable, match="plan 7"):
        from_json(text.replace(was, becomes), Plan, "plan 7")


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", "7", '"plan"', "{"])
def test_what_is_no_plan_is_not_read(text: str) -> None:
    with pytest.raises(Unreadable):
        from_json(text, Plan, "plan 7")
