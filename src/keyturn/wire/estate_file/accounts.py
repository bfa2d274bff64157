"""Rules for accounts: their names, the one role each has, and who may share them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from keyturn.model.accounts import canonical
from keyturn.model.estate import ManagedAccount, RealmKind
from keyturn.model.spelling import shown
from keyturn.wire.estate_file.draft import Draft, Entry
from keyturn.wire.estate_file.names import INSIDE_REFERENCES, unknown
from keyturn.wire.estate_file.problems import Problem


@dataclass(frozen=True, slots=True)
class _NameRule:
    longest: int
    forbidden: frozenset[str] = INSIDE_REFERENCES
    in_bytes: bool = False

    def too_long(self, name: str) -> bool:
        return len(name.encode() if self.in_bytes else name) > self.longest


_SAM = frozenset('"/\\[]:;|=,+*?<>')
_NAME_RULES: Mapping[str, _NameRule] = {
    # A sAMAccountName, as the built-in realm's names are. `&` and `#` are legal in it: SMS uses both.
    RealmKind.BUILTIN: _NameRule(20, _SAM),
    RealmKind.ACTIVE_DIRECTORY: _NameRule(20, _SAM),
    # 20 on Windows, 32 on Linux.
    RealmKind.LOCAL: _NameRule(32, _SAM),
    RealmKind.OPENLDAP: _NameRule(256),
    # PostgreSQL cuts a longer name without an error, and then another account is meant.
    RealmKind.POSTGRESQL: _NameRule(63, in_bytes=True),
    RealmKind.MARIADB: _NameRule(80),
    RealmKind.SQL_SERVER: _NameRule(128),
}
_PLUGGED_IN = _NameRule(256)

DOMAINS = frozenset({RealmKind.BUILTIN, RealmKind.ACTIVE_DIRECTORY, RealmKind.OPENLDAP})
"""Realms whose accounts are recognised on many machines, and elsewhere only through a trust. An account of a
database or of one machine is presented to that machine itself, whatever trusts whom."""


def _realms_and_sites(draft: Draft) -> Iterator[Problem]:
    for entry in draft.accounts:
        yield from unknown(entry, "realm", "realm", entry.thing.account.realm, draft.realm_named)
        for index, code in enumerate(entry.thing.sites):
            yield from unknown(entry, "sites", "site", code, draft.site_coded, index)


def _names(draft: Draft) -> Iterator[Problem]:
    for entry in draft.accounts:
        kind, name = draft.kind_of(entry.thing.account.realm), entry.thing.account.name
        if kind is None:
            continue
        rule = _NAME_RULES.get(kind, _PLUGGED_IN)
        if rule.too_long(name):
            unit = "bytes" if rule.in_bytes else "characters"
            yield entry.problem("name", f"has a name longer than the {rule.longest} {unit} of realm kind {kind}")
        if bad := sorted(rule.forbidden & set(name)):
            hint = f"none of {' '.join(sorted(rule.forbidden))} may be in it"
            yield entry.problem("name", f"has {' '.join(bad)} in its name, which realm kind {kind} forbids", hint)


def _one_role(draft: Draft) -> Iterator[Problem]:
    first: dict[tuple[str, str], Entry[ManagedAccount]] = {}
    for entry in draft.accounts:
        account = entry.thing.account
        if not account.name:
            continue
        earlier = first.setdefault((canonical(account.realm), canonical(account.name)), entry)
        if earlier is entry:
            continue
        line = earlier.line("name")
        if earlier.thing.role == entry.thing.role:
            yield entry.problem("name", f"is listed already on line {line}", "list it once, with all its sites")
        else:
            message = f"has a second role, {entry.thing.role}: on line {line} it is {earlier.thing.role}"
            yield entry.problem("role", message, "one account, one role: name another account for it")


def _local_names(draft: Draft) -> Iterator[Problem]:
    """A local password that leaks onto the network is tried on the domain account of that name (Q231399)."""
    in_domains = {
        canonical(entry.thing.account.name): entry
        for entry in draft.accounts
        if entry.thing.account.name and draft.kind_of(entry.thing.account.realm) in DOMAINS
    }
    for entry in draft.accounts:
        if draft.kind_of(entry.thing.account.realm) != RealmKind.LOCAL:
            continue
        if twin := in_domains.get(canonical(entry.thing.account.name)):
            message = f"is local and bears the name of {shown(str(twin.thing.account))} on line {twin.line('name')}"
            hint = "choose another name: the local password would be tried on the domain account and lock it"
            yield entry.problem("name", message, hint)


def _sharing(draft: Draft) -> Iterator[Problem]:
    """All sites that share an account name the same domain and account, so each must be in its realm or trust it."""
    for entry in draft.accounts:
        realm = entry.thing.account.realm
        if draft.kind_of(realm) not in DOMAINS:
            continue
        for index, code in enumerate(entry.thing.sites):
            home = draft.home(code)
            if home is None or home.name == realm or realm in home.trusts:
                continue
            place = shown(home.name)
            message = f"is shared by site {shown(code)} in realm {place}, which does not trust realm {shown(realm)}"
            hint = f"let realm {place} trust it, or give the site an account of its own"
            yield entry.problem("sites", message, hint, index)


RULES: tuple[Callable[[Draft], Iterator[Problem]], ...] = (
    _realms_and_sites,
    _names,
    _one_role,
    _local_names,
    _sharing,
)
