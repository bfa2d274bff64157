"""Grants as the server writes them, made comparable: without whom they are for, and without the password's hash.

A name is the server's line with `…` in the account's place.
"""

import re
from collections.abc import Iterable

from keyturn.adapters.authorities.mariadb.accounts import execute
from keyturn.adapters.authorities.mariadb.names import UserAtHost, identifier
from keyturn.adapters.authorities.mariadb.servers import Session
from keyturn.lifecycle.ports import Rights

_SOMEBODY = "…"
_HASH = re.compile(r" IDENTIFIED (?:BY PASSWORD|VIA \S+ USING) '[^']*'(?: OR \S+ USING '[^']*')*")
_ROLE = re.compile(rf"GRANT `((?:[^`]|``)+)` TO {_SOMEBODY}(?: WITH ADMIN OPTION)?")
_DEFAULT_ROLE = re.compile(rf"SET DEFAULT ROLE `((?:[^`]|``)+)` FOR {_SOMEBODY}")
_NOTHING = f"GRANT USAGE ON *.* TO {_SOMEBODY}"


def rights(session: Session, who: UserAtHost) -> Rights:
    with session.cursor() as cursor:
        cursor.execute("CALL keyturn.grants(%s, %s)", (who.user, who.host))
        lines = {_HASH.sub("", line.replace(who.shown, _SOMEBODY)) for (line,) in cursor.fetchall()}
    roles = {line: found[1].replace("``", "`") for line in lines if (found := _ROLE.fullmatch(line))}
    plain = {line for line in roles if line.endswith(_SOMEBODY)}
    return Rights(frozenset(roles.values()), frozenset(lines - plain - {_NOTHING}))


def join(session: Session, who: UserAtHost, groups: Iterable[str]) -> None:
    for group in groups:
        execute(session, f"GRANT {identifier(group)} TO {who.quoted(session)}")


def give(session: Session, who: UserAtHost, names: Iterable[str]) -> None:
    """Default roles through the routine that the how-to makes: to set them needs a right to all accounts."""
    for name in names:
        if default := _DEFAULT_ROLE.fullmatch(name):
            with session.cursor() as cursor:
                arguments = (default[1].replace("``", "`"), who.user, who.host)
                cursor.execute("CALL keyturn.default_role(%s, %s, %s)", arguments)
        else:
            before, _, after = name.partition(_SOMEBODY)
            execute(session, before + who.quoted(session) + after)
