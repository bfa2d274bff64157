"""Every kind of plan, and what it changes."""

from collections.abc import Mapping
from dataclasses import dataclass

from keyturn.lifecycle.plan import PlanKind
from tests.estates import ADDITIONAL, DEFAULT, INSTALLATION, RING


@dataclass(frozen=True)
class Case:
    kind: PlanKind
    estate: str
    account: str
    sets: int
    """How many passwords of existing accounts the plan sets."""
    makes: str = ""
    """The account that the plan makes, if it does."""

    def wanted(self, before: Mapping[str, int]) -> dict[str, int]:
        """How often each account's password has been set once the plan is done, its making included."""
        after = dict(before)
        if self.makes:
            after[self.makes] = 1
        if self.sets:
            after[self.account] += self.sets
        if self.kind is PlanKind.DELETE:
            del after[self.account]
        return after


CASES = {
    case.kind: case
    for case in (
        Case(PlanKind.CREATE, ADDITIONAL, "KtClient", 0, makes="KtClient"),
        Case(PlanKind.IN_PLACE, INSTALLATION, "KtInstall", 1),
        Case(PlanKind.CYCLE, ADDITIONAL, "KtClient", 0, makes="KtClient_2"),
        Case(PlanKind.STAGGERED, RING, "KtClient_2", 0, makes="KtClient_4"),
        Case(PlanKind.SITE_REGENERATION, DEFAULT, "SMSClient_PHX", 1, makes="SMSClient_PHX_2"),
        Case(PlanKind.DELETE, ADDITIONAL, "KtClient", 0),
    )
}
