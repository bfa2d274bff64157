"""Places that software is read from, and how somebody is presented there. The agent asks, the shares answer."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Protocol

from keyturn.distribution.accesses import Access
from keyturn.distribution.run_context import NetworkIdentity
from keyturn.model.secret import Secret

Note = Callable[[Access], None]
"""Told every time an identity was presented."""


@dataclass(frozen=True, slots=True)
class Presentable:
    """An identity with what it takes to present it. Without a secret it is the machine itself, or the user's own
    session. `spoiled` is told when the realm called the password wrong: it is then presented nowhere else.

    `turn` is held from before a password is presented until the realm has answered: whoever else has it waits. False in
    it: it is not to be presented any more, for elsewhere it was called wrong meanwhile, or a newer one has come.
    """

    identity: NetworkIdentity
    secret: Secret | None = None
    spoiled: Callable[[], None] = field(default=lambda: None, compare=False)
    turn: Callable[[], AbstractContextManager[bool]] = field(default=lambda: nullcontext(True), compare=False)


class Point(Protocol):
    """A place that content is read from: a distribution point, or the source of a package."""

    def reach(self, identity: Presentable, order: int, note: Note) -> AbstractContextManager["ReachedPoint"]:
        """Raises NotLetIn, once noted, where the identity is not; NoAnswer where the point is not reached at all."""


class ReachedPoint(Protocol):
    def read(self, path: str, offset: int) -> Iterator[bytes]:
        """The bytes of a file from `offset` on, in pieces. NotLetIn where this file is refused; NoAnswer when the
        point goes away: what came before is good as far as it goes."""


class NotLetIn(Exception):
    """The point said no to this identity; the next one may be let in."""

    def __init__(self, access: Access) -> None:
        super().__init__(str(access))
        self.access = access


@dataclass(frozen=True, slots=True)
class SharePath:
    r"""A share that a program reaches: `\\host\share`, and the identities that are tried there, in their order."""

    share: str
    identities: tuple[Presentable, ...]
