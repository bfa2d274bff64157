"""One connection to one server, and the one place where python-ldap's errors become ours."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import ldap
from ldap.controls.libldap import SimplePagedResultsControl
from ldap.controls.ppolicy import PasswordPolicyControl
from ldap.controls.simple import RelaxRulesControl

from keyturn.adapters.authorities.openldap.settings import Settings
from keyturn.adapters.authorities.openldap.tunnel import OPERATION_S, tunnel
from keyturn.model.errors import AuthorityError, NotFound
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret

_PASSING = (
    ldap.SERVER_DOWN,
    ldap.CONNECT_ERROR,
    ldap.TIMEOUT,
    ldap.TIMELIMIT_EXCEEDED,
    ldap.ADMINLIMIT_EXCEEDED,
    ldap.BUSY,
    ldap.UNAVAILABLE,
)

_BARRED: dict[int | None, Answer] = {
    0: Answer.PASSWORD_EXPIRED,
    1: Answer.LOCKED,
    2: Answer.MUST_CHANGE,
}
"""The errors of the password policy control (draft-behera-ldap-password-policy, section 6.2) that bar a logon. 0 and 2
come after the right password only; 1 comes only where the server has `ppolicy_use_lockout`."""

_PAGE = 500

Attributes: TypeAlias = Mapping[str, Sequence[bytes]]


@dataclass(frozen=True, slots=True)
class Entry:
    dn: str
    attributes: Attributes


class Session:
    """Bound as Keyturn. Each verb is one operation."""

    def __init__(self, connection: Any, host: str) -> None:
        self._connection = connection
        self.host = host

    def search(self, base: str, condition: str, attributes: Sequence[str]) -> tuple[Entry, ...]:
        """At `base` and below. A base that is not there, or that Keyturn may not see, is an AuthorityError."""
        with translated(self.host, f"cannot search below {base}"):
            try:
                found = self._connection.search_s(base, ldap.SCOPE_SUBTREE, condition, list(attributes))
            except ldap.NO_SUCH_OBJECT:
                raise AuthorityError(
                    f"{self.host}: {base} is not there, or Keyturn's login may not see it", permanent=True
                ) from None
        return tuple(Entry(dn, values) for dn, values in found if dn)

    def every(self, base: str, condition: str, attributes: Sequence[str]) -> Iterator[Entry]:
        """However many there are at `base` and below, a page at a time (RFC 2696)."""
        cookie = b""
        while True:
            page = SimplePagedResultsControl(True, size=_PAGE, cookie=cookie)
            with translated(self.host, f"cannot list what is below {base}"):
                try:
                    asked = self._connection.search_ext(
                        base, ldap.SCOPE_SUBTREE, condition, list(attributes), serverctrls=[page]
                    )
                    _, found, _, controls = self._connection.result3(asked, timeout=OPERATION_S)
                except ldap.SIZELIMIT_EXCEEDED:
                    raise AuthorityError(
                        f"{self.host} does not show Keyturn all entries below {base}",
                        permanent=True,
                        hint="olcLimits of the database: size.prtotal=unlimited for Keyturn's login",
                    ) from None
            yield from (Entry(dn, values) for dn, values in found if dn)
            cookie = next((c.cookie for c in controls if c.controlType == page.controlType), b"")
            if not cookie:
                return

    def add(self, dn: str, attributes: Attributes) -> None:
        with translated(self.host, f"cannot add {dn}"):
            self._connection.add_s(dn, [(name, list(values)) for name, values in attributes.items()])

    def replace(self, dn: str, attributes: Mapping[str, bytes | None], *, relax: bool = False) -> None:
        """None takes an attribute away, and is no error where there is none. `relax`: attributes that are the
        server's own too (draft-zeilenga-ldap-relax)."""
        changes = [(ldap.MOD_REPLACE, name, value) for name, value in attributes.items()]
        with translated(self.host, f"cannot change {dn}"):
            self._connection.modify_ext_s(dn, changes, serverctrls=[RelaxRulesControl(True)] if relax else None)

    def add_value(self, dn: str, name: str, value: str) -> None:
        with translated(self.host, f"cannot change {dn}"):
            self._connection.modify_s(dn, [(ldap.MOD_ADD, name, value.encode())])

    def remove_value(self, dn: str, name: str, value: str) -> None:
        with translated(self.host, f"cannot change {dn}"):
            self._connection.modify_s(dn, [(ldap.MOD_DELETE, name, value.encode())])

    def rename(self, dn: str, rdn: str) -> None:
        with translated(self.host, f"cannot rename {dn} to {rdn}"):
            self._connection.rename_s(dn, rdn, delold=1)

    def delete(self, dn: str) -> None:
        with translated(self.host, f"cannot delete {dn}"):
            self._connection.delete_s(dn)

    def set_password(self, dn: str, secret: Secret) -> None:
        """RFC 3062: the server makes the hash itself, so that neither its audit log nor its replication ever has
        the clear password, whatever `ppolicy_hash_cleartext` says."""
        with translated(self.host, f"cannot set the password of {dn}"):
            self._connection.passwd_s(dn, None, secret.reveal())


@contextmanager
def connected(settings: Settings, host: str) -> Iterator[Any]:
    """Nobody is bound yet; the server's certificate is proven."""
    with tunnel(settings, host) as ours:
        with translated(host, "cannot connect"):
            connection = ldap.initialize("ldap://", fileno=ours.detach())
            connection.set_option(ldap.OPT_PROTOCOL_VERSION, 3)
            connection.set_option(ldap.OPT_REFERRALS, ldap.OPT_OFF)
            connection.timeout = OPERATION_S
        try:
            yield connection
        finally:
            connection.unbind_ext_s()


def bind(connection: Any, host: str, dn: str, secret: Secret) -> Answer:
    """What the server says to this login. An account that it has locked gets WRONG_PASSWORD from most servers."""
    if not secret.reveal():
        return Answer.WRONG_PASSWORD  # on the wire it would be the anonymous login, which is accepted
    with translated(host, f"cannot log on as {dn}"):
        try:
            number = connection.simple_bind(dn, secret.reveal(), serverctrls=[PasswordPolicyControl()])
            *_, controls = connection.result3(number, timeout=OPERATION_S)
        except ldap.INVALID_CREDENTIALS as refused:
            return _BARRED.get(_policy_error(refused.args[0].get("ctrls", ())), Answer.WRONG_PASSWORD)
    errors = [control.error for control in controls if isinstance(control, PasswordPolicyControl)]
    return _BARRED.get(errors[0], Answer.ACCEPTED) if errors else Answer.ACCEPTED


@contextmanager
def translated(host: str, doing: str) -> Iterator[None]:
    try:
        yield
    except ldap.NO_SUCH_OBJECT:
        raise NotFound(f"{host} {doing}: it is not there") from None
    except ldap.LDAPError as error:
        raise AuthorityError(f"{host} {doing}: {_words(error)}", permanent=not isinstance(error, _PASSING)) from None


def _words(error: ldap.LDAPError) -> str:
    """The server's own, which name attributes and rules and never a value of ours."""
    said = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
    words = [str(said[key]) for key in ("desc", "info") if said.get(key)]
    return ": ".join(words) or type(error).__name__


def _policy_error(raw: Sequence[tuple[str, int, bytes]]) -> int | None:
    """An exception of python-ldap has the controls of the answer undecoded."""
    for oid, _, value in raw:
        if oid == PasswordPolicyControl.controlType:
            control = PasswordPolicyControl()
            control.decodeControlValue(value)
            return None if control.error is None else int(control.error)
    return None
