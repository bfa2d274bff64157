"""Services and scheduled tasks of Windows machines. The agent logs on there with another account that it holds.

A service shows with its start that it can use the password, and a task while it is registered; each is a logon of the
account that may fail. So one hand-out is tried once, and what failed waits until the site hands it out anew.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from keyturn.agent.consumers.commands import Ran
from keyturn.agent.consumers.settings import ServiceConsumer, TaskConsumer, WindowsConsumer
from keyturn.agent.consumers.windows_record import Record, hand_out, works
from keyturn.agent.records import Copy
from keyturn.model.accounts import same_name
from keyturn.model.errors import KeyturnError
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret
from keyturn.wire.windows import LOGON_FAILED, Lost, MachineError, ReachWindows, WindowsMachine


@dataclass(frozen=True, slots=True)
class Loan:
    """An account with which to log on elsewhere. After a wrong password nobody borrows it again: call `refused`."""

    account: str
    secret: Secret
    refused: Callable[[], None]


Borrow: TypeAlias = Callable[[str], Loan]
"""By its name in the settings, also after another account has taken its place. Refused where it is not held, or has
not been proven."""


@dataclass(frozen=True, slots=True)
class Windows:
    """`recall` and `remember` keep a Record by the consumer's title; durable when they return."""

    reach: ReachWindows
    borrow: Borrow
    recall: Callable[[str], Record]
    remember: Callable[[str, Record], None]

    def adopt(self, consumer: WindowsConsumer, copy: Copy, secret: Secret) -> Ran:
        """Safe to repeat: what has the password already is only looked at."""
        if self.recall(consumer.title).spent(hand_out(copy)):
            return Ran(
                False, "it was not seen to work with this password; once that is put right: keyturn agent reinstall"
            )
        try:
            loan = self.borrow(consumer.manage_as)
            with self.reach(consumer.host) as reached:
                machine = reached.log_on(loan.account, loan.secret)
                if isinstance(machine, Answer):
                    return _not_let_in(consumer, loan, machine)
                return self._hand(consumer, copy, secret, machine)
        except KeyturnError as error:
            return Ran(False, _in_words(error))

    def _hand(self, consumer: WindowsConsumer, copy: Copy, secret: Secret, machine: WindowsMachine) -> Ran:
        match consumer:
            case ServiceConsumer():
                return self._service(consumer, copy, secret, machine)
            case TaskConsumer():
                return self._task(consumer, copy, secret, machine)

    def _service(self, consumer: ServiceConsumer, copy: Copy, secret: Secret, machine: WindowsMachine) -> Ran:
        found, record, name = machine.service(consumer.name), self.recall(consumer.title), hand_out(copy)
        runs_as = spelled(found.runs_as, consumer, copy)
        if runs_as is None:
            return _another(found.runs_as, copy)
        if record.holds(runs_as, secret):
            return Ran(True)
        restart = consumer.restart and (found.running or record.tried == name)  # or stopped by us, and then cut off
        if restart and found.dependants:
            return Ran(False, f"it is not restarted while these need it: {', '.join(found.dependants)}")
        machine.change_service(consumer.name, runs_as, secret)
        trouble = self._restart(consumer, record.trying(name), machine) if restart else ""
        if trouble:
            return Ran(False, trouble)
        self.remember(consumer.title, works(runs_as, secret))
        return Ran(True)

    def _restart(self, consumer: ServiceConsumer, record: Record, machine: WindowsMachine) -> str:
        """Why it does not run with the password and what became of it; empty where it does."""
        self.remember(consumer.title, record)
        try:
            machine.stop(consumer.name, timeout_s=consumer.timeout_s)
            machine.start(consumer.name, timeout_s=consumer.timeout_s)
        except Lost:
            raise
        except MachineError as error:
            after = _put_back(consumer, record, machine)
            self.remember(consumer.title, record.refused())
            return f"{_in_words(error)}; {after}"
        return ""

    def _task(self, consumer: TaskConsumer, copy: Copy, secret: Secret, machine: WindowsMachine) -> Ran:
        found, record, name = machine.task(consumer.path), self.recall(consumer.title), hand_out(copy)
        runs_as = spelled(found.runs_as, consumer, copy)
        if runs_as is None:
            return _another(found.runs_as, copy)
        if not found.stores_password:
            return Ran(False, "it runs without a password, so there is none to hand to it")
        if record.holds(runs_as, secret):
            return Ran(True)
        record = record.trying(name)
        self.remember(consumer.title, record)
        try:
            machine.register(consumer.path, found, runs_as, secret)
        except Lost:
            raise
        except MachineError as error:
            self.remember(consumer.title, record.refused() if error.code in LOGON_FAILED else record.not_tried())
            raise
        self.remember(consumer.title, works(runs_as, secret))
        return Ran(True)


def unable(consumer: WindowsConsumer, *_: object) -> Ran:
    return Ran(False, f"{consumer.host} cannot be managed from here")


def spelled(found: str, consumer: WindowsConsumer, copy: Copy) -> str | None:
    """How the machine is to name the account: as it does, or anew where one takes the place of another. None where it
    runs as somebody else."""
    if _means(found, copy.account, consumer):
        return found
    return copy.account if any(_means(found, account, consumer) for account in copy.succeeds) else None


def _means(found: str, account: str, consumer: WindowsConsumer) -> bool:
    otherwise = consumer.runs_as if same_name(consumer.account, account) else None
    return same_name(found, account) or (otherwise is not None and same_name(found, otherwise))


def _put_back(consumer: ServiceConsumer, record: Record, machine: WindowsMachine) -> str:
    """What became of it, in words. The password before is good until everybody has the new one."""
    if not record.runs_as:
        return "the password before was never given by this agent, so it cannot be put back: see to the service"
    try:
        machine.change_service(consumer.name, record.runs_as, record.password)
        machine.start(consumer.name, timeout_s=consumer.timeout_s)
    except Lost:
        raise
    except MachineError as error:
        return f"nor does it run with the one before ({error.message}): see to the service"
    return "it runs again with the one before"


def _another(found: str, copy: Copy) -> Ran:
    return Ran(False, f"it runs as {found or 'nobody'}, not as {copy.account}, and was left alone; see `runs_as`")


def _not_let_in(consumer: WindowsConsumer, loan: Loan, answer: Answer) -> Ran:
    if answer is Answer.WRONG_PASSWORD:
        loan.refused()
    return Ran(False, f"{consumer.host} does not let {loan.account} in: {answer.value}")


def _in_words(error: KeyturnError) -> str:
    return "; ".join(filter(None, (error.message, error.hint)))
