"""Handing a new password to every consumer of an account, before the site is shown a logon with it.

The site publishes a password only after it has proven it and every replica knows it, and retires the one before only
after this machine has proven the new one. So a consumer is given what works, and where it cannot use it, what it had
still works.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from keyturn.agent.consumers import files, hooks
from keyturn.agent.consumers.commands import Ran
from keyturn.agent.consumers.settings import Consumer, FileConsumer, of_account
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

    def due(self, account: str, generation: int) -> str:
        """What `Copy.handed` says once everybody has it; empty where nobody else uses the account. Another one after
        the settings have changed."""
        mine = of_account(self.consumers, account)
        return sha256(repr((generation, mine)).encode()).hexdigest() if mine else ""

    def hand_over(self, account: str, generation: int, secret: Secret) -> NotHanded | None:
        """In the order of the settings, up to the first that cannot use it."""
        for consumer in of_account(self.consumers, account):
            ran = self._adopt(consumer, account, generation, secret)
            if not ran.ok:
                return NotHanded(account, consumer.title, ran.said)
        return None

    def _adopt(self, consumer: Consumer, account: str, generation: int, secret: Secret) -> Ran:
        if isinstance(consumer, FileConsumer):
            return files.adopt(consumer, account, secret, self.keep_previous)
        return hooks.adopt(consumer, account, generation, secret)


def listed(handing: Handing, held: Sequence[Copy]) -> tuple[Row, ...]:
    copies = {canonical(copy.account): copy for copy in held}
    return tuple(_row(handing, consumer, copies.get(canonical(consumer.account))) for consumer in handing.consumers)


def _row(handing: Handing, consumer: Consumer, copy: Copy | None) -> Row:
    if copy is None:
        return Row(consumer.account, consumer.title, None, False)
    handed = copy.handed == handing.due(copy.account, copy.generation)
    return Row(copy.account, consumer.title, copy.generation, handed)
