"""What programs leave to be done with the machine: a restart, a logoff. Only while no program runs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from keyturn.agent.software.history import History
from keyturn.agent.software.logs import INFO, WARNING, Write
from keyturn.agent.software.ports import Computer
from keyturn.agent.software.records import Run
from keyturn.model.errors import KeyturnError, Refused
from keyturn.model.software import Afterwards

NOTICE_S = 300.0
"""How long before a restart those who are logged on are told."""
RESTARTED = "the machine has restarted since"

_RESTARTS = (Afterwards.PROGRAM_RESTARTS, Afterwards.CLIENT_RESTARTS)


@dataclass
class AfterRuns:
    """`ordered`: this agent's process has ordered a restart; a person who called it off is not overruled."""

    history: History
    computer: Computer
    write: Write
    ordered: bool = False

    def begin(self) -> None:
        """When the agent starts: a restart that was waited for may have happened. A logoff is not made up for: whoever
        is logged on now came later."""
        boot = self.computer.boot()
        for run in self.history.pending():
            if run.pending is Afterwards.LOGS_OFF:
                self.history.settle(run, "")
            elif run.boot != boot:
                self.history.settle(run, RESTARTED)
                self.write(f"{_title(run)}: {RESTARTED}", INFO)

    def awaits_restart(self) -> Run | None:
        """The program after which this client restarts the machine."""
        wanted = (run for run in self.history.pending() if run.pending is Afterwards.CLIENT_RESTARTS)
        return next(wanted, None)

    def carry_out(self, users: Sequence[str]) -> None:
        """To be called while nothing runs; `users` are those logged on, the one at the console first."""
        for run in self.history.pending():
            if run.pending is Afterwards.LOGS_OFF:
                self._log_off(run, _whose(run, users))
        last = self.awaits_restart()
        if last is not None and not self.ordered:
            self._restart(last, NOTICE_S if users else 0.0)

    def _restart(self, run: Run, after_s: float) -> None:
        try:
            self.computer.restart(after_s, f"{_title(run)} needs it")
        except KeyturnError as error:
            for waiting in self.history.pending():
                if waiting.pending is Afterwards.CLIENT_RESTARTS:
                    said = f"the machine is to restart for it: {error.message}"
                    self.history.settle(waiting, said, Afterwards.PROGRAM_RESTARTS)
            self.write(f"{_title(run)} needs a restart of the machine: {error.message}; {error.hint}", WARNING)
            return
        self.ordered = True
        self.write(f"{_title(run)}: the machine restarts in {math.ceil(after_s / 60)} minutes", INFO)

    def _log_off(self, run: Run, user: str) -> None:
        reason = f"{user} was logged off after it" if user else ""
        try:
            if user:
                self.computer.log_off(user)
                self.write(f"{_title(run)}: {user} is logged off", INFO)
        except KeyturnError as error:
            reason = f"{user} was not logged off after it: {error.message}"
            self.write(f"{_title(run)}: {reason}", WARNING)
        self.history.settle(run, reason)


@dataclass(frozen=True)
class NeverRestarts(Computer):
    """A machine whose owner restarts it."""

    computer: Computer

    def boot(self) -> str:
        return self.computer.boot()

    def restart(self, after_s: float, reason: str) -> None:  # noqa: ARG002
        raise Refused("this client was told never to restart its machine (--no-restart)", hint="restart it yourself")

    def log_off(self, user: str) -> None:
        self.computer.log_off(user)


def _whose(run: Run, users: Sequence[str]) -> str:
    """The user that it ran for, or as; else the one at the console."""
    return next((user for user in (run.user, run.executed_as) if user in users), next(iter(users), ""))


def needs_restart(run: Run) -> bool:
    """Until the machine starts anew."""
    return run.pending in _RESTARTS


def _title(run: Run) -> str:
    return f"program {run.package} {run.program} of advertisement {run.advertisement}"
