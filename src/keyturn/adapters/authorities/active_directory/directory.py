"""Looking accounts and groups up, by name or by identity."""

from collections.abc import Iterable

from ldap.filter import escape_filter_chars

from keyturn.adapters.authorities.active_directory.session import Entry, Session
from keyturn.model.accounts import Account
from keyturn.model.errors import NotFound


def require(session: Session, account: Account, attributes: Iterable[str]) -> Entry:
    entry = session.identity(account.sid, attributes)
    if entry is None:
        raise not_there(account)
    return entry


def not_there(account: Account) -> NotFound:
    return NotFound(f"no account {account} with the identity {account.sid}")


def account_named(session: Session, name: str, attributes: Iterable[str]) -> Entry | None:
    """The directory compares names without regard to case; outer space is ours to leave out."""
    return _only(session, "user", name, attributes)


def group_named(session: Session, name: str, attributes: Iterable[str]) -> Entry | None:
    return _only(session, "group", name, attributes)


def groups_with(session: Session, member: str, attributes: Iterable[str]) -> list[Entry]:
    """The groups in which this distinguished name stands itself; its primary group is not among them."""
    return session.search(f"(&(objectClass=group)(member={escape_filter_chars(member)}))", attributes)


def _only(session: Session, kind: str, name: str, attributes: Iterable[str]) -> Entry | None:
    """A `sAMAccountName` is borne once in a domain."""
    wanted = escape_filter_chars(name.strip())
    found = session.search(f"(&(objectClass={kind})(sAMAccountName={wanted}))", attributes) if wanted else []
    return found[0] if found else None
