r"""Who may read a package at a distribution point (package access accounts)."""

from collections.abc import Iterator, Sequence

from keyturn.model.accounts import Account, RealmName, reference, same_name
from keyturn.model.errors import AuthorityError, NotFound, Refused
from keyturn.model.estate import Estate
from keyturn.model.software import Package
from keyturn.model.spelling import nearest, shown
from keyturn.operations.access_permissions import grantees
from keyturn.operations.parts import Parts
from keyturn.site.permissions import BUILTIN_SIDS, AccessList, Ace, Grantee, Right

_COMPUTERS = "-515"
"""Domain Computers, behind the domain's own SID (MS-DTYP 2.4.2.4)."""


def access_of(parts: Parts, package: Package) -> AccessList:
    """On a share: the machines of the domain, and the accounts named or else every user. NotFound for an account that
    its realm does not know."""
    return AccessList(tuple(dict.fromkeys(_entries(parts, package))))


def may_read(package: Package, account: str) -> bool:
    r"""Whether an account that its realm let in, `REALM\name`, may read it where no list of a share says so."""
    return not package.access or any(same_name(account, named) for named in package.access)


def refuse_strangers(parts: Parts, estate: Estate, names: Sequence[str]) -> None:
    r"""Refused for a `REALM\name` that neither the estate nor its realm knows. One of a realm that cannot be asked is
    taken as it is: whoever distributes the package tells where it is not there."""
    known = {reference(str(managed.account)): managed.account for managed in estate.accounts}
    for text in names:
        realm, _, name = text.partition("\\")
        if reference(text) not in known and not _may_be_there(parts, realm, name):
            near = [account.name for account in known.values() if same_name(account.realm, realm)]
            raise Refused(
                f"{shown(text)} is not in the estate, and no account of realm {realm}",
                hint=nearest(name, near, "name accounts that clients come with: keyturn account list; no groups"),
            )


def _may_be_there(parts: Parts, realm: str, name: str) -> bool:
    try:
        return parts.authorities(RealmName(realm)).find(name) is not None
    except (AuthorityError, Refused):
        return True


def _entries(parts: Parts, package: Package) -> Iterator[Ace]:
    yield Ace(BUILTIN_SIDS[Grantee.ADMINISTRATORS], Right.FULL)
    readers: list[str] = []
    for grantee, account in grantees(parts, parts.store.estate()):
        if grantee is Grantee.SERVER_CONNECTION:
            yield Ace(account.sid, Right.CHANGE)
            if computers := _computers(account):
                yield Ace(computers, Right.READ)
        elif grantee is Grantee.CLIENT_CONNECTION:
            readers.append(account.sid)
    if package.access:
        readers = [_named(parts, name).sid for name in package.access]
    else:
        readers.append(BUILTIN_SIDS[Grantee.USERS])
    yield from (Ace(sid, Right.READ) for sid in readers)


def _named(parts: Parts, text: str) -> Account:
    realm, _, name = text.partition("\\")
    found = parts.authorities(RealmName(realm)).find(name)
    if found is None:
        raise NotFound(f"there is no account {text} to give access to", hint="keyturn package access")
    return found


def _computers(account: Account) -> str:
    """Of the domain that the account is in; empty where it is in none."""
    domain, _, _ = account.sid.rpartition("-")
    return domain + _COMPUTERS if account.sid.startswith("S-1-5-21-") else ""
