"""The passwords that this client holds, lent for one run or one fetching: proven ones only, and only while the site
says that they are current.

The site is asked before each lending, as in a contact: it alone knows that a password is being changed, or was called
wrong somewhere. A fleet whose programs begin at one moment would else lock the account, each client by one attempt.
"""

import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from typing import assert_never

from keyturn.agent.client import Client
from keyturn.agent.home import Home
from keyturn.agent.managing import proven
from keyturn.agent.records import Copy, Standing
from keyturn.agent.report import TROUBLE
from keyturn.distribution.presenting import Presentable
from keyturn.distribution.run_context import AsUser, Machine, NetworkIdentity, RealmAccount
from keyturn.model.accounts import canonical
from keyturn.model.errors import Refused
from keyturn.model.logon import Answer
from keyturn.wire.agent import Direction, Use
from keyturn.wire.sealed import BadSealed


class Lending:
    """`client` is used by nobody else meanwhile. Safe for several threads: each look is under the folder's lock."""

    def __init__(self, home: Home, client: Client) -> None:
        self._home = home
        self._client = client
        self._turns: dict[str, threading.Lock] = {}

    def presentable(self, identities: tuple[NetworkIdentity, ...]) -> tuple[Presentable, ...]:
        """In the order given, without the accounts whose password this client does not hold, that a realm has refused,
        or that the site does not say to use."""
        with self._home.lock():
            self._client.credentials.refresh()
            lends = any(isinstance(identity, RealmAccount) for identity in identities)
            current = self._current() if lends else ()
            found = [self._one(identity, current) for identity in identities]
        return tuple(one for one in found if one is not None)

    def _one(self, identity: NetworkIdentity, current: Collection[Direction]) -> Presentable | None:
        match identity:
            case Machine() | AsUser():
                return Presentable(identity)
            case RealmAccount(account):
                return self._lent(account, current)
        assert_never(identity)

    def _lent(self, account: str, current: Collection[Direction]) -> Presentable | None:
        try:
            copy = proven(self._client.credentials, account)
            secret = self._client.open(copy.account, copy.generation, copy.sealed)
        except (Refused, BadSealed):
            return None
        if Use(copy.account, copy.generation) not in current:
            return None
        return Presentable(RealmAccount(copy.account), secret, self._refuser(copy), lambda: self._turn(copy))

    @contextmanager
    def _turn(self, copy: Copy) -> Iterator[bool]:
        """Several runs may have one password; the first to learn that it is wrong is the last to present it."""
        with self._turns.setdefault(canonical(copy.account), threading.Lock()):
            with self._home.lock():
                self._client.credentials.refresh()
                held = self._client.credentials.held()
            yield any(_same(one, copy) and one.standing is Standing.PROVEN for one in held)

    def _current(self) -> tuple[Direction, ...]:
        """In the site's own word, for all accounts at once; nothing where it cannot be asked."""
        try:
            return self._client.check_in(self._client.credentials.holds()).directions
        except TROUBLE:
            return ()

    def _refuser(self, copy: Copy) -> Callable[[], None]:
        """A wrong answer makes the copy refused here as well, unless a newer one has taken its place. The site is told
        at once, so that it lets nobody else present it; where it does not answer, at the next contact."""

        def refuse() -> None:
            credentials = self._client.credentials
            with self._home.lock():
                credentials.refresh()
                for held in credentials.held():
                    if _same(held, copy):
                        credentials.settle(held, Answer.WRONG_PASSWORD, tell=True)
                with suppress(*TROUBLE):
                    self._client.report()

        return refuse


def _same(one: Copy, other: Copy) -> bool:
    return (one.account, one.generation) == (other.account, other.generation)
