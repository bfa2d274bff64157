"""Somebody takes a right from the second account after it was made: nobody is moved to it.

A subclass gives the fixture `there`: the realm, as `tests.story.real_realm` describes it.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from keyturn.lifecycle.plan import Plan, Publish, Step, Withdraw
from keyturn.operations import plans
from keyturn.operations.ports import PlanState
from tests.inner_site import InnerSite
from tests.story.real_realm import SHARED, RealRealm, carried, estate, made, opened

HOLDER = "APP-1"


class ParityStory:
    @pytest.mark.parametrize("flip", [Publish, Withdraw])
    def test_a_right_taken_from_the_second_account_is_named_and_the_flip_refused(
        self, tmp_path: Path, there: RealRealm, flip: type[Step]
    ) -> None:
        """Before it is offered to anybody, and before the first one is taken from them."""
        authority = there.opened()
        text = estate(there.realm) + f'\n[[consumer]]\nname = "{HOLDER}"\naccounts = ["{SHARED}"]\n'
        site = opened(tmp_path, there.realm, authority, text)
        site.enrol(HOLDER)
        made(site, SHARED)
        first = authority.find(SHARED)
        assert first
        there.join(first)
        there.converge()
        for _ in range(2):
            site.contact(HOLDER)
        record = site.rotate(SHARED)
        plan, lost = record.plan_id, right_before(site, record.plan, flip, lambda: there.leave(f"{SHARED}_2"))
        record = carried(site, plan, machines=(HOLDER,))
        assert record.state is PlanState.STOPPED, record.note
        assert f"{SHARED}_2" in record.note
        assert f"lacks {lost[0]}" in record.note
        assert authority.describe(first).enabled
        held = {f"{there.realm.name}\\{name}" for name in (SHARED, f"{SHARED}_2")[: 1 + (flip is Withdraw)]}
        assert site.held[HOLDER].keys() == held
        second = authority.find(f"{SHARED}_2")
        assert second
        there.join(second)
        there.converge()
        plans.resume(site.parts, plan, by="paul")
        record = carried(site, plan, machines=(HOLDER,), step_s=30)
        assert record.state is PlanState.DONE, record.note
        for account in (first, second):
            authority.delete(account)
        site.close()


def right_before(site: InnerSite, plan: Plan, kind: type[Step], act: Callable[[], str]) -> list[str]:
    """What `act` has said, once: when the step before the plan's first one of that kind was done."""
    said: list[str] = []
    awaited = next(number for number, planned in enumerate(plan.steps) if isinstance(planned.step, kind))
    store = site.parts.store

    class Lease:
        def __init__(self, inner: Any) -> None:
            self._inner = inner

        def go_on(self, plan_id: str, done: int) -> float:
            since: float = self._inner.go_on(plan_id, done)
            if done + 1 == awaited and not said:
                said.append(act())
            return since

        def __getattr__(self, verb: str) -> Any:
            return getattr(self._inner, verb)

    class Store:
        def lease(self, plan_id: str, worker: str, lease_s: float) -> Lease | None:
            lease = store.lease(plan_id, worker, lease_s)
            return Lease(lease) if lease else None

        def __getattr__(self, verb: str) -> Any:
            return getattr(store, verb)

    site.parts = replace(site.parts, store=Store())  # type: ignore[arg-type]
    return said
