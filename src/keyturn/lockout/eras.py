"""Eras: stretches of time in which every replica gives the same answer to the same password."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from keyturn.lockout.changes import Change, Contact, PasswordSet, Published, Retired
from keyturn.lockout.policy import Standing, judge
from keyturn.lockout.turns import NEVER, Flags, in_ticks, ticks
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.policy import RealmPolicy

UNKNOWN = -NEVER
"""A password of the account that the realm does not remember."""
SECOND_ACCOUNT = NEVER
"""The password of another account: whoever holds it presents nothing to this one."""

PROTOCOLS = tuple(LogonProtocol)
COHORTS_A_REPLICA = len(PROTOCOLS) * 2


class Reply(IntEnum):
    """What a contact comes to, as far as the account's counts and the holder are concerned."""

    SILENT = 0
    """Nothing was presented to the account."""
    ADMITTED = 1
    REFUSED = 2
    COUNTED = 3
    """Refused, and one more bad attempt."""


Replies: TypeAlias = npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Era:
    """From tick `since` until the next one begins. `offered` is the index of the newest version published; `replies`
    the `Reply` to each cohort (row) that holds a version (column), while its replica is not locked."""

    since: int
    offered: int
    replies: Replies

    def like(self, other: "Era") -> bool:
        """Whether both offer and answer the same."""
        return self.offered == other.offered and np.array_equal(self.replies, other.replies)


@dataclass(frozen=True, slots=True)
class Course:
    """The account's passwords over time, in ticks, durations of the policy included.

    A version counts the sets to come: 0 is the current password, -1 the one before it, 1 the next one. `versions` are
    all that anybody ever holds, oldest first, so that the newer of two has the larger index.
    """

    policy: RealmPolicy
    lags: tuple[int, ...]
    versions: tuple[int, ...]
    sets: tuple[int, ...]
    publications: tuple[tuple[int, int], ...]
    """When, and which version is offered from then on."""
    retired: int
    changed: int
    """When the password current now was set."""

    def eras(self, end: int) -> list[Era]:
        """Those that begin before tick `end`. An edge that changes no answer begins none."""
        eras: list[Era] = []
        for since in sorted({0, *self._edges()}):
            era = self._era(since) if 0 <= since < end else None
            if era and not (eras and era.like(eras[-1])):
                eras.append(era)
        return eras

    def version_of(self, contact: Contact) -> int:
        return self.versions.index(_held(contact))

    def cohort_of(self, contact: Contact) -> int:
        """Holders of one cohort get the same replies: they share replica, protocol, and gate or none."""
        row = PROTOCOLS.index(contact.protocol) * 2 + contact.gated
        return contact.replica * COHORTS_A_REPLICA + row

    def lasting(self, end: int) -> Flags:
        """Whether each version (column) opens the account at tick `end` under each protocol (row), once every replica
        has caught up."""
        seen, disabled = sum(at <= end for at in self.sets), self.retired <= end
        return np.array(
            [
                [
                    v == SECOND_ACCOUNT or self._judged(v, p, seen, disabled, end) is Reply.ADMITTED
                    for v in self.versions
                ]
                for p in PROTOCOLS
            ]
        )

    def _edges(self) -> Iterator[int]:
        grace = int(self.policy.grace_s)
        yield self.changed + grace
        yield from (at for at, _ in self.publications)
        for at in (*self.sets, self.retired):
            yield from (at, at + grace, *(at + lag for lag in self.lags))

    def _era(self, since: int) -> Era:
        offered = max(version for at, version in self.publications if at <= since)
        states = [(sum(at + lag <= since for at in self.sets), self.retired + lag <= since) for lag in self.lags]
        known = {state: self._replies(*state, since) for state in set(states)}
        return Era(since, self.versions.index(offered), np.concatenate([known[state] for state in states]))

    def _replies(self, seen: int, disabled: bool, now: int) -> Replies:
        """The rows of one replica that has seen `seen` sets."""
        rows = [
            [self._reply(version, protocol, gated, seen, disabled, now) for version in self.versions]
            for protocol in PROTOCOLS
            for gated in (False, True)
        ]
        return np.array(rows, dtype=np.int8)

    def _reply(self, version: int, protocol: LogonProtocol, gated: bool, seen: int, disabled: bool, now: int) -> Reply:
        if version == SECOND_ACCOUNT or (gated and not self._gate_opens(version, seen, now)):
            return Reply.SILENT
        return self._judged(version, protocol, seen, disabled, now)

    def _gate_opens(self, version: int, seen: int, now: int) -> bool:
        """The gate knows what is current and which replicas show it: it never lets a password be presented early."""
        current = sum(at <= now for at in self.sets)
        return version == current == seen and now < self.retired

    def _judged(self, version: int, protocol: LogonProtocol, seen: int, disabled: bool, now: int) -> Reply:
        remembered = UNKNOWN < version <= seen
        set_at = self.sets[seen - 1] if seen else self.changed
        standing = Standing(password_set_at=set_at, disabled=disabled)
        answer, after = judge(standing, seen - version if remembered else None, protocol, self.policy, now)
        if answer is Answer.ACCEPTED:
            return Reply.ADMITTED
        return Reply.COUNTED if after.last_bad_at is not None else Reply.REFUSED


def course_of(
    contacts: Iterable[Contact],
    changes: Sequence[Change],
    policy: RealmPolicy,
    lags_s: Sequence[float],
    changed_ago_s: float | None,
) -> Course:
    """What the site offers at the start is the current password: an access point that works has it."""
    sets = tuple(sorted(ticks(c.at_s) for c in changes if isinstance(c, PasswordSet)))
    publications = [(0, 0)]
    for change in changes:
        if isinstance(change, Published):
            at = ticks(change.at_s)
            publications.append((at, SECOND_ACCOUNT if change.second_account else sum(t <= at for t in sets)))
    held = {_held(contact) for contact in contacts}
    return Course(
        policy=in_ticks(policy),
        lags=tuple(ticks(lag) for lag in lags_s),
        versions=tuple(sorted(held | {SECOND_ACCOUNT, *range(len(sets) + 1)})),
        sets=sets,
        publications=tuple(publications),
        retired=min((ticks(c.at_s) for c in changes if isinstance(c, Retired)), default=NEVER),
        changed=-NEVER if changed_ago_s is None else -ticks(changed_ago_s),
    )


def _held(contact: Contact) -> int:
    return UNKNOWN if contact.behind is None else -contact.behind
