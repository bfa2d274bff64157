"""Around carrying out a step: whether the site lets it be done now.

Between two steps a plan may rest as long as it must. Within one it is never held up: what has been begun is brought to
a known state first.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from keyturn.lifecycle.catalogue.rules import MethodPart
from keyturn.lifecycle.journal import Outcome, Waiting
from keyturn.lifecycle.plan import AwaitCanary, AwaitUptake, Plan, PlanKind, Seal, SetPassword, Step
from keyturn.lifecycle.questions import console_cut_off
from keyturn.model.accounts import Credential
from keyturn.model.errors import AuthorityError

HELD_S = 30.0


class Performs(Protocol):
    def perform(self, step: Step, since: float) -> Outcome: ...

    def landed(self, credential: Credential) -> bool:
        """Whether the realm shows that a password was set since this one was sealed."""


@dataclass(frozen=True, slots=True)
class Attended:
    """`held` says why no plan goes on, or nothing; `stopped` names the site's services that do not run.

    By the console method a password comes in only while all of them do: if one stops before the change is through, only
    a site reset helps (seed, "Changing SMS Account Passwords"). A change by a second account is not cut off by that:
    the first one goes on working.
    """

    performs: Performs
    plan: Plan
    held: Callable[[], str]
    stopped: Callable[[], tuple[str, ...]]

    def perform(self, step: Step, since: float) -> Outcome:
        if reason := self.held():
            return Waiting(reason, retry_s=HELD_S)
        if not self._by_console():
            return self.performs.perform(step, since)
        try:
            if (stopped := self.stopped()) and self._begins(step):
                return console_cut_off(self.plan.account, stopped)
        except AuthorityError as error:
            return Waiting(str(error))
        outcome = self.performs.perform(step, since)
        if isinstance(outcome, Waiting) and isinstance(step, AwaitCanary | AwaitUptake) and (stopped := self.stopped()):
            return console_cut_off(self.plan.account, stopped)
        return outcome

    def _by_console(self) -> bool:
        return self.plan.kind is PlanKind.IN_PLACE and MethodPart.CONSOLE in self.plan.via

    def _begins(self, step: Step) -> bool:
        """Whether the realm still has the password before."""
        match step:
            case Seal():
                return True
            case SetPassword(credential):
                return not self.performs.landed(credential)
            case _:
                return False
