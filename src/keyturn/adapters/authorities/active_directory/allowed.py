"""What Keyturn's own account may do in the domain of what it needs there, and the commands that give the rest.

The rights are those of docs/how-to/realm-active-directory.md, read from the security descriptors as the directory
itself would: of each account, of what an account made in its unit would inherit, and of the groups to be joined.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from shlex import quote
from uuid import UUID

from ldap.dn import dn2str, str2dn

from keyturn.adapters.authorities.active_directory.dacl import (
    CONTROL,
    CREATE_CHILD,
    DELETE,
    DELETE_CHILD,
    WRITE,
    Entry,
    allowed,
    below,
    entries,
)
from keyturn.adapters.authorities.active_directory.directory import groups_with
from keyturn.adapters.authorities.active_directory.domain import Domain
from keyturn.adapters.authorities.active_directory.session import Session
from keyturn.adapters.authorities.active_directory.states import NAMING
from keyturn.model.accounts import Account
from keyturn.operations.delegation import MissingRight

USER = UUID("bf967aba-0de6-11d0-a285-00aa003049e2")
GROUP = UUID("bf967a9c-0de6-11d0-a285-00aa003049e2")
_PASSWORD_SETTINGS = "CN=Password Settings Container,CN=System"


@dataclass(frozen=True, slots=True)
class Need:
    """`about` names the attribute or right, then the set of attributes it belongs to. `windows` and `samba` are what
    follows the entry's name in the command of each; `{who}` is the account, `{sid}` its identity."""

    right: str
    mask: int
    about: tuple[UUID, ...]
    windows: str
    samba: str
    without: str = ""


_RESTRICTIONS = UUID("4c164200-20c0-11d0-a768-00aa006e0529")
"""The set User-Account-Restrictions."""
OF_USERS = (
    Need(
        "set passwords",
        CONTROL,
        (UUID("00299570-246d-11d0-a768-00aa006e0529"),),
        '/I:S /G "{who}:CA;Reset Password;user"',
        "(OA;CIIO;CR;00299570-246d-11d0-a768-00aa006e0529;{user};{sid})",
    ),
    Need(
        "unlock",
        WRITE,
        (UUID("28630ebf-41d5-11d1-a9c1-0000f80367c1"),),
        '/I:S /G "{who}:RPWP;lockoutTime;user"',
        "(OA;CIIO;RPWP;28630ebf-41d5-11d1-a9c1-0000f80367c1;{user};{sid})",
    ),
    Need(
        "enable and disable",
        WRITE,
        (UUID("bf967a68-0de6-11d0-a285-00aa003049e2"), _RESTRICTIONS),
        '/I:S /G "{who}:RPWP;userAccountControl;user"',
        "(OA;CIIO;RPWP;bf967a68-0de6-11d0-a285-00aa003049e2;{user};{sid})",
        "an account that has been replaced stays enabled",
    ),
)
"""On each account, by way of its unit."""
MAKING = Need(
    "make and delete users",
    CREATE_CHILD,
    (USER,),
    '/G "{who}:CCDC;user"',
    "(OA;;CCDC;{user};;{sid})",
    "no second account is made, and none is deleted",
)
_MEMBER = UUID("bf9679c0-0de6-11d0-a285-00aa003049e2")
JOINING = Need(
    "change the members",
    WRITE,
    (_MEMBER, UUID("bc0ac240-79a9-11d0-9020-00c04fc2d4cf")),
    '/G "{who}:RPWP;member"',
    f"(OA;;RPWP;{_MEMBER};;{{sid}})",
    "a second account does not join it",
)
READING = Need(
    "read fine-grained policies",
    0,
    (),
    '/I:T /G "{who}:RPLC"',
    "(A;CI;RPLC;;;{sid})",
)
_CUT_OFF = "its unit grants it, and this account has it not: AdminSDHolder protects it, or inheritance is off"

_NEW_ONES = "a second account made here could not be worked with"


@dataclass(frozen=True, slots=True)
class _Place:
    """An entry, its list, and who we are."""

    dn: str
    lines: tuple[Entry, ...]
    sids: frozenset[str]

    def may(self, need: Need, of_class: UUID = USER) -> bool:
        return self.has(need.mask, need.about, of_class)

    def has(self, right: int, about: Collection[UUID] = (), of_class: UUID = USER) -> bool:
        return allowed(self.lines, self.sids, right, about, of_class=of_class)


def missing(session: Session, domain: Domain, accounts: Collection[Account]) -> Iterator[MissingRight]:
    return _Examination(session, domain).missing(accounts)


class _Examination:
    def __init__(self, session: Session, domain: Domain) -> None:
        sids = session.identities()
        own = session.identity(sids[0], NAMING)
        self._session = session
        self._container = domain.container_in(session.base)
        self._sids = frozenset(sids)
        who = f"{domain.netbios}\\{own.text('sAMAccountName') if own else sids[0]}"
        self._names = {"who": who, "sid": sids[0], "user": str(USER)}

    def missing(self, accounts: Collection[Account]) -> Iterator[MissingRight]:
        units: dict[str, list[str]] = defaultdict(list, {self._container: []})
        groups: dict[str, str] = {}
        for account in accounts:
            entry = self._session.identity(account.sid, NAMING)
            if entry is not None:
                units[dn2str(str2dn(entry.dn)[1:])].append(entry.dn)
                groups |= {g.dn: g.text("sAMAccountName") for g in groups_with(self._session, entry.dn, NAMING)}
        for unit, users in units.items():
            yield from self._in_unit(unit, users)
        for dn in sorted(groups):
            if not self._place(dn).may(JOINING, GROUP):
                yield self._missing(JOINING, dn)
        if not self._sees_policies():
            yield self._missing(READING, f"{_PASSWORD_SETTINGS},{self._session.base}")

    def _in_unit(self, unit: str, users: Sequence[str]) -> Iterator[MissingRight]:
        here = self._place(unit)
        made = _Place(unit, below(here.lines, USER), self._sids)
        there = [self._place(dn) for dn in users]
        for need in OF_USERS:
            lacking = [user.dn for user in there if not user.may(need)]
            if not made.may(need):
                right = self._missing(need, unit)
                yield right if lacking else replace(right, vital=False, without=_NEW_ONES)
                continue
            for dn in lacking:
                yield MissingRight(need.right, dn, (), not need.without, need.without, _CUT_OFF)
        if not (here.may(MAKING) and (here.has(DELETE_CHILD, MAKING.about) or made.has(DELETE))):
            yield self._missing(MAKING, unit)

    def _missing(self, need: Need, where: str) -> MissingRight:
        windows, samba = (form.format(**self._names) for form in (need.windows, need.samba))
        tool = f"samba-tool dsacl set --objectdn={quote(where)} --sddl={quote(samba)}"
        commands = f'dsacls "{where}" {windows}', tool
        return MissingRight(need.right, where, commands, vital=not need.without, without=need.without)

    def _place(self, dn: str) -> _Place:
        return _Place(dn, entries(self._session.descriptor(dn)), self._sids)

    def _sees_policies(self) -> bool:
        found = self._session.read(f"{_PASSWORD_SETTINGS},{self._session.base}", ("cn",))
        return found is not None and bool(found.values)
