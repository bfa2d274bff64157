"""Which programs of a policy run on a client now, which wait, and for what.

A program is due when one of its advertisement's assignments came round since it last ran. What came round while the
machine was off comes round once, when it is on again. What was interrupted is repeated by a person alone, or by the
next turn of a schedule that runs it always.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

from keyturn.distribution.reports import AdvertisementState
from keyturn.distribution.run_context import ClientState, Deferred, RunContext, Unfit, resolve_run_context
from keyturn.model.software import (
    Advertisement,
    AdvertisementId,
    Assignment,
    At,
    Event,
    Offer,
    Policy,
    ProgramName,
    Rerun,
    Rights,
)


@dataclass(frozen=True, slots=True)
class Past:
    """The last run of a program for an advertisement, `user` where it runs once for every user.

    `again_at`: when a program that asked to be tried again may be; `state` is then FAILED.
    """

    advertisement: AdvertisementId
    program: ProgramName
    user: str
    started_at: float
    state: AdvertisementState
    again_at: float | None = None


_Key: TypeAlias = tuple[AdvertisementId, ProgramName, str]
"""With the user for whom it runs, where it is to run once for every user."""


@dataclass(frozen=True)  # without slots: what is looked up for every offer is put in order once
class Known:
    """What a client remembers. `logons` and `logoffs` say when each user was last seen to come and to go;
    `requests`, when a person last asked for an advertisement."""

    past: tuple[Past, ...] = ()
    requests: tuple[tuple[AdvertisementId, float], ...] = ()
    logons: tuple[tuple[str, float], ...] = ()
    logoffs: tuple[tuple[str, float], ...] = ()

    @cached_property
    def last(self) -> Mapping[_Key, Past]:
        in_order = sorted(self.past, key=lambda one: one.started_at)
        return {(one.advertisement, one.program, one.user): one for one in in_order}

    @cached_property
    def succeeded(self) -> frozenset[tuple[ProgramName, str]]:
        return frozenset((one.program, one.user) for one in self.past if one.state is AdvertisementState.SUCCEEDED)


@dataclass(frozen=True, slots=True)
class Runs:
    context: RunContext


@dataclass(frozen=True, slots=True)
class Waits:
    """`until` where the moment is known; `past`, the run that is to be tried again."""

    reason: str
    until: float | None = None
    past: Past | None = None


@dataclass(frozen=True, slots=True)
class Has:
    """It ran, or it is running, and nothing asks for more."""

    past: Past


@dataclass(frozen=True, slots=True)
class CannotRun:
    """As this client is set up, or since another program has failed."""

    unfit: Unfit
    run_first: ProgramName | None = None


Standing: TypeAlias = Runs | Waits | Has | CannotRun


@dataclass(frozen=True, slots=True)
class Due:
    offer: Offer
    user: str
    standing: Standing


def due(policy: Policy, known: Known, client: ClientState, now: float) -> tuple[Due, ...]:
    """Every offer of the policy, in its order; one that runs once for every user, for each user logged on. A program
    that is to run before another comes before it."""
    return tuple(one for offer in policy.offers for one in _offer(offer, policy, known, client, now))


def before_restart(one: Due) -> Due:
    """While a restart of the machine is at hand, nothing new starts."""
    starts = isinstance(one.standing, Runs)
    return replace(one, standing=Waits("it waits for the restart of the machine")) if starts else one


def _offer(offer: Offer, policy: Policy, known: Known, client: ClientState, now: float) -> Iterator[Due]:
    if not offer.program.every_user:
        yield from _for(offer, "", policy, known, client, now)
        return
    if not client.users:
        yield Due(offer, "", Waits("it waits for a user to log on"))
    for user in client.users:
        yield from _for(offer, user, policy, known, client, now)


def _for(offer: Offer, user: str, policy: Policy, known: Known, client: ClientState, now: float) -> Iterator[Due]:
    past = known.last.get(_key(offer, user))
    waits = _not_now(offer.advertisement, past, user, policy, known, now)
    if waits is not None:
        yield Due(offer, user, waits)
        return
    first = next(iter(offer.first), None) if past is None else None
    if first is not None and (before := list(_before(first, user, known, client, now))):
        yield from before
        yield Due(offer, user, _behind(before[-1]))
        return
    yield Due(offer, user, _in_context(offer, user, client))


def _not_now(
    advertisement: Advertisement, past: Past | None, user: str, policy: Policy, known: Known, now: float
) -> Waits | Has | None:
    """None for what is due, whatever the client's own state."""
    if past is not None and past.state is AdvertisementState.RUNNING:
        return Has(past)
    if now >= policy.expires_at:
        return Waits("the policy has expired, by this machine's clock; it waits for a new one")
    if now < advertisement.available_at:
        return Waits("it is not available yet", advertisement.available_at)
    if advertisement.expires_at is not None and now >= advertisement.expires_at:
        return Has(past) if past else Waits("the advertisement has expired")
    came = _came_round(advertisement, user, known, now)
    if past is None:
        return None if came is not None or _asked(advertisement, known, 0) else _nothing_yet(advertisement, now)
    if came is not None and came > past.started_at and past.state in _AGAIN[advertisement.rerun]:
        return None
    return _held_back(past, advertisement, known, now)


_ENDED = frozenset({AdvertisementState.SUCCEEDED, AdvertisementState.FAILED, AdvertisementState.INTERRUPTED})
_AGAIN: dict[Rerun, frozenset[AdvertisementState]] = {
    Rerun.NEVER: frozenset(),
    Rerun.ALWAYS: _ENDED,
    Rerun.IF_FAILED: frozenset({AdvertisementState.FAILED}),
    Rerun.IF_SUCCEEDED: frozenset({AdvertisementState.SUCCEEDED}),
}


def _came_round(advertisement: Advertisement, user: str, known: Known, now: float) -> float | None:
    """When the newest of its assignments did, up to now."""
    moments = [_last(assignment, advertisement, user, known, now) for assignment in advertisement.assignments]
    return max((moment for moment in moments if moment is not None), default=None)


def _last(assignment: Assignment, advertisement: Advertisement, user: str, known: Known, now: float) -> float | None:
    match assignment:
        case At(first_at, None):
            return first_at if first_at <= now else None
        case At(first_at, every_s):
            assert every_s is not None
            return first_at + (now - first_at) // every_s * every_s if first_at <= now else None
        case Event.AS_SOON_AS_POSSIBLE:
            return advertisement.available_at
        case Event.LOGON:
            return _newest(known.logons, user, advertisement.available_at)
        case Event.LOGOFF:
            return _newest(known.logoffs, user, advertisement.available_at)


def _newest(seen: Sequence[tuple[str, float]], user: str, since: float) -> float | None:
    return max((at for name, at in seen if user in ("", name) and at >= since), default=None)


def _nothing_yet(advertisement: Advertisement, now: float) -> Waits:
    if not advertisement.assignments:
        return Waits("it is optional; nobody has asked for it")
    ahead = [one.first_at for one in advertisement.assignments if isinstance(one, At) and one.first_at > now]
    if ahead:
        return Waits("it is not its time yet", min(ahead))
    waits_for = "a user to log on" if Event.LOGON in advertisement.assignments else "a user to log off"
    return Waits(f"it waits for {waits_for}")


def _asked(advertisement: Advertisement, known: Known, since: float) -> bool:
    return any(about == advertisement.advertisement_id and at > since for about, at in known.requests)


def _before(first: Offer, user: str, known: Known, client: ClientState, now: float) -> Iterator[Due]:
    """The program that is to run before another, and those before it; nothing where it succeeded when it last ran here,
    for whichever advertisement. It runs for every user only where it says so itself."""
    whose = user if first.program.every_user else ""
    if (first.program.ref, whose) in known.succeeded:
        return
    past = known.last.get(_key(first, whose))
    if past is not None and (held := _held_back(past, first.advertisement, known, now)):
        yield Due(first, whose, held)
        return
    deeper = [one for further in first.first for one in _before(further, user, known, client, now)]
    yield from deeper
    yield Due(first, whose, _behind(deeper[-1]) if deeper else _in_context(first, whose, client))


def _held_back(past: Past, advertisement: Advertisement, known: Known, now: float) -> Waits | Has | None:
    if past.state is AdvertisementState.RUNNING:
        return Has(past)
    if _asked(advertisement, known, past.started_at):
        return None
    if past.again_at is None:
        return Has(past)
    return None if now >= past.again_at else Waits("it is tried again", past.again_at, past)


def _behind(before: Due) -> Standing:
    """What the one before it has come to, for the one after it."""
    name = before.offer.program.ref
    match before.standing:
        case Has(past) if past.state is not AdvertisementState.RUNNING:
            return CannotRun(Unfit(f"{name}, which is to run before it, {past.state}"), run_first=name)
        case CannotRun(unfit):
            return CannotRun(replace(unfit, reason=f"{name}, which is to run before it: {unfit.reason}"), name)
        case _:
            return Waits(f"it waits for {name}, which is to run before it")


def _in_context(offer: Offer, user: str, client: ClientState) -> Standing:
    match resolve_run_context(offer.program, client, user=user if offer.program.rights is Rights.USER else ""):
        case RunContext() as context:
            return Runs(context)
        case Deferred(reason):
            return Waits(reason)
        case Unfit() as unfit:
            return CannotRun(unfit)


def _key(offer: Offer, user: str) -> _Key:
    return offer.advertisement.advertisement_id, offer.program.ref, user
