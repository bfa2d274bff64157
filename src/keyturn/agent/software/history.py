"""What has run on this machine, and what is still to be told of it. Durable when a call returns.

That a program started, how it ended and the report of it are one write each: a crash leaves no run without its report
and no report without its run.
"""

import hashlib
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from msgspec.structs import replace

from keyturn.agent.records import Installation
from keyturn.agent.software import telling
from keyturn.agent.software.place import Place
from keyturn.agent.software.records import Key, Remembered, Run, Said
from keyturn.agent.software.telling import Standing
from keyturn.distribution.accesses import Access
from keyturn.distribution.causes import EXPLANATIONS, Cause
from keyturn.distribution.due import Known
from keyturn.distribution.reports import AdvertisementReport, AdvertisementState
from keyturn.model.software import Afterwards

MAX_OUTBOX = 2000
"""Reports that wait for a site that does not answer. Then the oldest go: the newest of each program is kept longest."""

MAX_WITHDRAWN = 2000
"""Runs of programs that are not offered any more. An advertisement that comes back finds its run among them."""
MAX_GONE = 1000
"""Users that have logged off."""


class History:
    """Of the one process that runs programs; its threads share it."""

    def __init__(self, place: Place, installation: Installation, now: Callable[[], float]) -> None:
        """Raises Damaged. Report numbers of a machine that remembers none start at the clock's microseconds, above any
        used before. What ran for another site, or one that was founded anew, is forgotten: its advertisements may have
        the same numbers."""
        self._place = place
        self._machine = installation.name
        self._now = now
        self._lock = threading.Lock()
        site = hashlib.sha256(f"{installation.site}\n{installation.ca}".encode()).hexdigest()
        kept = place.remembered()
        number = kept.number if kept else int(now() * 1_000_000)
        self._kept = kept if kept and kept.site == site else Remembered(number, site)
        self._known = self._kept, self._kept.known

    @property
    def kept(self) -> Remembered:
        return self._kept

    @property
    def known(self) -> Known:
        """Of what is kept. Most turns find it as the last one did."""
        kept, known = self._known
        if kept is not self._kept:
            kept = self._kept
            known = kept.known
            self._known = kept, known
        return known

    def outbox(self) -> tuple[AdvertisementReport, ...]:
        return self._kept.outbox

    def run_of(self, key: Key) -> Run | None:
        return next((run for run in self._kept.runs if run.key == key), None)

    def cut_off(self) -> tuple[Run, ...]:
        """At start: what was running when this agent ended is interrupted from now on, and told to be."""
        running = [run for run in self._kept.runs if run.state is AdvertisementState.RUNNING]
        return tuple(self.interrupted(run) for run in running)

    def pending(self) -> tuple[Run, ...]:
        """After which something is still to become of the machine."""
        return tuple(run for run in self._kept.runs if run.pending is not Afterwards.NOTHING)

    def settle(self, run: Run, reason: str, pending: Afterwards = Afterwards.NOTHING) -> None:
        """What was to become of the machine after it has, or will not by this agent: told, as how the run stands."""
        self.keep(replace(run, pending=pending, reason=reason), 0)

    def interrupted(self, run: Run, reason: str = EXPLANATIONS[Cause.INTERRUPTED].text) -> Run:
        state = AdvertisementState.INTERRUPTED
        ended = replace(run, state=state, finished_at=self._now(), cause=Cause.INTERRUPTED.value, reason=reason)
        self.keep(ended, 0)
        return ended

    def keep(self, run: Run, message_id: int, accesses: Sequence[Access] = ()) -> None:
        """In place of the last run of the same program for the same advertisement and user, with a report of it."""
        with self._lock:
            others = tuple(one for one in self._kept.runs if one.key != run.key)
            said = tuple(one for one in self._kept.said if one.key != run.key)
            kept = replace(self._kept, runs=(*others, run), said=said)
            number = kept.number + 1
            self._write(_with(kept, telling.of_run(self._machine, number, self._now(), run, message_id, accesses)))

    def stand(self, standings: Iterable[Standing], offered: Collection[str]) -> tuple[Standing, ...]:
        """Reports what is new among the offers that do not run, and returns it. `offered` are the advertisements of
        the policy. An offer seen for the first time is reported as received before anything else."""
        with self._lock:
            kept, new = self._kept, []
            said, ran = {one.key: one for one in kept.said}, {run.key for run in kept.runs}
            for standing in (*standings, *_withdrawn(kept, offered)):
                for due in _news(said.get(standing.key), standing.key in ran, standing):
                    kept = self._say(kept, due)
                    new.append(due)
            self._write(_without_what_is_old(kept, offered))
        return tuple(new)

    def users(self, users: Collection[str]) -> None:
        """Who is logged on now: remembers when each came and went."""
        with self._lock:
            now, kept = self._now(), self._kept
            before = dict(kept.present)
            gone = {**dict(kept.gone), **{user: now for user in before if user not in users}}
            present = tuple((user, before.get(user, now)) for user in users)
            self._write(replace(kept, present=present, gone=tuple(gone.items())[-MAX_GONE:]))

    def token(self, missing: str) -> None:
        """Why the domain's token account cannot be used on this domain controller now; empty where it can."""
        with self._lock:
            self._write(replace(self._kept, token_missing=missing))

    def ask(self, advertisement: str, at: float) -> None:
        """A person wants it to run."""
        with self._lock:
            others = tuple((about, when) for about, when in self._kept.requests if about != advertisement)
            self._write(replace(self._kept, requests=(*others, (advertisement, at))))

    def taken(self, number: int) -> None:
        """The site has that report."""
        with self._lock:
            left = tuple(report for report in self._kept.outbox if report.number != number)
            self._write(replace(self._kept, outbox=left))

    def _say(self, kept: Remembered, standing: Standing) -> Remembered:
        said = tuple(one for one in kept.said if one.key != standing.key)
        kept = replace(kept, said=(*said, Said(standing.key, standing.state, standing.reason)))
        return _with(kept, telling.of_standing(self._machine, kept.number + 1, self._now(), standing))

    def _write(self, changed: Remembered) -> None:
        """A full disk raises OSError, and what is remembered stays as it was."""
        if changed != self._kept:
            self._place.remember(changed)
            self._kept = changed


def _with(kept: Remembered, report: AdvertisementReport) -> Remembered:
    return replace(kept, number=report.number, outbox=(*kept.outbox, report)[-MAX_OUTBOX:])


def _news(said: Said | None, has_run: bool, standing: Standing) -> Iterator[Standing]:
    """`said`: what was told of it last."""
    if said is None and not has_run:
        yield Standing(standing.key, AdvertisementState.RECEIVED)
    last = (said.state, said.reason) if said else None
    if standing.state is not AdvertisementState.RECEIVED and last != (standing.state, standing.reason):
        yield standing


def _withdrawn(kept: Remembered, offered: Collection[str]) -> list[Standing]:
    """What was offered, did not run, and is offered no more."""
    gone = [one.key for one in kept.said if one.key[0] not in offered]
    return [Standing(key, AdvertisementState.CANCELLED, "it is not offered any more") for key in gone]


def _without_what_is_old(kept: Remembered, offered: Collection[str]) -> Remembered:
    """Whatever is offered stays, and the newest of what was."""
    runs, withdrawn = kept.runs, [run for run in kept.runs if run.advertisement not in offered]
    if len(withdrawn) > MAX_WITHDRAWN:
        old = {run.key for run in sorted(withdrawn, key=lambda run: run.started_at)[:-MAX_WITHDRAWN]}
        runs = tuple(run for run in runs if run.key not in old)
    return replace(
        kept,
        runs=runs,
        said=tuple(one for one in kept.said if one.key[0] in offered),
        requests=tuple((about, at) for about, at in kept.requests if about in offered),
    )
