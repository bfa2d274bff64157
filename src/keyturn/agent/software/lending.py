"""The passwords that this client holds, lent for one run or one fetching: proven ones only, and only where the site
has just seen in the realm that they are current.

The site is asked before each lending: it alone knows that a password is being changed, was called wrong somewhere, or
was changed by somebody else. A fleet whose programs begin at one moment would else lock the account, each client by one
attempt.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
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
from keyturn.wire.agent import Direction, Use, Wait
from keyturn.wire.sealed import BadSealed

ASKED_S = 30.0
"""For so long the site's word holds. A program may reach its share hours after it began, and reaches it anew when the
connection was lost: then the site is asked once more."""


@dataclass(frozen=True, slots=True)
class Lent:
    """`held_back` says in one line each which accounts are not among `identities`, and why."""

    identities: tuple[Presentable, ...] = ()
    held_back: tuple[str, ...] = ()


class Lending:
    """`client` is used by nobody else meanwhile. Safe for several threads: each look is under the folder's lock."""

    def __init__(self, home: Home, client: Client, now: Callable[[], float]) -> None:
        self._home = home
        self._client = client
        self._now = now
        self._asked_at: dict[str, float] = {}
        self._turns: dict[str, threading.Lock] = {}

    def lend(self, identities: tuple[NetworkIdentity, ...]) -> Lent:
        """In the order given, without the accounts whose password this client does not hold, that a realm has refused,
        or that the site does not say to use."""
        with self._home.lock():
            self._client.credentials.refresh()
            wanted = [identity.account for identity in identities if isinstance(identity, RealmAccount)]
            said = self._said({name: copy for name in wanted if (copy := self._proven(name)) is not None})
            found = [self._one(identity, said) for identity in identities]
        return Lent(
            tuple(one for one in found if isinstance(one, Presentable)),
            tuple(one for one in found if isinstance(one, str)),
        )

    def _one(self, identity: NetworkIdentity, said: Mapping[str, Copy | str]) -> Presentable | str:
        match identity:
            case Machine() | AsUser():
                return Presentable(identity)
            case RealmAccount(account):
                return self._lent(account, said.get(account, "this client holds no proven password of it"))
        assert_never(identity)

    def _lent(self, account: str, copy: Copy | str) -> Presentable | str:
        if isinstance(copy, str):
            return f"{account} is held back: {copy}"
        try:
            secret = self._client.open(copy.account, copy.generation, copy.sealed)
        except BadSealed as error:
            return f"{account} is held back: {error.message}"
        return Presentable(RealmAccount(copy.account), secret, self._refuser(copy), lambda: self._turn(copy))

    def _proven(self, account: str) -> Copy | None:
        try:
            return proven(self._client.credentials, account)
        except Refused:
            return None

    def _said(self, copies: Mapping[str, Copy]) -> dict[str, Copy | str]:
        """The copies that the site says to use, asked for all at once; why not, in place of the others."""
        try:
            words = self._assured(tuple(copies.values())) if copies else ()
        except TROUBLE as error:
            return dict.fromkeys(copies, f"the site was not asked: {error.message}")
        reasons = {word.account: word.reason for word in words if isinstance(word, Wait)}
        unnamed = "the site does not say to use it"
        return {
            name: copy if Use(copy.account, copy.generation) in words else reasons.get(copy.account, unnamed)
            for name, copy in copies.items()
        }

    def _assured(self, copies: tuple[Copy, ...]) -> tuple[Direction, ...]:
        words = self._client.assure(copies)
        self._asked_at.update({copy.account: self._now() for copy in copies})
        return words

    @contextmanager
    def _turn(self, copy: Copy) -> Iterator[bool]:
        """Several runs may have one password; the first to learn that it is wrong is the last to present it. In a run
        that has begun, a site that does not answer holds nothing back."""
        with self._turns.setdefault(canonical(copy.account), threading.Lock()):
            with self._home.lock():
                self._client.credentials.refresh()
                held = self._client.credentials.held()
                good = any(_same(one, copy) and one.standing is Standing.PROVEN for one in held)
                good = good and not self._held_back_since(copy)
            yield good

    def _held_back_since(self, copy: Copy) -> bool:
        if self._now() - self._asked_at.get(copy.account, 0) < ASKED_S:
            return False
        try:
            words = self._assured((copy,))
        except TROUBLE:
            return False
        return Use(copy.account, copy.generation) not in words

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
