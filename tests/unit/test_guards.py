"""What is refused because of how a site was set up, who its clients are, or what a second account may do."""

from dataclasses import replace

import pytest

from keyturn.lifecycle.guards import (
    refuse_lost_site_servers,
    refuse_other_setup,
    refuse_removal,
    refuse_unequal,
)
from keyturn.lifecycle.plan import Plan, PlanKind
from keyturn.lifecycle.planning import plan_rotation
from keyturn.lifecycle.ports import Rights
from keyturn.lifecycle.sequences import Patience
from keyturn.model.accounts import Account, RealmName, RoleName
from keyturn.model.errors import Refused
from keyturn.model.estate import ClientGroup, Estate, Holder, HolderKind, ManagedAccount, Realm, Site, SiteCode

CORP = RealmName("CORP")
PHX, DEN = SiteCode("PHX"), SiteCode("DEN")
BY_FILE = Site(PHX, CORP, "SRV-PHX", setup_file=True)


def managed(name: str, role: str) -> ManagedAccount:
    return ManagedAccount(Account(CORP, f"S-{name}", name), RoleName(f"sms2003/{role}"), (PHX,), generation=1)


DEFAULT = managed("SMSClient_PHX", "client-connection-default")
SERVER = managed("KtServer", "server-connection")


def estate(site: Site, *accounts: ManagedAccount) -> Estate:
    clients = ClientGroup("PC", 3, Holder("PC", HolderKind.LEGACY_CLIENT, PHX))
    return Estate(realms=(Realm(CORP),), sites=(site,), groups=(clients,), accounts=accounts)


def rotation(found: Estate) -> Plan:
    return plan_rotation(found, found.accounts[0].account, patience=Patience()).plan


# The setup file.


@pytest.mark.parametrize("account", [DEFAULT, SERVER], ids=lambda m: m.account.name)
def test_nothing_is_regenerated_while_nobody_knows_what_the_setup_file_names(account: ManagedAccount) -> None:
    with pytest.raises(Refused, match="remote site systems lose the site server") as refused:
        rotation(estate(BY_FILE, account))
    assert "setup_accounts of site PHX" in refused.value.hint


def test_with_its_file_a_reset_regenerates_the_default_account_and_the_plan_names_what_it_leaves_alone() -> None:
    site = replace(BY_FILE, setup_accounts=("CORP/KtServer",))
    plan = rotation(estate(site, DEFAULT, SERVER))
    assert plan.kind is PlanKind.SITE_REGENERATION
    assert "give the reset of site PHX its setup file: it names CORP/KtServer, which no reset regenerates" in plan.notes


def test_a_site_that_setup_gave_no_file_needs_none() -> None:
    plan = rotation(estate(replace(BY_FILE, setup_file=False), DEFAULT))
    assert not any("setup file" in note for note in plan.notes)


@pytest.mark.parametrize(
    ("account", "way_out"),
    [(DEFAULT, "client-connection-additional"), (SERVER, "then reset PHX with that file")],
    ids=lambda value: value if isinstance(value, str) else value.account.name,
)
def test_an_account_that_setup_was_given_is_not_the_sites_to_regenerate(account: ManagedAccount, way_out: str) -> None:
    site = replace(BY_FILE, setup_accounts=(account.account.name,))
    with pytest.raises(Refused, match="was given to the setup of site PHX") as refused:
        rotation(estate(site, account))
    assert way_out in refused.value.hint


def test_what_the_site_maintains_is_left_to_a_reset_with_the_same_file() -> None:
    site = replace(BY_FILE, setup_accounts=("KtClient",))
    additional = managed("KtClient", "client-connection-additional")
    with pytest.raises(Refused, match="maintained by site PHX") as refused:
        rotation(estate(site, SERVER, additional))
    assert refused.value.hint == "use a site reset (site PHX, given its setup file)"


def test_an_account_of_the_administrator_changes_whatever_setup_was_given() -> None:
    assert rotation(estate(BY_FILE, managed("svc", "service"))).kind is PlanKind.IN_PLACE


@pytest.mark.parametrize(
    ("given", "difference"),
    [
        ((), "it does not name CORP\\KtServer"),
        (("CORP/Other",), "it does not name CORP\\KtServer; it names CORP/Other besides"),
        (("ktserver", "SMSClient_PHX"), "it names CORP\\SMSClient_PHX besides"),
    ],
)
def test_another_setup_file_is_told_from_the_one_that_setup_was_given(given: tuple[str, ...], difference: str) -> None:
    site = replace(BY_FILE, setup_accounts=("CORP/KtServer",))
    with pytest.raises(Refused, match="this is not the setup file of site PHX") as refused:
        refuse_other_setup(estate(site, SERVER, DEFAULT), site, given)
    assert str(refused.value).endswith(difference)


def test_the_same_setup_file_is_known_by_its_accounts_however_they_are_written() -> None:
    site = replace(BY_FILE, setup_accounts=("CORP/KtServer",))
    refuse_other_setup(estate(site, SERVER), site, ("corp\\KTSERVER",))


def test_a_reset_with_a_file_where_setup_had_none_is_refused_too() -> None:
    site = replace(BY_FILE, setup_file=False)
    with pytest.raises(Refused, match=r"it names CORP.KtServer besides"):
        refuse_other_setup(estate(site, SERVER), site, ("KtServer",))


# Removing a site server.


def test_a_site_server_stays_while_its_clients_could_not_be_installed_at_a_logon() -> None:
    site = Site(PHX, CORP, "SRV-PHX")
    with pytest.raises(Refused, match="would orphan 3 clients, PC-0001 among them") as refused:
        refuse_removal(estate(site), site, logon_installation=False)
    assert "logon_installation = true for PHX" in refused.value.hint
    refuse_removal(estate(site), site, logon_installation=True)


def test_a_single_client_that_would_be_orphaned_is_named_as_one() -> None:
    site = Site(PHX, CORP, "SRV-PHX")
    alone = replace(estate(site), groups=(), clients=(Holder("LAP-7", HolderKind.LEGACY_CLIENT, PHX),))
    with pytest.raises(Refused, match="would orphan client LAP-7: no logon"):
        refuse_removal(alone, site, logon_installation=False)


def test_a_site_without_legacy_clients_orphans_nobody() -> None:
    site = Site(PHX, CORP, "SRV-PHX")
    advanced = Holder("PC", HolderKind.ADVANCED_CLIENT, PHX)
    elsewhere = Holder("PC", HolderKind.LEGACY_CLIENT, DEN)
    found = replace(estate(site), groups=(), clients=(advanced, elsewhere))
    refuse_removal(found, site, logon_installation=False)


BEFORE = Site(PHX, CORP, "SRV-PHX")
MOVED = replace(BEFORE, server="SRV-NEW")


@pytest.mark.parametrize(
    ("before", "after"),
    [(BEFORE, None), (BEFORE, MOVED), (replace(BEFORE, logon_installation=True), MOVED)],
    ids=["dropped", "moved", "moved, and the logon installation ended"],
)
def test_a_dropped_or_moved_site_server_counts_as_removed(before: Site, after: Site | None) -> None:
    with pytest.raises(Refused, match="removing site server SRV-PHX of site PHX"):
        refuse_lost_site_servers(estate(before), Estate(sites=(after,) if after else ()))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (BEFORE, BEFORE),
        (BEFORE, replace(BEFORE, server="srv-phx")),
        (BEFORE, replace(MOVED, logon_installation=True)),
        (replace(BEFORE, logon_installation=True), None),
    ],
    ids=["as it was", "spelt otherwise", "moved with a logon installation", "dropped with one"],
)
def test_a_site_server_that_stays_or_whose_clients_come_back_may_go(before: Site, after: Site | None) -> None:
    refuse_lost_site_servers(estate(before), Estate(sites=(after,) if after else ()))


# A second account that is there already.

ORIGINAL, SECOND = Account(CORP, "S-1", "KtClient"), Account(CORP, "S-2", "Spare")
USUAL = Rights(frozenset({"Domain Users"}), frozenset({"read \\\\cap"}))


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (Rights(frozenset(), USUAL.grants), "it lacks Domain Users"),
        (Rights(USUAL.groups | {"Domain Admins"}, USUAL.grants), "it has Domain Admins besides"),
        (
            Rights(frozenset({"Backup"}), frozenset({"write \\\\cap"})),
            "it lacks Domain Users, read \\\\cap and has Backup, write \\\\cap besides",
        ),
    ],
    ids=["weaker", "stronger", "both"],
)
def test_a_second_account_that_may_do_other_things_is_refused_with_each_difference(found: Rights, told: str) -> None:
    with pytest.raises(Refused) as refused:
        refuse_unequal(ORIGINAL, SECOND, USUAL, found)
    assert str(refused.value) == f"CORP\\Spare may not stand in for CORP\\KtClient: {told}"


def test_a_second_account_that_may_do_the_same_may_stand_in() -> None:
    refuse_unequal(ORIGINAL, SECOND, USUAL, Rights(USUAL.groups, USUAL.grants))
