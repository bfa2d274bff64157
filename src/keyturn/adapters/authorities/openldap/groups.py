"""Groups as `groupOfNames` has them: lists of the entries' names, so that they must follow an entry that goes."""

from ldap.filter import escape_filter_chars

from keyturn.adapters.authorities.openldap.session import Entry, Session
from keyturn.model.errors import AuthorityError

_GROUPS_OF = "(&(objectClass=groupOfNames)(member={}))"
_GROUP = "(&(objectClass=groupOfNames)(cn={}))"


def groups_of(session: Session, base: str, dn: str) -> frozenset[str]:
    return frozenset(_name(group) for group in _holding(session, base, dn))


def join(session: Session, base: str, dn: str, names: frozenset[str]) -> None:
    """A group that is not there is an AuthorityError, permanent, before any is joined: we make no groups."""
    held = {group.dn for group in _holding(session, base, dn)}
    wanted = [_group(session, base, name) for name in sorted(names)]
    for group in wanted:
        if group.dn not in held:
            session.add_value(group.dn, "member", dn)


def leave_all(session: Session, base: str, dn: str) -> None:
    """Else whoever gets the same name later would be in them."""
    for group in _holding(session, base, dn):
        if len(group.attributes["member"]) == 1:
            raise AuthorityError(
                f"{session.host}: {dn} is the only member of {group.dn}, which may not be empty",
                permanent=True,
                hint="give that group another member, or delete it",
            )
        session.remove_value(group.dn, "member", dn)


def _holding(session: Session, base: str, dn: str) -> tuple[Entry, ...]:
    return session.search(base, _GROUPS_OF.format(escape_filter_chars(dn)), ("cn", "member"))


def _group(session: Session, base: str, name: str) -> Entry:
    found = session.search(base, _GROUP.format(escape_filter_chars(name)), ("cn",))
    if len(found) != 1:
        raise AuthorityError(f"{session.host} has {len(found)} groups named {name} below {base}", permanent=True)
    return found[0]


def _name(group: Entry) -> str:
    return group.attributes["cn"][0].decode()
