"""The holders' half of a plan: a credential is offered and proven, and what they had before is taken away."""

from collections.abc import Callable
from dataclasses import dataclass

from keyturn.lifecycle.facts import Facts
from keyturn.lifecycle.journal import Done, Outcome, Stopped, Waiting
from keyturn.lifecycle.ports import Holdings
from keyturn.lifecycle.questions import names, not_taken_up, refused
from keyturn.lockout.axis import duration
from keyturn.model.accounts import AnyAccount, Credential
from keyturn.model.estate import AccountLife

SILENCE_S = 60
"""A holder that took a credential and was not heard of for so long gives its place back, if nobody failed."""


@dataclass(frozen=True, slots=True)
class Handover:
    """Moments are seconds since the epoch. `check` raises FencedOff once the plan is another worker's."""

    facts: Facts
    holdings: Holdings
    check: Callable[[], None]
    now: Callable[[], float]

    def publish(self, credential: Credential, holders: tuple[str, ...], at_once: int) -> Outcome:
        self.holdings.publish(credential, holders, at_once)
        return Done()

    def await_canary(self, credential: Credential, until: float) -> Outcome:
        uptake = self.holdings.uptake(credential)
        if uptake.refused:
            return refused(credential, uptake.refused)
        awaited = self.holdings.holders(credential.account) - self.holdings.released()
        if uptake.proven or not awaited:
            return Done()
        if self.now() >= until:
            return Stopped(f"no holder has come to try {credential}", hint="keyturn plan resume waits on")
        self._reclaim(credential)
        first = names(tuple(awaited)) if len(awaited) == 1 else "the first holder"
        return Waiting(f"waiting for {first} to prove {credential}")

    def await_uptake(self, credential: Credential, holders: tuple[str, ...], until: float) -> Outcome:
        uptake = self.holdings.uptake(credential)
        released = self.holdings.released()
        if unreleased := uptake.refused - released:
            return refused(credential, unreleased)
        missing = tuple(name for name in holders if name not in uptake.proven and name not in released)
        if not missing:
            return Done()
        if self.now() >= until:
            return not_taken_up(credential, missing, of=len(holders))
        self._reclaim(credential)
        return Waiting(f"{len(holders) - len(missing)} of {len(holders)} holders have proven {credential}", missing)

    def withdraw(self, account: AnyAccount, in_favour_of: Credential) -> Outcome:
        proven = self.holdings.uptake(in_favour_of).proven
        still_hold = self.holdings.holders(account) - proven - self.holdings.released()
        if still_hold:
            self.holdings.publish(in_favour_of, still_hold, at_once=1)  # whoever came while the plan was under way
            missing = tuple(sorted(still_hold))
            return Waiting(f"{names(missing)} would be left without a credential: {account} stays", missing)
        self.check()
        self.holdings.become(account, AccountLife.WITHDRAWN)
        return Done()

    def await_quiet(self, account: AnyAccount, quiet_s: float, since: float) -> Outcome:
        seen = [m for r in self.facts.state(account).replicas for m in (r.last_logon_at, r.last_bad_at)]
        last = max([since, *(moment for moment in seen if moment is not None)])
        left = last + quiet_s - self.now()
        if left > 0:
            return Waiting(f"{account} must be quiet for another {duration(left)} before it is disabled", retry_s=left)
        return Done()

    def retire(self, account: AnyAccount, life: AccountLife) -> Outcome:
        known = self.facts.known(account)
        self.check()
        if life is AccountLife.DISABLED:
            self.facts.authority(known).disable(known)
        else:
            self.facts.authority(known).delete(known)
        self.holdings.become(account, life)
        return Done()

    def _reclaim(self, credential: Credential) -> None:
        """A place is given back only while the realm shows that nobody's attempt was bad."""
        if all(r.bad_count == 0 for r in self.facts.state(credential.account).replicas):
            self.holdings.reclaim(credential, offered_before=self.now() - SILENCE_S)
