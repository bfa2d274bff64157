"""May this password be presented now? The realm's own mark of it says so, and no logon is spent on the question.

A fleet whose programs begin at one moment asks at one moment, before anybody knows that somebody else has changed the
password. Whoever asks is answered from a look at the realm that was made after the question came, one look for all
that have come: so nobody presents what was wrong when they asked, and nobody waits for another to try it first.
Nothing of it has to be kept: each process of the server looks for itself, and so does one that was started anew. Where
the realm cannot be asked, nobody can say what an attempt would cost, so none is made.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TypeAlias, TypeVar

from keyturn.lifecycle.ports import AccountState
from keyturn.model.accounts import Account, AnyAccount, Credential, RealmName
from keyturn.model.errors import AuthorityError, KeyturnError, Unavailable
from keyturn.operations.client_ports import Offer
from keyturn.operations.clients import Contact
from keyturn.operations.doubts import is_unchanged, tell_of_change
from keyturn.operations.gate import LATER_S, SOON_S, Adopt, Direction, Use, Wait, direct
from keyturn.operations.parts import Parts

Word: TypeAlias = Use | Wait
D = TypeVar("D", bound=Direction)


class Look(Enum):
    """At the realm's mark of a live password."""

    SAME = auto()
    CHANGED = auto()
    """On some replica it is another one than was proven."""
    UNKNOWN = auto()


_WAITS: Mapping[Look, tuple[float, str]] = {
    Look.CHANGED: (LATER_S, "somebody else has changed its password in the realm"),
    Look.UNKNOWN: (SOON_S, "its realm does not tell the site now whether its password is still the same"),
}


@dataclass
class Assurance:
    """`clock` only ever rises."""

    parts: Parts
    clock: Callable[[], float]
    _silent_since: dict[RealmName, float] = field(default_factory=dict)

    def give(self, contacts: Sequence[Contact]) -> list[list[Word]]:
        """On each account that a machine says it keeps, and that it is offered: `Use` for what the realm still has."""
        offers = self.parts.store.offers_to({contact.name for contact in contacts})
        asked = [[_gated(o, held) for o in offers[c.name] if (held := c.keeps(o.account))] for c in contacts]
        return self._held_back(asked, (Look.CHANGED, Look.UNKNOWN))

    def of_contacts(self, found: Sequence[Sequence[Direction]]) -> list[list[Direction | Wait]]:
        """The directions of contacts, without leave to use what somebody else has changed. A machine comes to its
        policy by the account, so a realm that does not answer holds nobody back here."""
        return self._held_back(found, (Look.CHANGED,))

    def _held_back(self, found: Sequence[Sequence[D]], on: Collection[Look]) -> list[list[D | Wait]]:
        """One look for each credential, however many are to use it."""
        current = {each.credential for directions in found for each in directions if isinstance(each, Use)}
        looks = {credential: self._look(credential) for credential in current}
        waits = {one: Wait(one.account, *_WAITS[look]) for one, look in looks.items() if look in on}
        return [[waits.get(d.credential, d) if isinstance(d, Use) else d for d in each] for each in found]

    def _look(self, credential: Credential) -> Look:
        try:
            version, state = self._live_version(credential), self._state(credential.account)
        except KeyturnError:
            return Look.UNKNOWN
        if version is None:
            return Look.UNKNOWN
        if is_unchanged(state, version):
            return Look.SAME
        tell_of_change(self.parts, state, version)
        return Look.CHANGED

    def _live_version(self, credential: Credential) -> int | None:
        """The mark under which it was proven live."""
        kept = self.parts.store.envelopes(credential.account)
        return next((one.version for one in kept if one.live and one.generation == credential.generation), None)

    def _state(self, account: AnyAccount) -> AccountState:
        """A realm that did not answer is left alone for a while: finding out that it still does not takes long."""
        silent = self.clock() - self._silent_since.get(account.realm, -SOON_S) < SOON_S
        if silent or not isinstance(account, Account):
            raise Unavailable(f"{account} cannot be looked at now")
        try:
            return self.parts.authorities(account.realm).describe(account)
        except AuthorityError:
            self._silent_since[account.realm] = self.clock()
            raise


def _gated(offer: Offer, held: int) -> Word:
    """As in a contact. Whether this machine has proven it makes no difference: the look says more than a proof."""
    match direct(offer, held):
        case Wait() as wait:
            return wait
        case Use(credential) | Adopt(credential) if credential.generation == held:
            return Use(credential)
        case _:
            return Wait(offer.account, SOON_S, "it is not the one to use any more; the next contact says more")
