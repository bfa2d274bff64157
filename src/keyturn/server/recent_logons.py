"""Logons that a realm accepted a moment ago, so that an account that fetches 500 files logs on once.

What was presented is remembered as a keyed digest alone, and only by this process. Nothing is remembered of a logon
that was refused: the next one is asked of the realm again, as at a share.
"""

import hashlib
import hmac
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass

from keyturn.model.errors import NotFound
from keyturn.model.logon import Answer
from keyturn.operations.client_ports import EnrolledClient
from keyturn.operations.parts import Parts
from keyturn.server.callers import Arrived
from keyturn.server.realm_logons import answer_to, presented_in

GOOD_S = 60.0
"""For so long an account that its realm itself has disabled, or given another password, still reads packages."""

_AT_MOST = 10_000


@dataclass(frozen=True, slots=True)
class _Accepted:
    """`standing` is how Keyturn itself knew the account then: None where it does not look after it."""

    until: float
    standing: tuple[object, ...] | None


class RecentLogons:
    """`clock` only ever rises."""

    def __init__(self, parts: Parts, clock: Callable[[], float]) -> None:
        self._parts = parts
        self._clock = clock
        self._key = os.urandom(32)
        self._accepted: dict[bytes, _Accepted] = {}
        self._turn = threading.Lock()

    def answer_to(self, arrived: Arrived, machine: EnrolledClient | None, source: str) -> Answer | None:
        """As the realm's own; None when no logon was asked for. Each machine logs on for itself: its logon is its
        proof."""
        presented = presented_in(arrived.headers)
        if presented is None:
            return None
        account, password = presented
        mark = self._mark(account, password.reveal(), machine.name if machine else "", source)
        standing = self._standing(account)
        if self._is_good(mark, standing):
            return Answer.ACCEPTED
        answer = answer_to(self._parts, arrived, machine, source)
        if answer is Answer.ACCEPTED:
            self._remember(mark, standing)
        return answer

    def _mark(self, *presented: str) -> bytes:
        digest = hmac.new(self._key, digestmod=hashlib.sha256)
        for one in presented:
            digest.update(hashlib.sha256(one.encode()).digest())  # of one length each: no two lists are one
        return digest.digest()

    def _standing(self, account: str) -> tuple[object, ...] | None:
        if not account.isprintable():  # a store may not even be asked for such a name, and Keyturn looks after none
            return None
        try:
            managed = self._parts.store.named(account)
        except NotFound:
            return None
        return managed.account, managed.generation, managed.life

    def _is_good(self, mark: bytes, standing: tuple[object, ...] | None) -> bool:
        with self._turn:
            known = self._accepted.get(mark)
        return known is not None and self._clock() < known.until and known.standing == standing

    def _remember(self, mark: bytes, standing: tuple[object, ...] | None) -> None:
        """`standing` was read before the realm was asked: what was changed meanwhile ends it."""
        now = self._clock()
        with self._turn:
            if len(self._accepted) >= _AT_MOST:
                self._accepted = {mark: known for mark, known in self._accepted.items() if now < known.until}
            if len(self._accepted) < _AT_MOST:
                self._accepted[mark] = _Accepted(now + GOOD_S, standing)
