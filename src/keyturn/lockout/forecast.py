"""The forecast: when an account would first lock, through whom, and who would be left without a valid credential.

What it takes the world to do:

- A holder comes at its phase and then every interval; a contact that falls into an absence happens on return. After a
  refusal it comes again at its next contact, no sooner.
- A holder without a gate presents what it holds, at its own replica. Admitted, by grace too, it learns what the site
  offers; refused, it does not, because it reads new account information with the account that just failed ("Planning
  for SMS Account Lifecycles", Managing the Client Connection Account).
- A holder with a gate asks with its own key first, learns what is offered whatever becomes of the account, and presents
  a password only while that is the current one and its replica shows it. So it never spends a bad attempt.
- At the first user logon after a refusal, a logon script reinstalls a holder without a gate with what is offered then.
- The site offers the newest password it has published; at the start, the current one.
- Whoever holds the second account presents nothing more to the first. The second account itself never fails.
- Bad counts are each replica's own. A lock reaches the other replicas after a lag, a password set or a retirement too.
  Each answer is the truth table's: `lockout.policy.judge`.
"""

import math
from collections.abc import Sequence

import numpy as np

from keyturn.lockout.changes import Change, Contact, Forecast
from keyturn.lockout.eras import COHORTS_A_REPLICA, Course, course_of
from keyturn.lockout.fleet import Fleet, fleet_of
from keyturn.lockout.locks import Locks
from keyturn.lockout.moments import Story
from keyturn.lockout.passage import Passage
from keyturn.lockout.roster import Roster, roster_of
from keyturn.lockout.tally import Tally
from keyturn.lockout.turns import NEVER, PER_SECOND, Flags, ticks
from keyturn.model.policy import RealmPolicy


def predict(
    contacts: Sequence[Contact] | Roster,
    changes: Sequence[Change],
    policy: RealmPolicy,
    *,
    replica_lag_s: Sequence[float] = (0.0,),
    lock_lag_s: float = 1.0,
    changed_ago_s: float | None = None,
    horizon_s: float,
) -> Forecast:
    """What becomes of one account and its holders from now to the horizon, both included.

    `replica_lag_s` has an entry a replica; replica i sees a password set or a retirement so much later than the pinned
    one. `changed_ago_s` is how long ago the current password was set (None: longer ago than any grace). No changes:
    what doing nothing brings. The order of contacts and changes means nothing; names tell holders apart.

    The orphaned and the recovered come by name. A holder with a gate is not orphaned if it will learn something valid
    at its next contact. A previous password counts as valid while its grace lasts: choose a horizon beyond the grace.

    The moments are every change, every lock (of those that change nothing else, the first thousand), and holders one by
    one, or in crowds where they are many.

    Costs grow with the holders, the changes and the locks that follow each other within the horizon, hardly with the
    contacts: `bench/forecast.py` measures. Raises ValueError for two contacts of one name, and for what cannot be: see
    `_check`.
    """
    roster = contacts if isinstance(contacts, Roster) else roster_of(contacts)
    _check(roster, changes, replica_lag_s, lock_lag_s, horizon_s)
    end = ticks(horizon_s) + 1
    story = Story(roster.names, len(replica_lag_s), end)
    story.changes(changes)
    if not roster:
        return Forecast(None, (), (), (), story.told())
    course = course_of(roster.kinds, changes, policy, replica_lag_s, changed_ago_s)
    locks = Locks(len(replica_lag_s), len(roster), ticks(lock_lag_s), int(course.policy.lockout_duration_s))
    fleet = fleet_of(roster, course, end)
    passage = Passage(fleet, locks, course.policy, story, [Tally()] * len(replica_lag_s))
    eras = course.eras(end)
    for era, until in zip(eras, [*(era.since for era in eras[1:]), end], strict=True):
        passage.through(era, until * len(roster))
    return _summary(roster.names, passage, _valid(fleet, course, eras[-1].offered, end), end)


def _check(
    roster: Roster,
    changes: Sequence[Change],
    replica_lag_s: Sequence[float],
    lock_lag_s: float,
    horizon_s: float,
) -> None:
    """Replicas must be known, intervals above 0 and all other moments and lags 0 or more, the horizon finite."""
    if not (0 <= horizon_s < math.inf and lock_lag_s >= 0 and all(lag >= 0 for lag in replica_lag_s)):
        raise ValueError("a horizon and lags are 0 or more, a horizon is finite")
    if (ticks(horizon_s) + 1) * len(roster) > NEVER // 2:
        raise ValueError(f"a horizon of {horizon_s:g} s is too long for {len(roster)} holders")
    for change in changes:
        if not change.at_s >= 0:
            raise ValueError(f"{change} lies in the past: say so by `behind` and `changed_ago_s`")
    for contact in roster.kinds:
        _check_contact(contact, len(replica_lag_s))


def _check_contact(contact: Contact, replicas: int) -> None:
    habit = contact.habit
    if not 0 <= contact.replica < replicas:
        raise ValueError(f"{contact.name} uses replica {contact.replica} of {replicas}")
    if contact.behind is not None and contact.behind < 0:
        raise ValueError(f"{contact.name} holds a password that is not set yet")
    if not (habit.interval_s > 0 and (habit.phase_s is None or habit.phase_s >= 0)):
        raise ValueError(f"{contact.name} has no possible rhythm: {habit}")
    if habit.logon_script_s is not None and not habit.logon_script_s > 0:
        raise ValueError(f"the user of {contact.name} has no possible rhythm: {habit}")


def _valid(fleet: Fleet, course: Course, offered: int, end: int) -> Flags:
    """Whether each holder has, or is sure to learn at its next contact, what opens an account after the last tick."""
    held = np.where(fleet.gated, np.maximum(fleet.held, offered), fleet.held)
    protocol = fleet.cohort % COHORTS_A_REPLICA // 2
    return course.lasting(end - 1)[protocol, held]


def _summary(names: Sequence[str], passage: Passage, valid: Flags, end: int) -> Forecast:
    holders, fleet = len(names), passage.fleet
    orphaned = np.flatnonzero(~valid)
    passage.story.holders("orphaned", orphaned, np.minimum(fleet.refused[orphaned], (end - 1) * holders))
    bad = passage.first.bad if passage.first else ()
    return Forecast(
        first_lockout_s=bad[-1] // holders / PER_SECOND if bad else None,
        blamed=tuple(dict.fromkeys(names[turn % holders] for turn in bad)),
        orphaned=tuple(names[rank] for rank in orphaned.tolist()),
        recovered=tuple(names[rank] for rank in np.flatnonzero(fleet.recovered & valid).tolist()),
        moments=passage.story.told(),
    )
