"""An estate as a file that people can edit: groups stay groups, and what is usual is left out."""

from collections.abc import Iterable
from typing import Final, TypeAlias

import tomlkit
from tomlkit.items import Item

from keyturn.model.estate import (
    AccountLife,
    ClientGroup,
    Consumer,
    Estate,
    Habit,
    Holder,
    HolderKind,
    ManagedAccount,
    Realm,
    Site,
    SiteSystem,
)
from keyturn.model.policy import RealmPolicy
from keyturn.wire.estate_file.reading import CLIENT_KINDS
from keyturn.wire.estate_file.values import UNITS

_Value: TypeAlias = str | bool | int | float | Iterable[str] | Iterable[Iterable[str | float | None]]
_Field: TypeAlias = tuple[str, _Value | None] | tuple[str, _Value | None, _Value | None]
"""A key, its value, and the value that need not be written; None never is."""

_CLIENT_WORDS: Final = {kind: word for word, kind in CLIENT_KINDS.items()}


def write_estate(estate: Estate) -> str:
    """The text from which `read_estate` makes the same realms, sites, holders and accounts.

    Identities, lives, generations and holdings are not in the file, so accounts come back as names. A deleted
    account is left out: read again, it would be made anew.
    """
    accounts = [managed for managed in estate.accounts if managed.life is not AccountLife.DELETED]
    blocks = (
        _block("", [("product", estate.product)]),
        *(block for realm in estate.realms for block in _realm(realm)),
        *(_block("[[site]]", _site(site)) for site in estate.sites),
        *(_block("[[site_system]]", _system(system)) for system in estate.systems),
        *(_block("[[account]]", _account(managed, estate.product)) for managed in accounts),
        *(_block("[[client_group]]", _group(group)) for group in estate.groups),
        *(_block("[[client]]", _client(client)) for client in estate.clients),
        *(_block("[[consumer]]", _consumer(consumer)) for consumer in estate.consumers),
    )
    return "\n".join(blocks)


def _realm(realm: Realm) -> Iterable[str]:
    usual = Realm(realm.name)
    yield _block(
        "[[realm]]",
        [
            ("name", realm.name),
            ("kind", str(realm.kind), str(usual.kind)),
            ("replicas", realm.replicas, usual.replicas),
            ("replication", in_units(realm.replication_s), in_units(usual.replication_s)),
            ("trusts", realm.trusts, usual.trusts),
            ("bind_account", realm.bind_account),
            ("second_bind_account", realm.second_bind_account),
        ],
    )
    if realm.policy != usual.policy:
        yield _block("[realm.policy]", _policy(realm.policy))
    if realm.connection:
        yield _block("[realm.connection]", list(realm.connection))


def _policy(policy: RealmPolicy) -> Iterable[_Field]:
    usual = RealmPolicy()
    return [
        ("lockout_threshold", policy.lockout_threshold, usual.lockout_threshold),
        ("lockout_window", in_units(policy.lockout_window_s), in_units(usual.lockout_window_s)),
        ("lockout_duration", in_units(policy.lockout_duration_s), in_units(usual.lockout_duration_s)),
        ("history", policy.history, usual.history),
        ("grace", in_units(policy.grace_s), in_units(usual.grace_s)),
        ("min_length", policy.min_length, usual.min_length),
        ("complexity", policy.complexity, usual.complexity),
        ("min_age", in_units(policy.min_age_s), in_units(usual.min_age_s)),
        ("max_age", in_units(policy.max_age_s), in_units(usual.max_age_s)),
    ]


def _site(site: Site) -> Iterable[_Field]:
    usual = Site(site.code, site.realm, site.server)
    return [
        ("code", site.code),
        ("realm", site.realm),
        ("server", site.server),
        ("kind", site.kind.value, usual.kind.value),
        ("name", site.name, usual.name),
        ("parent", site.parent),
        ("logon_installation", site.logon_installation, usual.logon_installation),
        ("setup_file", site.setup_file, usual.setup_file),
        ("setup_accounts", site.setup_accounts, usual.setup_accounts),
        ("stopped_services", site.stopped_services, usual.stopped_services),
        ("recovery_account", site.recovery_account),
    ]


def _system(system: SiteSystem) -> Iterable[_Field]:
    return [("name", system.name), ("site", system.site), ("roles", system.roles, ()), ("share", system.share)]


def _account(managed: ManagedAccount, product: str) -> Iterable[_Field]:
    return [
        ("name", managed.account.name),
        ("realm", managed.account.realm),
        ("role", managed.role.removeprefix(f"{product}/")),
        ("sites", managed.sites, ()),
    ]


def _group(group: ClientGroup) -> Iterable[_Field]:
    return [
        ("name", group.name),
        ("site", group.like.site),
        ("kind", _CLIENT_WORDS.get(group.like.kind)),
        ("count", group.count),
        *_holder(group.like),
    ]


def _client(client: Holder) -> Iterable[_Field]:
    return [
        ("name", client.name),
        ("site", client.site),
        ("kind", _CLIENT_WORDS.get(client.kind)),
        *_holder(client),
    ]


def _consumer(consumer: Consumer) -> Iterable[_Field]:
    holder = consumer.holder
    return [("name", holder.name), ("accounts", consumer.accounts), ("site", holder.site), *_holder(holder)]


def _holder(holder: Holder) -> Iterable[_Field]:
    usual = Holder(holder.name, HolderKind.CONSUMER)
    yield from _habit(holder.habit)
    yield "protocol", holder.protocol.value, usual.protocol.value
    yield "gated", holder.gated, usual.gated
    yield "replica", holder.replica
    yield "max_password_length", holder.max_password_length


def _habit(habit: Habit) -> Iterable[_Field]:
    usual = Habit()
    yield "interval", in_units(habit.interval_s), in_units(usual.interval_s)
    yield "phase", in_units(habit.phase_s)
    yield "absences", [[in_units(a.from_s), in_units(a.until_s)] for a in habit.absences], []
    yield "logon_script", in_units(habit.logon_script_s)


def _block(header: str, fields: Iterable[_Field]) -> str:
    lines = [header] if header else []
    for key, value, *usual in fields:
        if value is not None and [value] != usual:
            lines.append(f"{key} = {_item(value).as_string()}")
    return "\n".join(lines) + "\n"


def _item(value: _Value | None) -> Item:
    if isinstance(value, str) and "\\" in value and "'" not in value:
        return tomlkit.string(value, literal=True)
    if isinstance(value, tuple | list):
        return tomlkit.item([_item(element) for element in value])
    return tomlkit.item(value)


def in_units(seconds: float | None) -> str | float | None:
    """In the largest unit that makes a whole number of it; else the seconds as they are."""
    if seconds is None:
        return None
    for unit, length in sorted(UNITS.items(), key=lambda pair: -pair[1]):
        if seconds % length == 0 and (seconds >= length or length == 1):
            return f"{int(seconds // length)} {unit}"
    return seconds
