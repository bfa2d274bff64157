"""What the adapter of a realm is made from: the realm as the estate has it, and the login Keyturn works with."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TypeAlias

from keyturn.lifecycle.ports import Authority
from keyturn.model.errors import Refused
from keyturn.model.estate import Realm
from keyturn.model.secret import Secret


@dataclass(frozen=True, slots=True)
class Login:
    """`name` as the realm has it."""

    name: str
    secret: Secret


Logins: TypeAlias = Callable[[], Login]
"""The login that works now, asked for before each new connection. Refused where Keyturn knows none."""

Maker: TypeAlias = Callable[[Realm, Logins], Authority]
"""Opens no connection. Refused for a realm whose settings say too little, or what its kind does not know."""


def settings_of(realm: Realm, *, required: Collection[str] = (), optional: Collection[str] = ()) -> dict[str, str]:
    """The realm's `connection`, with no key that its kind does not know and all that it needs."""
    found = dict(realm.connection)
    known = {*required, *optional}
    for key in found:
        if key not in known:
            raise Refused(
                f"realm {realm.name}: {key} is no setting of a connection to {realm.kind}",
                hint="it may have " + ", ".join(sorted(known)),
            )
    for key in required:
        if key not in found:
            raise Refused(
                f"realm {realm.name}: its connection has no {key}", hint=f"[realm.connection] {key} = … in the estate"
            )
    return found
