"""What to do with the site's directions, given what is held. No clock, no network: values in, actions out."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from keyturn.agent.records import Copy, Standing
from keyturn.wire.agent import Adopt, Direction, Drop, Use, Wait


@dataclass(frozen=True, slots=True)
class Pause:
    """The account is not presented; the site wants to be asked again after `retry_s`."""

    account: str
    retry_s: float
    reason: str


@dataclass(frozen=True, slots=True)
class AdoptThenPresent:
    account: str
    generation: int
    sealed: bytes
    succeeds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Present:
    """Log on with what is held: to prove it to the site, or else only while nothing has let us in yet."""

    account: str
    generation: int
    to_prove: bool


@dataclass(frozen=True, slots=True)
class Forget:
    account: str


Action: TypeAlias = Pause | AdoptThenPresent | Present | Forget


def decide(directions: Sequence[Direction], held: Sequence[Copy]) -> tuple[Action, ...]:
    """In the order in which to act: pauses, new credentials, proofs, then the proven ones from the newest on, so that
    an account with a successor falls quiet, and what is to be forgotten last.

    Silence is no permission: an account without a direction, or with two, is left alone. Nothing refused is presented
    again before the site hands it out anew, and no older generation replaces a newer one (N7).
    """
    copies = {copy.account: copy for copy in held}
    ages = {copy.account: age for age, copy in enumerate(reversed(held))}
    named = Counter(direction.account for direction in directions)
    clear = [direction for direction in directions if named[direction.account] == 1]
    actions = [action for d in clear for action in _action(d, copies.get(d.account))]
    return tuple(sorted(actions, key=lambda action: (_rank(action), ages.get(action.account, 0))))


def _action(direction: Direction, copy: Copy | None) -> Iterator[Action]:
    match direction:
        case Wait(account, retry_s, reason):
            yield Pause(account, retry_s, reason)
        case Adopt(account, generation, sealed, anew, succeeds) if copy is None or _is_news(
            generation, copy, anew=anew
        ):
            yield AdoptThenPresent(account, generation, sealed, succeeds)
        case Use(account, generation) | Adopt(account, generation) if copy and generation == copy.generation:
            unknown_to_site = isinstance(direction, Adopt)
            if copy.standing is not Standing.REFUSED:
                yield Present(account, generation, unknown_to_site or copy.standing is not Standing.PROVEN)
        case Drop(account) if copy:
            yield Forget(account)
        case _:
            pass


def _is_news(generation: int, copy: Copy, *, anew: bool) -> bool:
    """What was refused here is taken once more when a person has looked and had it handed out anew."""
    return generation > copy.generation or (anew and generation == copy.generation)


def _rank(action: Action) -> int:
    match action:
        case Pause():
            return 0
        case AdoptThenPresent():
            return 1
        case Present(to_prove=True):
            return 2
        case Present():
            return 3
        case Forget():
            return 4
