"""Every realm of the estate, each opened when it is first asked for."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from keyturn.adapters.authorities.plugins import plugged_in
from keyturn.adapters.authorities.reaching import Login, Maker
from keyturn.lifecycle.ports import Authority
from keyturn.model.accounts import RealmName, canonical
from keyturn.model.errors import NotFound, Refused
from keyturn.model.estate import Estate, Realm, RealmKind

_KINDS: dict[str, tuple[str, str | None]] = {
    RealmKind.ACTIVE_DIRECTORY: ("active_directory.authority", "directory"),
    RealmKind.OPENLDAP: ("openldap.authority", "directory"),
    RealmKind.POSTGRESQL: ("postgresql.authority", "postgresql"),
    RealmKind.MARIADB: ("mariadb.authority", "mariadb"),
    RealmKind.SQL_SERVER: ("sql_server.authority", None),
    RealmKind.LOCAL: ("local_accounts.authority", None),
}
"""The module that opens a realm of this kind, and the extra that brings what it needs. Every other kind is a
plug-in's."""


@dataclass(frozen=True, slots=True)
class _Opened:
    realm: Realm
    authority: Authority


class Realms:
    """`estate` is asked again once `edition` has risen. `login` says with what Keyturn reaches a realm now."""

    def __init__(
        self,
        edition: Callable[[], int],
        estate: Callable[[], Estate],
        builtin: Callable[[str], Authority],
        login: Callable[[Realm], Login],
    ) -> None:
        self._edition = edition
        self._estate = estate
        self._builtin = builtin
        self._login = login
        self._known: tuple[int, dict[str, Realm]] = (-1, {})
        self._open: dict[str, _Opened] = {}
        self._turn = threading.Lock()

    def __call__(self, name: str) -> Authority:
        """NotFound for a realm that the estate does not have; Refused for one whose settings say too little."""
        with self._turn:
            realm = self._realm(name)
            if realm is None or realm.kind == RealmKind.BUILTIN:
                return self._builtin(name)
            opened = self._open.get(canonical(name))
            if opened is None or opened.realm != realm:
                opened = self._open[canonical(name)] = _Opened(realm, _open(realm, lambda: self._login(realm)))
            return opened.authority

    def is_builtin(self, name: str) -> bool:
        """Also of a name that the estate does not have."""
        with self._turn:
            realm = self._realm(name)
        return realm is None or realm.kind == RealmKind.BUILTIN

    def reached_by(self, name: str, login: Login) -> Authority:
        """The realm by another login, which is not kept."""
        with self._turn:
            realm = self._realm(name)
        if realm is None:
            raise NotFound(f"no realm {name} in the estate")
        return self._builtin(name) if realm.kind == RealmKind.BUILTIN else _open(realm, lambda: login)

    def _realm(self, name: str) -> Realm | None:
        edition = self._edition()
        if edition != self._known[0]:
            self._known = edition, {canonical(realm.name): realm for realm in self._estate().realms}
        return self._known[1].get(canonical(name))


def refuse_unreachable(estate: Estate) -> None:
    """Refused for the first realm whose settings are wrong, before an estate is taken in. Connects to nothing. A realm
    that says nothing of its connection is reckoned with, and not reached."""
    for realm in estate.realms:
        if realm.connection and realm.kind != RealmKind.BUILTIN:
            _open(realm, lambda name=realm.name: _nobody(name))  # type: ignore[misc]


def _nobody(realm: RealmName) -> Login:
    raise AssertionError(f"a connection to {realm} was opened to read its settings")


def maker_of(kind: str) -> Maker:
    """Refused where what it needs is not installed."""
    if kind not in _KINDS:
        return plugged_in(kind)
    module, extra = _KINDS[kind]
    try:
        maker: Maker = import_module(f"keyturn.adapters.authorities.{module}").open_authority
    except ModuleNotFoundError as missing:
        hint = f"pip install 'keyturn[{extra}]'" if extra else ""
        raise Refused(f"{missing.name} is not installed", hint) from None
    return maker


def _open(realm: Realm, login: Callable[[], Login]) -> Authority:
    try:
        maker = maker_of(realm.kind)
    except Refused as refused:
        said = f"realm {realm.name} is of kind {realm.kind}, and {refused.message}"
        raise Refused(said, refused.hint) from refused.__cause__
    return maker(realm, login)
