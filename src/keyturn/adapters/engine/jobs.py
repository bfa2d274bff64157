"""Workers on many machines, over the store's own database: a job says "look at the plans" or "advance plan N".

A job may be lost, be there twice, or come late; none of that matters. Every worker looks from time to time, the lease
decides who acts, and the journal what is left to do. So no job is locked, and one whose worker died holds nobody up.
"""

import asyncio
import contextlib
import logging
import os
import socket
import threading
from collections.abc import Callable
from typing import Any

import procrastinate
import psycopg
from procrastinate.exceptions import AlreadyEnqueued, ProcrastinateException
from procrastinate.jobs import JobDeferrer, Status
from procrastinate.schema import SchemaManager
from psycopg import sql
from sqlalchemy.engine import make_url

from keyturn.adapters.engine.hands import Hands
from keyturn.adapters.engine.looking import LONGEST_S, next_look
from keyturn.adapters.store.login import StoreLogins, logging_on, name_of
from keyturn.lifecycle.journal import Outcome, Waiting
from keyturn.model.accounts import RealmName
from keyturn.model.errors import KeyturnError
from keyturn.operations.doubts import look_into_doubts
from keyturn.operations.parts import Parts
from keyturn.operations.plans import advance_plan, runnable

log = logging.getLogger(__name__)

IDLE_S = 10.0
"""How long a connection that nobody uses is kept, so that an account which another one follows falls quiet."""

AT_ONCE = 8
"""Plans that one worker process begins at the same time."""

SLOW_S = 2.0
"""A plan that takes longer goes on without holding up those of other realms."""

HELD_ELSEWHERE_S = 1.0
"""When to try a plan again that another worker holds: at once when that one ends, or when its lease does."""

LOGIN_S = 2.0
"""How often is looked whether the store is reached with another account."""

_LOOK, _ADVANCE = "look", "advance"


class Caller:
    """Calls the workers from a process that does none of their work. `wake` may be called from any thread."""

    def __init__(self, url: str, logins: StoreLogins | None = None) -> None:
        self._url = url
        self._logins = logins
        self._app = procrastinate.App(connector=procrastinate.SyncPsycopgConnector(**connecting(url, logins)))

    def start(self, _parts: Parts) -> None:
        prepare(self._url, self._logins)
        self._app.open()

    def stop(self) -> None:
        self._app.close()

    def wake(self) -> None:
        """What was decided stands in the store already: a call that fails only means that they look a little later."""
        try:
            _deferring(self._app, _LOOK).defer()
        except AlreadyEnqueued:
            pass
        except ProcrastinateException as error:
            log.warning("the workers could not be called, and look by themselves: %s", type(error).__name__)


class JobEngine:
    """A worker among others: a thread with an event loop, whose jobs run in threads of their own."""

    def __init__(self, url: str, logins: StoreLogins | None = None) -> None:
        self._caller = Caller(url, logins)
        self._url = url
        self._logins = logins
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        self._stopping: Callable[[], object] = lambda: None
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        self._caller.wake()

    def start(self, parts: Parts) -> None:
        self._caller.start(parts)
        self._thread = threading.Thread(target=self._stay, args=(parts,), name="jobs", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Waits for the plans under way to come to a place where they can be left."""
        self._ended.set()
        with contextlib.suppress(RuntimeError):  # its loop has just ended
            self._stopping()
        if self._thread:
            self._thread.join()
        self._caller.stop()

    def _stay(self, parts: Parts) -> None:
        """Until it is stopped, whatever becomes of the database in between."""
        while not self._ended.is_set():
            try:
                asyncio.run(self._work(parts))
            except Exception as error:
                log.warning("the worker lost the database and will try again: %s", type(error).__name__)
            self._ended.wait(HELD_ELSEWHERE_S)

    def alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    async def _work(self, parts: Parts) -> None:
        app = procrastinate.App(connector=procrastinate.PsycopgConnector(**connecting(self._url, self._logins)))
        async with app.open_async(), Hands() as hands:
            shift = _Shift(app, parts, self.name, hands)
            await _forget_stalled(app)
            worker = asyncio.create_task(
                app.run_worker_async(
                    name=self.name, concurrency=AT_ONCE, delete_jobs="always", install_signal_handlers=False
                )
            )
            looking = asyncio.create_task(shift.look_from_time_to_time())
            following = asyncio.create_task(self._until_another_follows())
            loop = asyncio.get_running_loop()
            self._stopping = lambda: loop.call_soon_threadsafe(worker.cancel)
            if self._ended.is_set():
                worker.cancel()
            done, _ = await asyncio.wait((worker, looking, following), return_when=asyncio.FIRST_COMPLETED)
            for task in (worker, looking, following):
                task.cancel()
            await asyncio.gather(worker, looking, following, return_exceptions=True)
            for task in done:
                if not task.cancelled() and (error := task.exception()):
                    raise error

    async def _until_another_follows(self) -> None:
        """Ends when the store is reached with another account: then everything is connected anew."""
        began_as = name_of(make_url(self._url), self._logins)
        while name_of(make_url(self._url), self._logins) == began_as:
            await asyncio.sleep(LOGIN_S)


class _Shift:
    """What a worker does between a start and a stop."""

    def __init__(self, app: procrastinate.App, parts: Parts, name: str, hands: Hands) -> None:
        self._app = app
        self._parts = parts
        self._name = name
        self._hands = hands
        self._under_way = set[str]()
        # So that the plan of a worker that died is found soon after its lease has ended.
        self._longest_s = min(LONGEST_S, parts.settings.lease_s / 2)
        self._pause_s = self._longest_s
        self._sooner = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        app.task(name=_LOOK)(self._look)
        app.task(name=_ADVANCE, pass_context=True)(self._advance)

    async def look_from_time_to_time(self) -> None:
        while True:
            await _defer(self._app, _LOOK)
            self._sooner.clear()
            started, self._pause_s = self._loop.time(), self._longest_s
            while (left := started + self._pause_s - self._loop.time()) > 0:
                try:
                    async with asyncio.timeout(left):  # wait_for() of Python 3.11 may swallow that it is cancelled
                        await self._sooner.wait()
                except TimeoutError:
                    break
                self._sooner.clear()

    async def _look(self) -> None:
        for realm in await asyncio.to_thread(_doubted, self._parts):
            if self._hands.free(realm):
                self._hands.begin(realm, look_into_doubts, self._parts, realm)
        for record in await asyncio.to_thread(runnable, self._parts):
            realm = record.plan.account.realm
            if self._hands.free(realm) and record.plan_id not in self._under_way:
                await _defer(self._app, _ADVANCE, key=record.plan_id, plan_id=record.plan_id, realm=realm)

    async def _advance(self, context: procrastinate.JobContext, plan_id: str, realm: RealmName) -> None:
        if not self._hands.free(realm):
            self._look_within(HELD_ELSEWHERE_S)
            return
        # Named after the job: two jobs on one plan are two workers, so that neither fences the other off.
        worker = f"{self._name}:{context.job.id}"
        self._under_way.add(plan_id)
        advancing = self._hands.begin(realm, advance_plan, self._parts, plan_id, worker)
        advancing.add_done_callback(lambda ended: self._note(plan_id, ended))
        await asyncio.wait((advancing,), timeout=SLOW_S)

    def _note(self, plan_id: str, ended: "asyncio.Future[Outcome | None]") -> None:
        """When to look again."""
        self._under_way.discard(plan_id)
        error = ended.exception()
        if error is not None:
            log.warning("plan %s goes on later: %s", plan_id, error if isinstance(error, KeyturnError) else repr(error))
        outcome = None if error else ended.result()
        if outcome is None:
            self._look_within(HELD_ELSEWHERE_S)
        elif isinstance(outcome, Waiting):
            self._look_within(next_look([outcome]))

    def _look_within(self, seconds: float) -> None:
        self._pause_s = min(self._pause_s, seconds)
        self._sooner.set()


def _doubted(parts: Parts) -> set[RealmName]:
    return {doubt.account.realm for doubt in parts.store.doubted()}


def connecting(url: str, logins: StoreLogins | None) -> dict[str, Any]:
    """What a pool of connections for jobs is made with."""

    address = make_url(url).set(drivername="postgresql")

    def parameters() -> dict[str, Any]:
        session = logging_on(address, logins, {"search_path": SCHEMA})
        return {"application_name": "keyturn-jobs", "connect_timeout": 10, **session}

    return {
        "conninfo": address.render_as_string(),
        "kwargs": parameters,
        "min_size": 0,
        "max_size": 4,
        "max_idle": IDLE_S,
    }


SCHEMA = "keyturn_jobs_" + procrastinate.__version__.replace(".", "_")
"""One for each version of the library. Jobs are calls and nothing else, so none needs to be carried over."""


def prepare(url: str, logins: StoreLogins | None = None) -> None:
    """Make the tables of jobs, once; nothing where they are there."""
    pool = connecting(url, logins)
    with psycopg.connect(pool["conninfo"], **pool["kwargs"]()) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(7526752397651506)")
        made = connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (SCHEMA,)).fetchone()
        if made is None:
            connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(SCHEMA)))
            connection.execute(SchemaManager.get_schema())


def _deferring(app: procrastinate.App, task: str, key: str = "") -> JobDeferrer:
    """One job of a kind and key waits at a time; more of them would say nothing more."""
    return app.configure_task(task, queueing_lock=f"{task} {key}", allow_unknown=True)


async def _defer(app: procrastinate.App, task: str, key: str = "", **what: str) -> None:
    with contextlib.suppress(AlreadyEnqueued):
        await _deferring(app, task, key).defer_async(**what)


async def _forget_stalled(app: procrastinate.App) -> None:
    """Jobs whose worker was killed. What they were about is found by looking."""
    for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=LONGEST_S):
        if job.id is not None:
            await app.job_manager.finish_job_by_id_async(job.id, status=Status.FAILED, delete_job=True)
