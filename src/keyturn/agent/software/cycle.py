"""The software of this machine, turn after turn: what the policy asks for is started, and the site hears of it.

Works on what is kept where no server is reached. A program runs in a thread of its own, so one that hangs holds up
nobody: it counts among those that run at once only for its first minutes.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from keyturn.agent.client import Client
from keyturn.agent.report import TROUBLE, Report
from keyturn.agent.software import logs, telling
from keyturn.agent.software.afterwards import AfterRuns
from keyturn.agent.software.domain_token import not_needed
from keyturn.agent.software.history import History
from keyturn.agent.software.logs import ERROR, INFO, WARNING, Logs
from keyturn.agent.software.policy import BadPolicy, Policies
from keyturn.agent.software.records import Key
from keyturn.agent.software.requests import Requests
from keyturn.agent.software.running import run_one
from keyturn.agent.software.telling import Standing
from keyturn.agent.software.workshop import Workshop
from keyturn.agent.turns import Besides
from keyturn.distribution.causes import EXPLANATIONS, Cause
from keyturn.distribution.due import CannotRun, Due, Has, Runs, Waits, before_restart, due
from keyturn.distribution.reports import AdvertisementState
from keyturn.distribution.run_context import ClientState
from keyturn.model.errors import KeyturnError
from keyturn.model.logon import Answer
from keyturn.model.software import ClientKind, Policy

POLL_S = 5.0
"""How often it is looked who is logged on, and whose time has come."""
BUSY_POLL_S = 1.0
"""While programs run: the next one of a package starts soon after the last."""
AT_ONCE = 2
"""Programs of different packages. Installers wait for each other anyway (dpkg's lock, say)."""
SLOW_S = 600.0
"""A program that runs for longer does not count among those."""


@dataclass(frozen=True, slots=True)
class _Running:
    thread: threading.Thread
    package: str
    since: float


@dataclass
class Software:
    """Of the one process that runs programs. `post` sends reports between contacts, by one of its own where that is the
    client's way: it is given `exchange`. `token_missing` says why a domain controller cannot use the domain's token
    account."""

    policies: Policies
    history: History
    requests: Requests
    shop: Workshop
    logs: Logs
    kind: ClientKind
    """By which way the policy comes. What a client of this kind does stands in the policy."""
    domain_controller: bool
    now: Callable[[], float]
    post: Callable[[Besides], None] = lambda _: None
    token_missing: Callable[[], str] = not_needed
    _running: dict[Key, _Running] = field(default_factory=dict)
    _posted: int = 0

    def __post_init__(self) -> None:
        self._after_runs = AfterRuns(self.history, self.shop.computer, self.shop.write)

    def begin(self) -> None:
        """Once, before the first turn: what was cut off is put right and told."""
        self._after_runs.begin()
        for line in self.shop.runner.put_right():
            self._log(f"put right: {line}", WARNING)
        for run in self.history.cut_off():
            title = f"program {run.package} {run.program} of advertisement {run.advertisement}"
            self._log(f"{title} was interrupted; it is not repeated by itself", ERROR)

    def exchange(self, client: Client, report: Report) -> None:
        """In a contact, under the folder's lock: the policy comes, the reports go. Nothing here fails the contact."""
        try:
            if self._policy_came(client, report):
                self.logs.write(logs.POLICY, "there is a new policy")
        except (BadPolicy, *TROUBLE) as error:
            self.logs.write(logs.POLICY, f"no policy was taken: {error.message}", WARNING)
        except OSError as error:
            self.logs.write(logs.POLICY, f"the policy cannot be kept: {error.strerror}", ERROR)
        with suppress(OSError):
            self._send(client, report)

    def _policy_came(self, client: Client, report: Report) -> bool:
        if self.kind is ClientKind.ADVANCED:
            return self.policies.ask(client)
        account = _let_in(report)
        return account is not None and self.policies.pick_up(client, account)

    def _send(self, client: Client, report: Report) -> None:
        """Those of a legacy client through its access point."""
        if self.kind is ClientKind.ADVANCED:
            telling.send(self.history, client)
        elif (account := _let_in(report)) is not None:
            telling.leave(self.history, client, account)

    def run(self, stop: threading.Event, wait: Callable[[threading.Event, float], bool]) -> None:
        """Until `stop` is set; what runs then is ended by its runner, and interrupted."""
        while not stop.is_set():
            self.turn(stop)
            self._post_news()
            wait(stop, BUSY_POLL_S if self._running else POLL_S)
        self.finish()
        self._post_news()

    @contextmanager
    def beside(self, stop: threading.Event, wait: Callable[[threading.Event, float], bool]) -> Iterator[None]:
        """`run`, while something else is done; ends when that has ended and `stop` is set."""
        thread = threading.Thread(target=self.run, args=(stop, wait), name="software")
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def turn(self, stop: threading.Event) -> frozenset[Key]:
        """Starts what is due, and returns that."""
        try:
            return self._turn(stop)
        except KeyturnError as error:
            self._log(error.message, ERROR)
        except OSError as error:
            self._log(f"what runs cannot be kept: {error.strerror}", ERROR)
        except Exception as error:  # what runs goes on, and the next turn may fare better
            self._log(f"a turn met what nobody foresaw: {type(error).__name__}", ERROR)
        return frozenset()

    def run_out(self, stop: threading.Event) -> None:
        """Turn after turn, until nothing new is due and nothing runs."""
        seen: frozenset[Key] = frozenset()
        while (started := self.turn(stop)) - seen:
            seen |= started
            self.finish()
        self._post_news()

    def finish(self) -> None:
        for running in list(self._running.values()):
            running.thread.join()
        self._forget_ended()

    def _post_news(self) -> None:
        """Once; what nobody took goes with the next contact."""
        if self._is_worth_telling():
            self._posted = self.history.kept.number
            self.post(self.exchange)

    def _is_worth_telling(self) -> bool:
        """The way of a legacy client costs a logon: that is spent once the programs that ran are over."""
        if self.kind is ClientKind.ADVANCED:
            return self.history.kept.number != self._posted
        self._forget_ended()
        new = (report for report in self.history.outbox() if report.number > self._posted)
        return not self._running and any(report.run for report in new)

    def _turn(self, stop: threading.Event) -> frozenset[Key]:
        self._forget_ended()
        self._take_requests()
        policy = self.policies.current()
        if policy is None:
            return frozenset()
        self.logs.configure(policy.logs)
        users = self.shop.runner.users()
        self.history.users(users)
        missing = self.token_missing() if policy.kind is ClientKind.LEGACY else ""
        self.history.token(missing)
        client = ClientState(policy.kind, policy.accounts, users, self.domain_controller, missing)
        if not self._running:
            self._after_runs.carry_out(users)
        found = [one for one in due(policy, self.history.known, client, self.now()) if not self._runs(one)]
        if self._awaits_restart():
            found = [before_restart(one) for one in found]
        offered = {offer.advertisement.advertisement_id for offer in policy.offers}
        for news in self.history.stand(_standings(found), offered):
            self._log(_in_words(news), ERROR if news.state is AdvertisementState.FAILED else INFO)
        return frozenset(_key(one) for one in found if self._start(one, policy, stop))

    def _awaits_restart(self) -> bool:
        """Nothing new starts then. A program that hangs holds up the restart, and nobody else."""
        hangs = any(self.now() - running.since >= SLOW_S for running in self._running.values())
        return self._after_runs.ordered or (self._after_runs.awaits_restart() is not None and not hangs)

    def _take_requests(self) -> None:
        for advertisement, at in self.requests.all().items():
            self.history.ask(advertisement, at)
            self.requests.forget(advertisement)

    def _runs(self, one: Due) -> bool:
        return _key(one) in self._running

    def _start(self, one: Due, policy: Policy, stop: threading.Event) -> bool:
        if not isinstance(one.standing, Runs):
            return False
        counted = [running for running in self._running.values() if self.now() - running.since < SLOW_S]
        package = one.offer.program.package
        if len(counted) >= AT_ONCE or any(running.package == package for running in self._running.values()):
            return False
        thread = threading.Thread(target=self._work, args=(one, policy, stop), name=f"run {package}")
        self._running[_key(one)] = _Running(thread, package, self.now())
        thread.start()
        return True

    def _work(self, one: Due, policy: Policy, stop: threading.Event) -> None:
        assert isinstance(one.standing, Runs)
        try:
            run_one(one, one.standing.context, policy, self.shop, stop.is_set)
        except KeyturnError as error:
            self._log(f"program {one.offer.program.ref} was not run: {error.message}", ERROR)
        except OSError as error:
            self._log(f"program {one.offer.program.ref}: what runs cannot be kept: {error.strerror}", ERROR)
        except Exception as error:  # the agent goes on, and the run is interrupted
            self._log(f"program {one.offer.program.ref} met what nobody foresaw: {type(error).__name__}", ERROR)
        finally:
            self._cut_off(one)

    def _cut_off(self, one: Due) -> None:
        """A run that is over and still stands as running ended in a way nobody knows."""
        run = self.history.run_of(_key(one))
        if run is not None and run.state is AdvertisementState.RUNNING:
            with suppress(OSError):
                self.history.interrupted(run)

    def _forget_ended(self) -> None:
        self._running = {key: running for key, running in self._running.items() if running.thread.is_alive()}

    def _log(self, text: str, level: int = INFO) -> None:
        self.shop.write(text, level)


def _standings(found: list[Due]) -> Iterator[Standing]:
    """What the site hears of offers that do not run. One that ran was told of when it ended, and one that is to be
    tried again has failed until then."""
    for one in found:
        match one.standing:
            case Waits(reason, past=None):
                yield Standing(_key(one), AdvertisementState.WAITING, reason)
            case CannotRun(unfit, run_first):
                cause = Cause.RUN_FIRST_FAILED if run_first else Cause.NO_INSTALLATION_ACCOUNT
                yield Standing(_key(one), AdvertisementState.FAILED, unfit.reason, cause.value)
            case Runs():
                yield Standing(_key(one), AdvertisementState.RECEIVED)
            case Waits() | Has():
                pass


def _in_words(news: Standing) -> str:
    advertisement, package, program, user = news.key
    whose = f" for {user}" if user else ""
    about = f"program {package} {program} of advertisement {advertisement}{whose} {news.state}"
    if not news.cause:
        return f"{about}: {news.reason}" if news.reason else about
    return f"{about}: {news.reason}. Way out: {EXPLANATIONS[Cause(news.cause)].remedy}"


def _key(one: Due) -> Key:
    program = one.offer.program
    return one.offer.advertisement.advertisement_id, program.package, program.name, one.user


def _let_in(report: Report) -> str | None:
    """The account that was let in just now."""
    logon = report.logon
    return logon.account if logon is not None and logon.answer is Answer.ACCEPTED else None
