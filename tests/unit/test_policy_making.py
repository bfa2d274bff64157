"""What a policy says: to whom, under which accounts, and when it is issued anew."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyturn.distribution.policy_making import (
    Content,
    Issue,
    OnOffer,
    client_accounts,
    digest_of,
    issued,
    next_issue,
    offered_to,
    undated_policy,
)
from keyturn.model.accounts import Account, AccountToBe, RealmName, RoleName
from keyturn.model.estate import AccountLife, Estate, ManagedAccount, SiteCode
from keyturn.model.software import (
    Advertisement,
    AdvertisementId,
    ClientAccounts,
    ClientKind,
    CollectionId,
    DistributionPoint,
    Package,
    PackageId,
    Policy,
    Program,
    ProgramName,
)
from keyturn.wire.policy import from_body, to_body

DAY_S = 24 * 3600.0
WEEK_S = 7 * DAY_S
EDITOR, RUNTIME = PackageId("PHX00001"), PackageId("PHX00002")
INSTALL, REMOVE, BEFORE = ProgramName(EDITOR, "Install"), ProgramName(EDITOR, "Remove"), ProgramName(RUNTIME, "Install")
POINT = DistributionPoint("DP1", r"\\dp1\content")
ONE, TWO = (
    Advertisement(AdvertisementId(f"PHX2000{n}"), program, CollectionId(f"PHX1000{n}"), available_at=0)
    for n, program in ((1, INSTALL), (2, REMOVE))
)
SITE = OnOffer(
    site=SiteCode("PHX"),
    realm=RealmName("CORP"),
    lifetime_s=WEEK_S,
    packages={EDITOR: Package(EDITOR, "Editor"), RUNTIME: Package(RUNTIME, "Runtime")},
    programs={
        INSTALL: Program(EDITOR, "Install", "./install", run_first=BEFORE),
        REMOVE: Program(EDITOR, "Remove", "./remove"),
        BEFORE: Program(RUNTIME, "Install", "./install"),
    },
    advertisements=(ONE, TWO),
    members={ONE.collection: frozenset({"pc-1", "pc-2"}), TWO.collection: frozenset({"pc-2"})},
    content={EDITOR: Content("e" * 64, (POINT,))},
    points=(POINT, DistributionPoint("SRV-PHX", "/dp/v1")),
    accounts={
        ClientKind.LEGACY: ClientAccounts(client_connection=("CORP\\a",), software_installation=("CORP\\i",)),
        ClientKind.ADVANCED: ClientAccounts(network_access=("CORP\\n",)),
    },
)


def policy(client: str, on_offer: OnOffer = SITE, kind: ClientKind = ClientKind.ADVANCED) -> Policy:
    return undated_policy(on_offer, kind, offered_to(on_offer, client))


def programs(policy: Policy) -> list[str]:
    return [str(offer.program.ref) for offer in policy.offers]


@pytest.mark.parametrize(
    ("client", "offered"),
    [
        ("PC-1", ["PHX00001 Install"]),
        ("pc-2 ", ["PHX00001 Install", "PHX00001 Remove"]),
        ("PC-3", []),
    ],
)
def test_a_client_is_offered_what_its_collections_are(client: str, offered: list[str]) -> None:
    assert programs(policy(client)) == offered


def test_each_kind_of_client_is_told_of_the_accounts_that_it_holds_and_no_others() -> None:
    assert policy("PC-1").accounts == ClientAccounts(network_access=("CORP\\n",))
    legacy = policy("PC-1", kind=ClientKind.LEGACY)
    assert legacy.accounts == ClientAccounts(client_connection=("CORP\\a",), software_installation=("CORP\\i",))


def test_an_offer_names_its_content_where_it_lies_and_what_runs_first() -> None:
    (offer,) = policy("PC-1").offers
    (first,) = offer.first
    assert (offer.digest, offer.points) == ("e" * 64, (POINT,))
    assert (first.program.ref, first.package.name, first.digest) == (BEFORE, "Runtime", "")


def test_a_client_knows_all_points_of_its_site_even_where_nothing_is_offered() -> None:
    assert policy("PC-3").points == SITE.points


@pytest.mark.parametrize(
    "without",
    [
        replace(SITE, programs={name: p for name, p in SITE.programs.items() if name != BEFORE}),
        replace(SITE, packages={EDITOR: SITE.packages[EDITOR]}),
        replace(SITE, programs={**SITE.programs, BEFORE: replace(SITE.programs[BEFORE], run_first=INSTALL)}),
    ],
    ids=["the program before it is gone", "the package before it is gone", "each is to run before the other"],
)
def test_what_cannot_be_run_whole_is_not_offered(without: OnOffer) -> None:
    assert programs(policy("PC-2", without)) == ["PHX00001 Remove"]


def test_a_policy_arrives_as_it_was_made() -> None:
    whole = issued(policy("PC-2"), Issue("PC-2", "digest", 7, 1000.0))
    assert (whole.client, whole.counter, whole.issued_at, whole.expires_at) == ("PC-2", 7, 1000.0, 1000.0 + WEEK_S)
    assert from_body(to_body(whole)) == whole


# The accounts.


def managed(name: str, role: str, *, site: str = "PHX", life: AccountLife = AccountLife.ACTIVE) -> ManagedAccount:
    return ManagedAccount(Account(RealmName("CORP"), f"S-{name}", name), RoleName(role), (SiteCode(site),), life)


def test_accounts_stand_in_the_order_of_the_estate_and_only_those_in_use() -> None:
    estate = Estate(
        accounts=(
            managed("two", "sms2003/client-connection-additional"),
            managed("one", "sms2003/client-connection-default"),
            managed("elsewhere", "sms2003/client-connection-default", site="TUS"),
            managed("gone", "sms2003/client-connection-additional", life=AccountLife.WITHDRAWN),
            ManagedAccount(
                AccountToBe(RealmName("CORP"), "to-be"),
                RoleName("sms2003/network-access"),
                (SiteCode("PHX"),),
                AccountLife.PLANNED,
            ),
            managed("reach", "configmgr/network-access", site="phx"),
            managed("service", "sms2003/service"),
            managed("install", "sms2003/software-installation"),
        )
    )
    assert client_accounts(estate, "PHX") == {
        ClientKind.LEGACY: ClientAccounts(("CORP\\two", "CORP\\one"), (), ("CORP\\install",)),
        ClientKind.ADVANCED: ClientAccounts((), ("CORP\\reach",), ()),
    }


# When it is issued.

NOW = 1_800_000_000.5


@pytest.mark.parametrize(
    ("last", "counter"),
    [
        (None, int(NOW)),
        (Issue("PC-1", "same", 5, NOW - WEEK_S / 2 + 1), None),
        (Issue("PC-1", "same", 5, NOW - WEEK_S / 2), int(NOW)),
        (Issue("PC-1", "other", 5, NOW - 1), int(NOW)),
        (Issue("PC-1", "other", int(NOW), NOW), int(NOW) + 1),
        (Issue("PC-1", "same", int(NOW) + 9, NOW + WEEK_S), int(NOW) + 10),
    ],
    ids=["the first", "nothing new", "half its time is over", "it says something else", "twice in a second", "ahead"],
)
def test_a_policy_is_issued_when_it_is_new_or_half_its_time_is_over(last: Issue | None, counter: int | None) -> None:
    found = next_issue("PC-1", last, "same", WEEK_S, NOW)
    assert found == (None if counter is None else Issue("PC-1", "same", counter, NOW))


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 2**40)), max_size=30))
def test_a_counter_only_rises_whatever_the_clock_does(turns: list[tuple[str, float]]) -> None:
    counters, last = [0], None
    for digest, now in turns:
        new = next_issue("PC-1", last, digest, WEEK_S, now)
        if new is None:
            assert last is not None
            assert last.digest == digest
            continue
        counters.append(new.counter)
        last = new
    assert counters == sorted(set(counters))


def test_a_site_whose_store_is_a_week_old_does_not_count_where_its_clients_have_been() -> None:
    backup = Issue("PC-1", "a", 5, NOW - WEEK_S)
    lost = next_issue("PC-1", backup, "b", WEEK_S, NOW - DAY_S)
    found = next_issue("PC-1", backup, "c", WEEK_S, NOW)
    assert lost
    assert found
    assert found.counter > lost.counter


CLIENTS, ADVERTISEMENTS = [f"pc-{n}" for n in range(4)], [ONE, TWO]


@given(
    st.dictionaries(
        st.sampled_from([ONE.collection, TWO.collection]), st.frozensets(st.sampled_from(CLIENTS)), max_size=2
    ),
    st.sampled_from(CLIENTS),
    st.sampled_from(ClientKind),
)
def test_nobody_is_told_what_is_not_their_own(
    members: dict[CollectionId, frozenset[str]], client: str, kind: ClientKind
) -> None:
    found = policy(client, replace(SITE, members=members), kind)
    for offer in found.offers:
        assert client in members[offer.advertisement.collection]
    expected = [each for each in ADVERTISEMENTS if client in members.get(each.collection, frozenset())]
    assert [offer.advertisement for offer in found.offers] == expected
    assert found.accounts == SITE.accounts[kind]


def test_two_clients_that_are_told_the_same_share_a_digest_and_others_do_not() -> None:
    alike = replace(SITE, members={**SITE.members, TWO.collection: frozenset()})
    assert digest_of(policy("PC-1", alike)) == digest_of(policy("PC-2", alike))
    digests = {digest_of(policy(client, kind=kind)) for client in ("PC-1", "PC-2", "PC-3") for kind in ClientKind}
    assert len(digests) == 6
    assert digest_of(policy("PC-1")) != digest_of(policy("PC-1", replace(SITE, lifetime_s=DAY_S)))
