"""Handing a new password to every consumer of an account, before the site is shown a logon with it.

The site publishes a password only after it has proven it and every replica knows it, and retires the one before only
after this machine has proven the new one. So a consumer is given what works, and where it cannot use it, what it had
still works.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from keyturn.agent.consumers import files, hooks, plugins, windows
from keyturn.agent.consumers.commands import Ran
from keyturn.agent.consumers.settings import (
    Consumer,
    FileConsumer,
    HookConsumer,
    PluginConsumer,
    ServiceConsumer,
    TaskConsumer,
    WindowsConsumer,
    of_accounts,
)
from keyturn.agent.records import Copy
from keyturn.model.accounts import canonical
from keyturn.model.secret import Secret


@dataclass(frozen=True, slots=True)
class NotHanded:
    """A consumer that does not work with the new password. The site is shown no logon with it until it does."""

    account: str
    consumer: str
    reason: str


class KeepPrevious(Protocol):
    def __call__(self, path: Path, content: Secret) -> None: ...


@dataclass(frozen=True, slots=True)
class Row:
    """`generation` None: the agent does not hold the account."""

    account: str
    consumer: str
    generation: int | None
    handed: bool


@dataclass(frozen=True, slots=True)
class Handing:
    """`keep_previous` keeps what a file held, sealed to this agent."""

    consumers: Sequence[Consumer]
    keep_previous: KeepPrevious
    to_windows: Callable[[WindowsConsumer, Copy, Secret], Ran] = windows.unable

    def due(self, copy: Copy) -> str:
        """What `Copy.handed` says once everybody has it; empty where nobody else uses the account. Another one after
        the settings have changed."""
        mine = self._of(copy)
        return sha256(repr((copy.generation, mine)).encode()).hexdigest() if mine else ""

    def hand_over(self, copy: Copy, secret: Secret) -> NotHanded | None:
        """In the order of the settings, up to the first that cannot use it."""
        for consumer in self._of(copy):
            ran = self._adopt(consumer, copy, secret)
            if not ran.ok:
                return NotHanded(copy.account, consumer.title, ran.said)
        return None

    def users_of(self, title: str, held: Sequence[Copy]) -> tuple[Copy, ...]:
        """The accounts that this consumer is given."""
        return tuple(copy for copy in held if any(consumer.title == title for consumer in self._of(copy)))

    def _of(self, copy: Copy) -> tuple[Consumer, ...]:
        """Who uses the account, or one whose place it has taken: a cycle does not edit the settings."""
        return of_accounts(self.consumers, (copy.account, *copy.succeeds))

    def _adopt(self, consumer: Consumer, copy: Copy, secret: Secret) -> Ran:
        account, generation = copy.account, copy.generation
        match consumer:
            case FileConsumer():
                return files.adopt(consumer, account, secret, self.keep_previous)
            case HookConsumer():
                return hooks.adopt(consumer, account, generation, secret)
            case PluginConsumer():
                return plugins.adopt(consumer, account, generation, secret)
            case ServiceConsumer() | TaskConsumer():
                return self.to_windows(consumer, copy, secret)


def listed(handing: Handing, held: Sequence[Copy]) -> tuple[Row, ...]:
    line = sorted(held, key=lambda copy: len(copy.succeeds))  # whoever has taken over most stands for all of them
    copies = {canonical(name): copy for copy in line for name in (copy.account, *copy.succeeds)}
    return tuple(_row(handing, consumer, copies.get(canonical(consumer.account))) for consumer in handing.consumers)


def _row(handing: Handing, consumer: Consumer, copy: Copy | None) -> Row:
    if copy is None:
        return Row(consumer.account, consumer.title, None, False)
    handed = copy.handed == handing.due(copy)
    return Row(copy.account, consumer.title, copy.generation, handed)
