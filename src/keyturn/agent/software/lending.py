"""The passwords that this client holds, lent for one run or one fetching: proven ones only."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import assert_never

from keyturn.agent.client import Client
from keyturn.agent.home import Home
from keyturn.agent.managing import proven
from keyturn.agent.records import Copy, Standing
from keyturn.distribution.presenting import Presentable
from keyturn.distribution.run_context import AsUser, Machine, NetworkIdentity, RealmAccount
from keyturn.model.accounts import canonical
from keyturn.model.errors import Refused
from keyturn.model.logon import Answer
from keyturn.wire.sealed import BadSealed


class Lending:
    """`client` is used by nobody else meanwhile. Safe for several threads: each look is under the folder's lock."""

    def __init__(self, home: Home, client: Client) -> None:
        self._home = home
        self._client = client
        self._turns: dict[str, threading.Lock] = {}

    def presentable(self, identities: tuple[NetworkIdentity, ...]) -> tuple[Presentable, ...]:
        """In the order given, without the accounts whose password this client does not hold, or that a realm has
        refused."""
        return tuple(found for identity in identities if (found := self._one(identity)) is not None)

    def _one(self, identity: NetworkIdentity) -> Presentable | None:
        match identity:
            case Machine() | AsUser():
                return Presentable(identity)
            case RealmAccount(account):
                return self._lent(account)
        assert_never(identity)

    def _lent(self, account: str) -> Presentable | None:
        with self._home.lock():
            self._client.credentials.refresh()
            try:
                copy = proven(self._client.credentials, account)
                secret = self._client.open(copy.account, copy.generation, copy.sealed)
            except (Refused, BadSealed):
                return None
        return Presentable(RealmAccount(copy.account), secret, self._refuser(copy), lambda: self._turn(copy))

    @contextmanager
    def _turn(self, copy: Copy) -> Iterator[bool]:
        """Several runs may have one password; the first to learn that it is wrong is the last to present it."""
        with self._turns.setdefault(canonical(copy.account), threading.Lock()):
            with self._home.lock():
                self._client.credentials.refresh()
                held = self._client.credentials.held()
            yield any(
                (one.account, one.generation, one.standing) == (copy.account, copy.generation, Standing.PROVEN)
                for one in held
            )

    def _refuser(self, copy: Copy) -> Callable[[], None]:
        """A wrong answer makes the copy refused here as well, unless a newer one has taken its place; the site is told
        at the next contact."""

        def refuse() -> None:
            credentials = self._client.credentials
            with self._home.lock():
                credentials.refresh()
                for held in credentials.held():
                    if (held.account, held.generation) == (copy.account, copy.generation):
                        credentials.settle(held, Answer.WRONG_PASSWORD, tell=True)

        return refuse
