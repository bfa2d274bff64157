"""Setting a password so that its mark tells: higher than every mark before it, lower than every mark after it.

`pwdChangedTime` has whole seconds. Two sets within one second would bear one mark, and a change by somebody else right
after ours could not be seen. So a set of ours returns when its second is over, and one that fell into the second of
the set before it is made again. The second is the server's: `entryCSN` tells how much of it had passed.
"""

from collections.abc import Callable
from math import floor

from keyturn.adapters.authorities.openldap.entry import Record
from keyturn.adapters.authorities.openldap.session import Session
from keyturn.model.errors import AuthorityError
from keyturn.model.secret import Secret

_COARSE_S = 0.05
"""slapd takes `pwdChangedTime` from a clock that ticks some milliseconds behind the one of `entryCSN`."""


def change(
    session: Session, before: Record, secret: Secret, *, read: Callable[[], Record], sleep: Callable[[float], None]
) -> None:
    """Takes up to a second, or two after somebody else's set. AuthorityError, permanent, from a server that keeps no
    mark: nothing could ever be resolved there."""
    after = _set(session, before, secret, read)
    if after.mark == before.mark:
        sleep(_rest_of_second(after))
        after = _set(session, before, secret, read)
    if after.mark == before.mark:
        raise AuthorityError(
            f"{session.host} has set the password of {before.dn} and keeps no pwdChangedTime",
            permanent=True,
            hint="load the ppolicy overlay on the database of this realm",
        )
    if after.must_change:
        session.replace(after.dn, {"pwdReset": None})  # pwdMustChange is for people: a service cannot change its own
    sleep(_rest_of_second(after))


def _set(session: Session, before: Record, secret: Secret, read: Callable[[], Record]) -> Record:
    session.set_password(before.dn, secret)
    return read()


def _rest_of_second(record: Record) -> float:
    """0 where a later second has begun already."""
    return record.mark + 1 + _COARSE_S - record.written_at if floor(record.written_at) == record.mark else 0.0
