"""Hypothesis strategies for estates that keep every rule, and so can be imported."""

import string
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import strategies as st

from keyturn.model.accounts import AccountToBe, RealmName, RoleName, canonical
from keyturn.model.estate import (
    Absence,
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

ROLES = ("sms2003/service", "sms2003/database", "generic/service")

durations = st.one_of(
    st.just(0.0),
    st.integers(1, 100_000).map(float),
    st.integers(1, 400).map(lambda days: days * 86400.0),
    st.floats(0, 3e9, allow_nan=False),
)
intervals = durations.map(lambda seconds: max(seconds, 0.1))
printable = st.characters(exclude_categories=("C", "Z"), include_characters=" ")
texts = st.text(printable, min_size=1, max_size=12).map(str.strip).filter(bool)
words = st.text(string.ascii_letters + string.digits + "&#'$-. é", min_size=1, max_size=17).map(str.strip).filter(bool)
codes = st.text(string.ascii_uppercase + string.digits, min_size=3, max_size=3).filter(
    lambda code: code not in ("AUX", "CON", "NUL", "PRN")
)

absences = (
    st.tuples(durations, durations)
    .filter(lambda pair: pair[0] != pair[1])
    .map(lambda pair: Absence(min(pair), max(pair)))
)
habits = st.builds(
    Habit,
    interval_s=intervals,
    phase_s=st.none() | durations,
    absences=st.lists(absences, max_size=2).map(tuple),
    logon_script_s=st.none() | intervals,
)
policies = st.builds(
    RealmPolicy,
    lockout_threshold=st.integers(0, 20),
    lockout_window_s=durations,
    lockout_duration_s=durations,
    history=st.integers(0, 30),
    grace_s=durations,
    min_length=st.integers(0, 20),
    complexity=st.booleans(),
    min_age_s=durations,
    max_age_s=durations,
)


def different(names: st.SearchStrategy[str], most: int, least: int = 0) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(names, min_size=least, max_size=most, unique_by=canonical).map(tuple)


@st.composite
def estates(draw: st.DrawFn) -> Estate:
    realms = draw(some_realms())
    sites = draw(some_sites(realms))
    accounts = draw(some_accounts(realms, sites))
    realms, sites = draw(leaning_realms(realms, accounts)), draw(leaning_sites(sites, accounts))
    clients: list[Holder] = []
    groups: list[ClientGroup] = []
    consumers: list[Consumer] = []
    # The full stop at the end keeps a name from being that of a group's member.
    for name in draw(different(texts.map(lambda text: f"{text}."), most=8)):
        kind = draw(st.sampled_from(["client", "group", "consumer"] if sites else ["consumer"]))
        if kind == "consumer":
            consumers.append(draw(a_consumer(name, realms, sites, accounts)))
        elif kind == "client":
            clients.append(draw(a_client(name, realms, sites)))
        else:
            groups.append(ClientGroup(name, draw(st.integers(1, 1000)), draw(a_client(name, realms, sites))))
    return Estate(
        product=draw(st.sampled_from(["sms2003", "generic"])),
        realms=realms,
        sites=sites,
        systems=draw(some_systems(sites)),
        clients=tuple(clients),
        groups=tuple(groups),
        consumers=tuple(consumers),
        accounts=accounts,
    )


@st.composite
def some_realms(draw: st.DrawFn) -> tuple[Realm, ...]:
    names = [RealmName(name) for name in draw(different(words, most=3))]
    return tuple(
        Realm(
            name=name,
            kind=draw(st.sampled_from(RealmKind)),
            replicas=draw(different(texts, least=1, most=3)),
            replication_s=draw(durations),
            trusts=tuple(other for other in names if other != name and draw(st.booleans())),
            policy=draw(policies),
        )
        for name in names
    )


@st.composite
def some_sites(draw: st.DrawFn, realms: Sequence[Realm]) -> tuple[Site, ...]:
    """A tree: each site at the top or below an earlier one that is not secondary; the first may be the central one."""
    sites: list[Site] = []
    for code in draw(different(codes, most=4)) if realms else ():
        above = [site.code for site in sites if site.kind is not SiteKind.SECONDARY]
        parent = draw(st.none() | st.sampled_from(above)) if above else None
        kinds = [SiteKind.PRIMARY]
        kinds += [] if sites else [SiteKind.CENTRAL]
        kinds += [SiteKind.SECONDARY] if parent else []
        site = Site(
            code=SiteCode(code),
            realm=draw(st.sampled_from(realms)).name,
            server=draw(texts),
            kind=draw(st.sampled_from(kinds)),
            name=draw(st.just("") | texts),
            parent=parent,
            logon_installation=draw(st.booleans()),
            stopped_services=draw(different(texts, most=2)),
        )
        sites.append(site)
    return tuple(sites)


@st.composite
def some_systems(draw: st.DrawFn, sites: Sequence[Site]) -> tuple[SiteSystem, ...]:
    names = draw(different(texts, most=2)) if sites else ()
    return tuple(SiteSystem(name, draw(st.sampled_from(sites)).code, draw(different(texts, most=2))) for name in names)


@st.composite
def some_accounts(draw: st.DrawFn, realms: Sequence[Realm], sites: Sequence[Site]) -> tuple[ManagedAccount, ...]:
    """The number before each name keeps a local one from being that of a domain account."""
    accounts = []
    for number, name in enumerate(draw(different(words, most=3)) if realms else ()):
        realm = draw(st.sampled_from(realms)).name
        accepting = {home.name for home in realms if realm == home.name or realm in home.trusts}
        accounts.append(
            ManagedAccount(
                account=AccountToBe(realm, f"{number}{name}"),
                role=RoleName(draw(st.sampled_from(ROLES))),
                sites=tuple(site.code for site in sites if site.realm in accepting and draw(st.booleans())),
                life=AccountLife.PLANNED,
            )
        )
    return tuple(accounts)


@st.composite
def leaning_realms(draw: st.DrawFn, realms: Sequence[Realm], accounts: Sequence[ManagedAccount]) -> tuple[Realm, ...]:
    return tuple(
        replace(realm, bind_account=draw(a_reference(accounts)), second_bind_account=draw(a_reference(accounts)))
        for realm in realms
    )


@st.composite
def leaning_sites(draw: st.DrawFn, sites: Sequence[Site], accounts: Sequence[ManagedAccount]) -> tuple[Site, ...]:
    leaning = []
    for site in sites:
        with_file = draw(st.booleans())
        named = [str(m.account) for m in accounts if with_file and draw(st.booleans())]
        recovery = draw(a_reference(accounts))
        leaning.append(replace(site, setup_file=with_file, setup_accounts=tuple(named), recovery_account=recovery))
    return tuple(leaning)


def a_reference(accounts: Sequence[ManagedAccount]) -> st.SearchStrategy[str | None]:
    return st.none() | st.sampled_from([str(m.account) for m in accounts]) if accounts else st.none()


@st.composite
def a_client(draw: st.DrawFn, name: str, realms: Sequence[Realm], sites: Sequence[Site]) -> Holder:
    site = draw(st.sampled_from(sites))
    kind = draw(st.sampled_from([HolderKind.LEGACY_CLIENT, HolderKind.ADVANCED_CLIENT]))
    replicas = next(realm.replicas for realm in realms if realm.name == site.realm)
    return draw(a_holder(name, kind, site.code, replicas, least=1))


@st.composite
def a_consumer(
    draw: st.DrawFn, name: str, realms: Sequence[Realm], sites: Sequence[Site], accounts: Sequence[ManagedAccount]
) -> Consumer:
    held = [managed.account for managed in accounts if draw(st.booleans())]
    homes = [realm for realm in realms if any(account.realm == realm.name for account in held)]
    site = draw(st.none() | st.sampled_from([site.code for site in sites])) if sites else None
    replicas = homes[0].replicas if homes else ()
    least = max([1, *(realm.policy.min_length for realm in homes)])
    written = (f"{account.realm}{draw(st.sampled_from('/' + chr(92)))}{account.name}" for account in held)
    return Consumer(draw(a_holder(name, HolderKind.CONSUMER, site, replicas, least)), tuple(written))


@st.composite
def a_holder(
    draw: st.DrawFn, name: str, kind: HolderKind, site: SiteCode | None, replicas: Sequence[str], least: int
) -> Holder:
    return Holder(
        name=name,
        kind=kind,
        site=site,
        habit=draw(habits),
        protocol=draw(st.sampled_from(LogonProtocol)),
        gated=draw(st.booleans()),
        replica=draw(st.none() | st.sampled_from(replicas)) if replicas else None,
        max_password_length=draw(st.none() | st.integers(least, 200)),
    )
