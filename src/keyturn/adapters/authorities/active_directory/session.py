"""One controller, with Keyturn logged on: entries read, entries changed."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias, TypeVar

import ldap
from ldap.controls import LDAPControl
from ldap.controls.libldap import SimplePagedResultsControl
from ldap.ldapobject import SimpleLDAPObject

from keyturn.adapters.authorities.active_directory.formats import sid_text, unicode_password
from keyturn.adapters.authorities.directories.faults import asked
from keyturn.model.secret import Secret

_T = TypeVar("_T")

_SID = re.compile(r"S-1(-\d{1,14}){1,15}")
_PAGE = 1000
"""A controller gives no more at once (`MaxPageSize`)."""

_DACL_ALONE = LDAPControl("1.2.840.113556.1.4.801", True, encodedControlValue=b"\x30\x03\x02\x01\x04")
"""LDAP_SERVER_SD_FLAGS_OID (MS-ADTS 3.1.1.3.4.1.11): without it the audit part is asked for too, and refused."""

Value: TypeAlias = bytes | Secret
"""A password stays a Secret until it is sent, so that no frame of ours holds it."""
Change: TypeAlias = tuple[int, str, Value]
"""What to do (`ldap.MOD_…`), with which attribute, with which value."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Attributes by their names in small letters."""

    dn: str
    values: Mapping[str, Sequence[bytes]]

    def raw(self, name: str) -> bytes:
        found = self.values.get(name.lower())
        return found[0] if found else b""

    def text(self, name: str) -> str:
        return self.raw(name).decode()

    def texts(self, name: str) -> tuple[str, ...]:
        return tuple(value.decode() for value in self.values.get(name.lower(), ()))

    def number(self, name: str) -> int:
        """0 where it is not set, as the directory itself reckons."""
        return int(self.raw(name) or 0)


class Session:
    def __init__(self, connection: SimpleLDAPObject, host: str, base: str) -> None:
        self._connection = connection
        self.host = host
        self.base = base

    def identity(self, sid: str, attributes: Iterable[str]) -> Entry | None:
        """The account with this identity, whatever its name and place."""
        return self.read(f"<SID={sid}>", attributes) if _SID.fullmatch(sid) else None

    def identified(self, sids: Iterable[str], attributes: Iterable[str]) -> dict[str, Entry]:
        """By their identities, which `attributes` ask for, whichever of them are there: one reading for all."""
        wanted = [f"(objectSid={sid})" for sid in sids if _SID.fullmatch(sid)]
        found = self.search(f"(|{''.join(wanted)})", attributes) if wanted else []
        return {sid_text(entry.raw("objectSid")): entry for entry in found}

    def read(self, dn: str, attributes: Iterable[str]) -> Entry | None:
        """None where it is not, or not for our eyes: the directory does not tell these apart."""
        found = self._search(dn, ldap.SCOPE_BASE, "(objectClass=*)", attributes)
        return found[0] if found else None

    def identities(self) -> tuple[str, ...]:
        """Those of our own logon: its own, then of every group that it is in by whatever way."""

        def look() -> list[Any]:
            found: list[Any] = self._connection.search_s("", ldap.SCOPE_BASE, attrlist=["tokenGroups"])
            return found

        [(_, root)] = self._asked("reading who we are", look)
        return tuple(sid_text(raw) for raw in root.get("tokenGroups", ()))

    def descriptor(self, dn: str) -> bytes:
        """Who may do what to this entry (its DACL alone); empty where that is not for our eyes."""

        def look() -> list[Any]:
            try:
                found: list[Any] = self._connection.search_ext_s(
                    dn, ldap.SCOPE_BASE, attrlist=["nTSecurityDescriptor"], serverctrls=[_DACL_ALONE]
                )
            except ldap.NO_SUCH_OBJECT:
                return []
            return found

        found = list(_entries(self._asked("reading the directory", look)))
        return found[0].raw("nTSecurityDescriptor") if found else b""

    def search(self, condition: str, attributes: Iterable[str]) -> list[Entry]:
        """In the whole domain. `condition` is a filter whose values are escaped."""
        return self._search(self.base, ldap.SCOPE_SUBTREE, condition, attributes)

    def every(self, base: str, condition: str, attributes: Iterable[str]) -> Iterator[Entry]:
        """However many there are at `base` and below, a page at a time (RFC 2696). Nothing where there is no base."""
        cookie, wanted = b"", list(attributes)
        while True:
            page = SimplePagedResultsControl(True, size=_PAGE, cookie=cookie)
            read, controls = self._asked("reading the directory", partial(self._page, base, condition, wanted, page))
            yield from _entries(read)
            cookie = next((c.cookie for c in controls if c.controlType == page.controlType), b"")
            if not cookie:
                return

    def add(self, doing: str, dn: str, attributes: Sequence[tuple[str, Value]]) -> None:
        self._asked(doing, lambda: self._connection.add_s(dn, [(name, _sent(value)) for name, value in attributes]))

    def modify(self, doing: str, dn: str, *changes: Change) -> None:
        self._asked(
            doing, lambda: self._connection.modify_s(dn, [(what, name, _sent(value)) for what, name, value in changes])
        )

    def has_member(self, doing: str, group: str, member: str) -> None:
        """Put `member` into `group`, where it is not in it yet."""

        def put() -> None:
            with suppress(ldap.TYPE_OR_VALUE_EXISTS, ldap.ALREADY_EXISTS):
                self._connection.modify_s(group, [(ldap.MOD_ADD, "member", [member.encode()])])

        self._asked(doing, put)

    def delete(self, doing: str, dn: str) -> None:
        """What is gone already is no error."""

        def gone() -> None:
            with suppress(ldap.NO_SUCH_OBJECT):
                self._connection.delete_s(dn)

        self._asked(doing, gone)

    def _search(self, base: str, scope: int, condition: str, attributes: Iterable[str]) -> list[Entry]:
        def look() -> list[Any]:
            try:
                found: list[Any] = self._connection.search_s(base, scope, condition, list(attributes))
            except ldap.NO_SUCH_OBJECT:
                return []
            return found

        return list(_entries(self._asked("reading the directory", look)))

    def _page(
        self, base: str, condition: str, attributes: list[str], page: SimplePagedResultsControl
    ) -> tuple[list[Any], list[Any]]:
        try:
            asked_as = self._connection.search_ext(base, ldap.SCOPE_SUBTREE, condition, attributes, serverctrls=[page])
            _, read, _, controls = self._connection.result3(asked_as)
        except ldap.NO_SUCH_OBJECT:
            return [], []
        return read, controls

    def _asked(self, doing: str, ask: Callable[[], _T]) -> _T:
        return asked(f"{doing} on {self.host}", ask)


def base_of(connection: SimpleLDAPObject, host: str) -> str:
    """The distinguished name of the domain, which a controller tells everybody."""
    found = asked(
        f"connecting to {host}", lambda: connection.search_s("", ldap.SCOPE_BASE, attrlist=["defaultNamingContext"])
    )
    return str(found[0][1]["defaultNamingContext"][0], "utf-8")


def _entries(found: Iterable[Any]) -> Iterator[Entry]:
    """An answer without a name points at another domain, which is not ours to ask."""
    return (Entry(dn, {name.lower(): values for name, values in read.items()}) for dn, read in found if dn)


def _sent(value: Value) -> list[bytes]:
    return [unicode_password(value) if isinstance(value, Secret) else value]
