import pytest

from keyturn.lifecycle.plan import (
    AwaitCanary,
    AwaitConvergence,
    AwaitQuiet,
    AwaitUptake,
    CreateAccount,
    Disable,
    Plan,
    PlanKind,
    Planned,
    Publish,
    RecreateAccessPoint,
    ReinstallComponents,
    Seal,
    SetPassword,
    Step,
    StopComponents,
    Withdraw,
    WriteControlFile,
)
from keyturn.model.accounts import Account, AccountToBe, Credential, RealmName, RoleName
from keyturn.model.estate import SiteCode

CORP = RealmName("CORP")
OLD = Account(CORP, "S-1", "old")
NEW = AccountToBe(CORP, "new")
SECOND = Credential(NEW, 1)
NEXT = Credential(OLD, 2)
CREATE = CreateAccount(NEW, RoleName("generic/service"), ())

PHX, DEN = SiteCode("PHX"), SiteCode("DEN")
WORKS: list[Step] = [StopComponents(PHX), WriteControlFile(PHX), ReinstallComponents(PHX)]

CYCLE: list[Step] = [
    Seal(SECOND),
    CREATE,
    AwaitConvergence(SECOND),
    Publish(SECOND, ("a", "b"), 1),
    AwaitCanary(SECOND, 60),
    AwaitUptake(SECOND, ("a", "b"), 60),
    Withdraw(OLD, SECOND),
    AwaitQuiet(OLD, 60, SECOND),
    Disable(OLD, SECOND),
]


def plan(steps: list[Step]) -> Plan:
    return Plan(PlanKind.CYCLE, OLD, tuple(Planned(step, "why") for step in steps))


def test_the_whole_cycle_constructs() -> None:
    assert len(plan(CYCLE).steps) == len(CYCLE)


@pytest.mark.parametrize("left_out", [0, 1, 2, 3, 5, 6, 7])
def test_no_step_of_a_cycle_but_the_canary_can_be_left_out(left_out: int) -> None:
    with pytest.raises(ValueError, match="before"):
        plan([step for number, step in enumerate(CYCLE) if number != left_out])


@pytest.mark.parametrize(
    ("steps", "missing"),
    [
        ([SetPassword(NEXT)], "its Seal"),
        ([Seal(SECOND), SetPassword(NEXT)], "its Seal"),
        ([CREATE], "its Seal"),
        ([Seal(NEXT), AwaitConvergence(NEXT)], "the password was set"),
        ([Seal(NEXT), SetPassword(NEXT), Publish(NEXT, ("a",), 1)], "its AwaitConvergence"),
        ([Publish(NEXT, ("a",), 1), AwaitUptake(NEXT, ("a", "b"), 1)], "its Publish to every holder"),
        ([AwaitCanary(NEXT, 1)], "its Publish"),
        ([Withdraw(OLD, SECOND)], "the uptake of another account's credential"),
        ([Publish(NEXT, ("a",), 1), AwaitUptake(NEXT, ("a",), 1), Withdraw(OLD, NEXT)], "another account's"),
        ([Disable(OLD, SECOND)], "its Withdraw"),
        ([*CYCLE[:7], Disable(OLD, SECOND)], "its AwaitQuiet"),
        ([WriteControlFile(PHX)], "its StopComponents"),
        ([StopComponents(PHX), ReinstallComponents(PHX)], "its WriteControlFile"),
        ([RecreateAccessPoint(PHX, "CAP1")], "its ReinstallComponents"),
        ([StopComponents(PHX), WriteControlFile(PHX), RecreateAccessPoint(PHX, "CAP1")], "its ReinstallComponents"),
        ([StopComponents(PHX), WriteControlFile(DEN)], "its StopComponents"),
        ([StopComponents(PHX)], "ends with the components of PHX stopped"),
        ([*WORKS, StopComponents(PHX)], "ends with the components of PHX stopped"),
    ],
)
def test_an_order_that_breaks_a_promise_does_not_construct(steps: list[Step], missing: str) -> None:
    with pytest.raises(ValueError, match=missing):
        plan(steps)


def test_a_plan_that_resets_a_site_is_about_that_site() -> None:
    assert plan(WORKS).about == "PHX"
    assert plan(CYCLE).about == str(OLD)
