"""The holders of one account: what each holds, and how those who can still learn get what is offered."""

from dataclasses import dataclass

import numpy as np

from keyturn.lockout.attempts import Presenting
from keyturn.lockout.comings import Comings, comings_of
from keyturn.lockout.eras import COHORTS_A_REPLICA, Course, Era, Replies, Reply
from keyturn.lockout.roster import Roster
from keyturn.lockout.turns import NEVER, Flags, Ints


@dataclass(slots=True)
class Fleet:
    """By rank, what each holder is and what has become of it so far.

    `held` is the index of the version it holds; `refused` the turn of the first refusal since it last got through or
    was reinstalled, or NEVER; `recovered` that the logon script has reinstalled it.

    `learners` are the ranks, in order, that may still get what is offered in this era; all others are settled. For
    learners alone, `coming` is the turn of the next contact, and `reinstall` the turn at which the logon script brings
    what is offered if the holder is refused until then; NEVER where there is none.
    """

    comings: Comings
    cohort: Ints
    replica: Ints
    gated: Flags
    held: Ints
    refused: Ints
    recovered: Flags
    coming: Ints
    reinstall: Ints
    learners: Ints

    def begin(self, era: Era) -> None:
        """Find the learners of an era. `refused` must be up to date for everybody."""
        start = era.since * self.comings.holders
        scripted = self.comings.logon_every > 0
        able = self.gated | scripted | (era.replies[self.cohort, self.held] == Reply.ADMITTED)
        who = np.flatnonzero(able & (self.held < era.offered))
        self.learners = who
        self.coming[who] = self.comings.first_from(who, np.full(who.size, start))
        self.reinstall[who] = NEVER
        waiting = who[scripted[who] & (self.refused[who] < NEVER)]
        self.reinstall[waiting] = self.comings.next_logon(waiting, self.refused[waiting], np.full(waiting.size, start))

    def apply(self, stretch: "Stretch") -> None:
        who = stretch.who
        self.held[who] = stretch.held
        self.coming[who] = stretch.coming
        self.refused[who] = stretch.refused
        self.reinstall[who] = stretch.reinstall
        self.recovered[who] |= stretch.recovered < NEVER
        self.learners = np.setdiff1d(self.learners, stretch.after.who, assume_unique=True)


@dataclass(frozen=True, slots=True)
class Stretch:
    """What becomes of the learners `who` while no lock begins or ends.

    `held`, `refused`, `coming` and `reinstall` as the fleet keeps them; `learned` and `recovered` the turns at which
    a holder got what is offered, from the access point or by the logon script; NEVER where it did not. `before` and
    `after` say what is presented until that turn, and from then on.
    """

    who: Ints
    held: Ints
    refused: Ints
    coming: Ints
    reinstall: Ints
    learned: Ints
    recovered: Ints
    before: Presenting
    after: Presenting


def fleet_of(roster: Roster, course: Course, end: int) -> Fleet:
    """Its holders before tick `end`."""
    holders = len(roster)
    cohort = roster.each(course.cohort_of)
    return Fleet(
        comings=comings_of(roster, end),
        cohort=cohort,
        replica=cohort // COHORTS_A_REPLICA,
        gated=roster.each(lambda contact: contact.gated).astype(np.bool_),
        held=roster.each(course.version_of),
        refused=np.full(holders, NEVER),
        recovered=np.zeros(holders, dtype=np.bool_),
        coming=np.full(holders, NEVER),
        reinstall=np.full(holders, NEVER),
        learners=np.arange(0),
    )


def foresee(fleet: Fleet, offered: int, replies: Replies, until: int) -> Stretch:
    """The learners up to turn `until`, while `offered` is published and `replies` is what the replicas answer.

    Each gets what is offered at one turn: at its first contact if it has a gate, after its first contact if that is
    admitted, and at its user's logon if it is refused.
    """
    learners = fleet.learners
    who = learners[(fleet.coming[learners] < until) | (fleet.reinstall[learners] < until)]
    coming, gated, held = fleet.coming[who], fleet.gated[who], fleet.held[who]
    reply = replies[fleet.cohort[who], held]
    comes = coming < until
    asks = comes & gated
    is_refused = comes & ~gated & (reply >= Reply.REFUSED)
    begins = is_refused & (fleet.refused[who] == NEVER)
    refused = np.where(begins, coming, fleet.refused[who])
    reinstall = _reinstall(fleet, who, refused, begins)
    reinstalled = (reinstall < until) & (is_refused | (reinstall <= coming))
    learns = comes & ~gated & (reply == Reply.ADMITTED) & ~reinstalled

    changed = reinstalled | asks | learns
    change = np.select([reinstalled, asks, learns], [reinstall, coming, coming + 1], until)
    later = np.where(changed, offered, held)
    presents = comes & (coming < change)
    return Stretch(
        who=who,
        held=later,
        refused=np.where(changed, NEVER, refused),
        coming=_coming(fleet, who, until),
        reinstall=reinstall,
        learned=np.where(asks | learns, coming, NEVER),
        recovered=np.where(reinstalled, reinstall, NEVER),
        before=Presenting(who, coming, change, reply).only(np.flatnonzero(presents)),
        after=Presenting(who, change, np.full(who.size, until), replies[fleet.cohort[who], later]).only(
            np.flatnonzero(changed)
        ),
    )


def _reinstall(fleet: Fleet, who: Ints, refused: Ints, begins: Flags) -> Ints:
    """As `Fleet.reinstall`, with the logons that await those whose refusals begin."""
    reinstall = fleet.reinstall[who]
    place = np.flatnonzero(begins & (fleet.comings.logon_every[who] > 0))
    reinstall[place] = fleet.comings.next_logon(who[place], refused[place], refused[place])
    return reinstall


def _coming(fleet: Fleet, who: Ints, until: int) -> Ints:
    """The next contacts from turn `until` on."""
    coming = fleet.coming[who]
    place = np.flatnonzero(coming < until)
    coming[place] = fleet.comings.first_from(who[place], np.full(place.size, until))
    return coming
