"""One connection to one server: entries read, entries changed, one login tried."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias, TypeVar

import ldap
from ldap.controls.libldap import SimplePagedResultsControl
from ldap.controls.ppolicy import PasswordPolicyControl
from ldap.controls.simple import RelaxRulesControl
from ldap.ldapobject import SimpleLDAPObject

from keyturn.adapters.authorities.directories.faults import asked
from keyturn.model.errors import AuthorityError
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret

_T = TypeVar("_T")

_BARRED: dict[int | None, Answer] = {
    0: Answer.PASSWORD_EXPIRED,
    1: Answer.LOCKED,
    2: Answer.MUST_CHANGE,
}
"""The errors of the password policy control (draft-behera-ldap-password-policy, section 6.2) that bar a logon. 0 and 2
come after the right password only; 1 comes only where the server has `ppolicy_use_lockout`."""

_PAGE = 500

Attributes: TypeAlias = Mapping[str, Sequence[bytes]]
_Change: TypeAlias = tuple[int, str, bytes | None]


@dataclass(frozen=True, slots=True)
class Entry:
    dn: str
    attributes: Attributes


class Session:
    """Bound as Keyturn. Each verb is one operation."""

    def __init__(self, connection: SimpleLDAPObject, host: str) -> None:
        self._connection = connection
        self.host = host

    def search(self, base: str, condition: str, attributes: Sequence[str]) -> tuple[Entry, ...]:
        """At `base` and below. A base that is not there, or that Keyturn may not see, is an AuthorityError."""

        def look() -> list[Any] | None:
            try:
                found: list[Any] = self._connection.search_s(base, ldap.SCOPE_SUBTREE, condition, list(attributes))
            except ldap.NO_SUCH_OBJECT:
                return None
            return found

        found = self._asked(f"cannot search below {base}", look)
        if found is None:
            raise AuthorityError(f"{self.host}: {base} is not there, or Keyturn's login may not see it", permanent=True)
        return tuple(Entry(dn, values) for dn, values in found if dn)

    def every(self, base: str, condition: str, attributes: Sequence[str]) -> Iterator[Entry]:
        """However many there are at `base` and below, a page at a time (RFC 2696)."""
        cookie, wanted = b"", list(attributes)
        while True:
            page = SimplePagedResultsControl(True, size=_PAGE, cookie=cookie)
            answered = self._asked(
                f"cannot list what is below {base}", partial(self._page, base, condition, wanted, page)
            )
            if answered is None:
                raise AuthorityError(
                    f"{self.host} does not show Keyturn all entries below {base}",
                    permanent=True,
                    hint="olcLimits of the database: size.prtotal=unlimited for Keyturn's login",
                )
            found, controls = answered
            yield from (Entry(dn, values) for dn, values in found if dn)
            cookie = next((c.cookie for c in controls if c.controlType == page.controlType), b"")
            if not cookie:
                return

    def add(self, dn: str, attributes: Attributes) -> None:
        wanted = [(name, list(values)) for name, values in attributes.items()]
        self._asked(f"cannot add {dn}", lambda: self._connection.add_s(dn, wanted))

    def replace(self, dn: str, attributes: Mapping[str, bytes | None], *, relax: bool = False) -> None:
        """None takes an attribute away, and is no error where there is none. `relax`: attributes that are the
        server's own too (draft-zeilenga-ldap-relax)."""
        self._change(
            dn,
            *((ldap.MOD_REPLACE, *change) for change in attributes.items()),
            controls=[RelaxRulesControl(True)] if relax else None,
        )

    def add_value(self, dn: str, name: str, value: str) -> None:
        self._change(dn, (ldap.MOD_ADD, name, value.encode()))

    def remove_value(self, dn: str, name: str, value: str) -> None:
        self._change(dn, (ldap.MOD_DELETE, name, value.encode()))

    def rename(self, dn: str, rdn: str) -> None:
        self._asked(f"cannot rename {dn} to {rdn}", lambda: self._connection.rename_s(dn, rdn, delold=1))

    def delete(self, dn: str) -> None:
        self._asked(f"cannot delete {dn}", lambda: self._connection.delete_s(dn))

    def set_password(self, dn: str, secret: Secret) -> None:
        """RFC 3062: the server makes the hash itself, so that neither its audit log nor its replication ever has
        the clear password, whatever `ppolicy_hash_cleartext` says."""
        self._asked(f"cannot set the password of {dn}", lambda: self._connection.passwd_s(dn, None, secret.reveal()))

    def _page(
        self, base: str, condition: str, attributes: list[str], page: SimplePagedResultsControl
    ) -> tuple[list[Any], list[Any]] | None:
        """None where the server has a limit."""
        try:
            asked_as = self._connection.search_ext(base, ldap.SCOPE_SUBTREE, condition, attributes, serverctrls=[page])
            _, found, _, controls = self._connection.result3(asked_as)
        except ldap.SIZELIMIT_EXCEEDED:
            return None
        return found, controls

    def _change(self, dn: str, *changes: _Change, controls: list[RelaxRulesControl] | None = None) -> None:
        self._asked(
            f"cannot change {dn}", lambda: self._connection.modify_ext_s(dn, list(changes), serverctrls=controls)
        )

    def _asked(self, doing: str, ask: Callable[[], _T]) -> _T:
        return asked(f"{self.host} {doing}", ask)


def bind(connection: SimpleLDAPObject, host: str, dn: str, secret: Secret) -> Answer:
    """What the server says to this login. An account that it has locked gets WRONG_PASSWORD from most servers."""
    if not secret.reveal():
        return Answer.WRONG_PASSWORD  # on the wire it would be the anonymous login, which is accepted
    return asked(f"{host} cannot log on as {dn}", lambda: _answer(connection, dn, secret))


def _answer(connection: SimpleLDAPObject, dn: str, secret: Secret) -> Answer:
    try:
        asked_as = connection.simple_bind(dn, secret.reveal(), serverctrls=[PasswordPolicyControl()])
        *_, controls = connection.result3(asked_as)
    except ldap.INVALID_CREDENTIALS as refused:
        return _BARRED.get(_policy_error(refused.args[0].get("ctrls", ())), Answer.WRONG_PASSWORD)
    errors = [control.error for control in controls if isinstance(control, PasswordPolicyControl)]
    return _BARRED.get(errors[0], Answer.ACCEPTED) if errors else Answer.ACCEPTED


def _policy_error(raw: Sequence[tuple[str, int, bytes]]) -> int | None:
    """An exception of python-ldap has the controls of the answer undecoded."""
    for oid, _, value in raw:
        if oid == PasswordPolicyControl.controlType:
            control = PasswordPolicyControl()
            control.decodeControlValue(value)
            return None if control.error is None else int(control.error)
    return None
