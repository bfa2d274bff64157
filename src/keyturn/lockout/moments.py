"""The moments a forecast tells of, few enough to read: every change and lock, and holders one by one or in crowds."""

import re
from collections.abc import Iterator, Sequence

import numpy as np

from keyturn.lockout.changes import Change, Moment, PasswordSet, Published, Retired
from keyturn.lockout.eras import Reply
from keyturn.lockout.fleet import Stretch
from keyturn.lockout.turns import NEVER, PER_SECOND, Ints, ticks

MOST = 200
"""Of more moments of holders than this, crowds are told instead."""
CROWDS = 48
"""Into so many crowds of one size are divided all who meet the same thing, in the order in which they meet it first. A
crowd is told by its first moment."""
LOCKS = 1000
"""So many locks are always told; after that only those that matter for anything else."""
REFUSALS = 3
"""So often at most it is told of a holder that it is refused, beside the attempts that locked first."""

_CROWD = re.compile(r"(\d+) holders")


def crowd_of(who: str) -> int | None:
    """How many holders the `who` of a moment stands for, or None if it is the name of one."""
    match = _CROWD.fullmatch(who)
    return int(match[1]) if match else None


class Story:
    """Moments as they are met, before tick `end`. `names` are the holders by rank."""

    def __init__(self, names: Sequence[str], replicas: int, end: int) -> None:
        self._names = names
        self._replicas = replicas
        self._end = end
        self.locks = 0
        self._realm: list[Moment] = []
        self._holders: list[tuple[str, Ints, Ints]] = []
        self._refusals = np.zeros(len(names), dtype=np.int8)

    def changes(self, changes: Sequence[Change]) -> None:
        for change in changes:
            if ticks(change.at_s) >= self._end:
                continue
            match change:
                case PasswordSet(at_s):
                    self._realm.append(Moment(at_s, "set"))
                case Published(at_s, second_account):
                    self._realm.append(Moment(at_s, "published", "second account" if second_account else ""))
                case Retired(at_s):
                    self._realm.append(Moment(at_s, "retired"))

    def lock(self, replica: int, since: int, until: int) -> None:
        """The account locks at `replica`; there the lock ends by itself at turn `until`."""
        self.locks += 1
        where = f"replica {replica}" if self._replicas > 1 else ""
        for turn, kind in ((since, "locked"), (until, "unlocked")):
            if turn // len(self._names) < self._end:
                self._realm.append(Moment(turn // len(self._names) / PER_SECOND, kind, where))

    def stretch(self, stretch: Stretch) -> None:
        self.holders("learned", stretch.who, stretch.learned)
        self.holders("recovered", stretch.who, stretch.recovered)
        refused = stretch.before.reply >= Reply.REFUSED
        self.refused(stretch.before.who[refused], stretch.before.since[refused])

    def refused(self, who: Ints, turns: Ints) -> None:
        """Each of `who` is refused at its turn, for the first time in a row or in a stretch."""
        few = self._refusals[who] < REFUSALS
        self._refusals[who[few]] += 1
        self.holders("refused", who[few], turns[few])

    def attempts(self, turns: Sequence[int]) -> None:
        """Bad attempts worth telling one by one."""
        told = np.array(turns, dtype=np.int64)
        self.holders("refused", told % len(self._names), told)

    def holders(self, kind: str, who: Ints, turns: Ints) -> None:
        """Something befalls each of `who` at its turn; NEVER: not to it."""
        met = turns < NEVER
        if met.any():
            self._holders.append((kind, who[met], turns[met] // len(self._names)))

    def told(self) -> tuple[Moment, ...]:
        """All of it in the order of time."""
        many = sum(who.size for _, who, _ in self._holders) > MOST
        told = self._crowds() if many else self._singles()
        return tuple(sorted([*self._realm, *told], key=lambda moment: (moment.at_s, moment.kind, moment.who)))

    def _singles(self) -> set[Moment]:
        """A refusal may have been met twice, as one of a row and as one of those that locked."""
        return {
            Moment(tick / PER_SECOND, kind, self._names[rank])
            for kind, who, at in self._holders
            for rank, tick in zip(who.tolist(), at.tolist(), strict=True)
        }

    def _crowds(self) -> Iterator[Moment]:
        for kind in {kind for kind, _, _ in self._holders}:
            who = np.concatenate([who for known, who, _ in self._holders if known == kind])
            at = np.concatenate([at for known, _, at in self._holders if known == kind])
            order = np.lexsort((who, at))
            # The first place of each holder in that order, and so its first moment.
            order = order[np.sort(np.unique(who[order], return_index=True)[1])]
            for here in np.array_split(order, min(CROWDS, order.size)):
                name = self._names[who[here[0]]] if here.size == 1 else f"{here.size} holders"
                yield Moment(int(at[here[0]]) / PER_SECOND, kind, name)
