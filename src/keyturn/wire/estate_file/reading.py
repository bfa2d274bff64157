"""The tables of the estate file, each as it is read. Read this first: it is the format."""

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from typing import TypeVar

from keyturn.model.accounts import AccountToBe, RealmName, RoleName
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
    RealmKind,
    Site,
    SiteCode,
    SiteKind,
    SiteSystem,
)
from keyturn.model.logon import LogonProtocol
from keyturn.model.policy import RealmPolicy
from keyturn.model.spelling import nearest, shown
from keyturn.wire.estate_file.checks import check
from keyturn.wire.estate_file.document import parse
from keyturn.wire.estate_file.draft import Draft, Entry
from keyturn.wire.estate_file.problems import Findings
from keyturn.wire.estate_file.table import Table
from keyturn.wire.estate_file.values import (
    ABSENCES,
    DURATION,
    INTERVAL,
    NAMES,
    SHARE,
    SWITCH,
    TEXT,
    Kind,
    Wrong,
    one_of,
    whole,
)

T = TypeVar("T")

PRODUCTS = ("sms2003", "configmgr", "generic")
CLIENT_KINDS: Mapping[str, HolderKind] = {
    "legacy": HolderKind.LEGACY_CLIENT,
    "advanced": HolderKind.ADVANCED_CLIENT,
}
LARGEST_GROUP = 1_000_000

_PRODUCT = one_of({product: product for product in PRODUCTS})
_SITE_KIND = one_of({kind.value: kind for kind in SiteKind})
_CLIENT_KIND = one_of(CLIENT_KINDS)
_PROTOCOL = one_of({protocol.value: protocol for protocol in LogonProtocol})
_COUNT = whole(1, LARGEST_GROUP)
_LIMIT = whole(0, 1024)
_PASSWORD_LENGTH = whole(1, 1024)


def read_estate(text: str, *, roles: Collection[str], kinds: Collection[str] | None = ()) -> Estate:
    """`roles` are all roles there are, as `product/slug`; `kinds` the kinds of realm that plug-ins bring, None where
    only the site knows them. Accounts come back as names, in the life PLANNED.

    Raises EstateErrors with every problem at once; a text that is no TOML has one only, its first.
    """
    findings = Findings()
    draft = _draft(Table.outermost(parse(text), findings), roles, kinds)
    findings.extend(check(draft))
    findings.settle()
    return draft.estate()


def _draft(file: Table, roles: Collection[str], kinds: Collection[str] | None) -> Draft:
    product = file.optional("product", _PRODUCT, Estate().product)
    draft = Draft(
        product=product,
        realms=_each(file.tables("realm"), partial(_realm, kind=_realm_kind(kinds))),
        sites=_each(file.tables("site", named_by="code"), _site),
        systems=_each(file.tables("site_system"), _system),
        clients=_each(file.tables("client"), _client),
        groups=_each(file.tables("client_group"), _group),
        accounts=_each(file.tables("account"), _account_in(_role(product, roles))),
        consumers=_each(file.tables("consumer"), _consumer),
    )
    file.close()
    return draft


def _each(tables: Iterable[Table], read: Callable[[Table], T]) -> tuple[Entry[T], ...]:
    entries = []
    for table in tables:
        entries.append(Entry(read(table), table))
        table.close()
    return tuple(entries)


def _realm(table: Table, kind: Kind[str]) -> Realm:
    usual = Realm(RealmName(table.text("name")))
    return Realm(
        name=usual.name,
        kind=table.optional("kind", kind, usual.kind),
        replicas=table.optional("replicas", NAMES, usual.replicas),
        replication_s=table.optional("replication", DURATION, usual.replication_s),
        trusts=tuple(map(RealmName, table.optional("trusts", NAMES, ()))),
        bind_account=table.optional("bind_account", TEXT, None),
        second_bind_account=table.optional("second_bind_account", TEXT, None),
        policy=_policy(table.table("policy")),
        connection=_connection(table.table("connection")),
    )


def _realm_kind(plugged_in: Collection[str] | None) -> Kind[str]:
    known: dict[str, str] = {kind.value: kind for kind in RealmKind}
    return TEXT if plugged_in is None else one_of(known | {kind: kind for kind in plugged_in})


def _connection(table: Table | None) -> tuple[tuple[str, str], ...]:
    """What may stand there is for the realm's kind to say."""
    return tuple(sorted(table.texts().items())) if table is not None else ()


def _policy(table: Table | None) -> RealmPolicy:
    usual = RealmPolicy()
    if table is None:
        return usual
    policy = RealmPolicy(
        lockout_threshold=table.optional("lockout_threshold", _LIMIT, usual.lockout_threshold),
        lockout_window_s=table.optional("lockout_window", DURATION, usual.lockout_window_s),
        lockout_duration_s=table.optional("lockout_duration", DURATION, usual.lockout_duration_s),
        history=table.optional("history", _LIMIT, usual.history),
        grace_s=table.optional("grace", DURATION, usual.grace_s),
        min_length=table.optional("min_length", _LIMIT, usual.min_length),
        complexity=table.optional("complexity", SWITCH, usual.complexity),
        min_age_s=table.optional("min_age", DURATION, usual.min_age_s),
        max_age_s=table.optional("max_age", DURATION, usual.max_age_s),
    )
    table.close()
    return policy


def _site(table: Table) -> Site:
    usual = Site(code=SiteCode(table.text("code")), realm=RealmName(table.text("realm")), server=table.text("server"))
    parent = table.optional("parent", TEXT, None)
    return Site(
        code=usual.code,
        realm=usual.realm,
        server=usual.server,
        kind=table.optional("kind", _SITE_KIND, usual.kind),
        name=table.optional("name", TEXT, usual.name),
        parent=None if parent is None else SiteCode(parent),
        logon_installation=table.optional("logon_installation", SWITCH, usual.logon_installation),
        setup_file=table.optional("setup_file", SWITCH, usual.setup_file),
        setup_accounts=table.optional("setup_accounts", NAMES, usual.setup_accounts),
        stopped_services=table.optional("stopped_services", NAMES, usual.stopped_services),
        recovery_account=table.optional("recovery_account", TEXT, None),
    )


def _system(table: Table) -> SiteSystem:
    return SiteSystem(
        name=table.text("name"),
        site=SiteCode(table.text("site")),
        roles=table.optional("roles", NAMES, ()),
        share=table.optional("share", SHARE, None),
    )


def _client(table: Table) -> Holder:
    name, site = table.text("name"), SiteCode(table.text("site"))
    return _holder(table, name, site, table.required("kind", _CLIENT_KIND, stand_in=HolderKind.LEGACY_CLIENT))


def _group(table: Table) -> ClientGroup:
    """The group's pattern bears the group's own name."""
    like = _client(table)
    return ClientGroup(name=like.name, count=table.required("count", _COUNT, stand_in=1), like=like)


def _consumer(table: Table) -> Consumer:
    name, accounts = table.text("name"), table.required("accounts", NAMES, stand_in=())
    site = table.optional("site", TEXT, None)
    return Consumer(_holder(table, name, None if site is None else SiteCode(site), HolderKind.CONSUMER), accounts)


def _holder(table: Table, name: str, site: SiteCode | None, kind: HolderKind) -> Holder:
    usual = Holder(name, kind)
    return Holder(
        name=name,
        kind=kind,
        site=site,
        habit=_habit(table),
        protocol=table.optional("protocol", _PROTOCOL, usual.protocol),
        gated=table.optional("gated", SWITCH, usual.gated),
        replica=table.optional("replica", TEXT, None),
        max_password_length=table.optional("max_password_length", _PASSWORD_LENGTH, None),
    )


def _habit(table: Table) -> Habit:
    usual = Habit()
    return Habit(
        interval_s=table.optional("interval", INTERVAL, usual.interval_s),
        phase_s=table.optional("phase", DURATION, usual.phase_s),
        absences=table.optional("absences", ABSENCES, usual.absences),
        logon_script_s=table.optional("logon_script", INTERVAL, usual.logon_script_s),
    )


def _account_in(role: Kind[RoleName]) -> Callable[[Table], ManagedAccount]:
    def account(table: Table) -> ManagedAccount:
        name, realm = table.text("name"), RealmName(table.text("realm"))
        return ManagedAccount(
            account=AccountToBe(realm, name),
            role=table.required("role", role, stand_in=RoleName("")),
            sites=tuple(map(SiteCode, table.optional("sites", NAMES, ()))),
            life=AccountLife.PLANNED,
        )

    return account


def _role(product: str, roles: Collection[str]) -> Kind[RoleName]:
    """A role of the file's own product may be written without it: `service` for `sms2003/service`."""
    known = frozenset(roles)
    own = [role.removeprefix(f"{product}/") for role in known if role.startswith(f"{product}/")]
    expected = "a role of the catalogue"
    otherwise = f"keyturn catalogue --product {product} lists them"

    def read(value: object) -> RoleName:
        if not isinstance(value, str):
            raise Wrong(f"{expected}, in quotes", otherwise)
        role = value if "/" in value else f"{product}/{value}"
        if role not in known:
            raise Wrong(f"{expected}, not {shown(value)}", nearest(value, [*own, *known], otherwise))
        return RoleName(role)

    return Kind(expected, read)
