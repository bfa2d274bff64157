"""When to look at the plans again if nothing happens."""

from collections.abc import Iterable

from keyturn.lifecycle.journal import Outcome, Waiting

SHORTEST_S, LONGEST_S = 0.2, 30.0


def next_look(outcomes: Iterable[Outcome]) -> float:
    """In seconds: as the plan that is first says, within the two bounds."""
    waits = [outcome.retry_s for outcome in outcomes if isinstance(outcome, Waiting)]
    return max(SHORTEST_S, min([LONGEST_S, *waits]))
