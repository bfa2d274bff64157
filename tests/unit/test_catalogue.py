"""Table 12.2 and the chapter's list of accounts to leave alone, written down once more and held against the data."""

import dataclasses
from itertools import product
from typing import Any

import pytest

from keyturn.lifecycle.catalogue.choice import Circumstances, Rule, reset_effect, rule_for
from keyturn.lifecycle.catalogue.products import PRODUCTS, role_names, row, rows
from keyturn.lifecycle.catalogue.rules import CatalogueRow, Change, HeldBy, MaintainedBy, MethodPart, SiteReset
from keyturn.model.accounts import RoleName
from keyturn.model.errors import NotFound

EVERY_ROW = [pytest.param(entry, id=f"{name}/{entry.role}") for name, table in PRODUCTS.items() for entry in table]

OS_RESET_OR_CONSOLE = "operating-system site-reset | operating-system console"
OS_CONSOLE = "operating-system console"

# One line a row of Table 12.2: role, who makes the password, by hand?, methods in their order. Its Client Connection
# row speaks of two kinds of account, so there are two lines; both forms of a client's account are rows there too.
TABLE_12_2 = [
    ("service", "administrator", "yes", OS_RESET_OR_CONSOLE),
    ("database", "administrator", "yes", "sql-server site-reset | sql-server console"),
    ("site-address", "administrator", "yes", "operating-system sms"),
    ("server-connection", "random", "not-recommended", "site-reset"),
    ("site-system-connection", "administrator", "yes", OS_CONSOLE),
    ("remote-service", "random", "not-recommended", "site-reset"),
    ("client-services", "random", "not-recommended", "client-reinstall"),
    ("client-services-dc", "random", "not-recommended", "client-reinstall"),
    ("client-user-token", "random", "not-recommended", "client-reinstall"),
    ("client-user-token-dc", "random", "not-recommended", "client-reinstall"),
    ("client-connection-default", "random", "not-recommended", "site-reset"),
    ("client-connection-additional", "administrator", "not-recommended", OS_CONSOLE),
    ("network-access", "administrator", "yes", OS_CONSOLE),
    ("software-installation", "administrator", "yes", OS_CONSOLE),
    ("client-push-installation", "administrator", "yes", OS_CONSOLE),
]


@pytest.mark.parametrize(("role", "created_by", "by_hand", "methods"), TABLE_12_2)
def test_table_12_2_says_how_a_password_is_made_and_changed(
    role: str, created_by: str, by_hand: str, methods: str
) -> None:
    found = row(RoleName(f"sms2003/{role}"))
    assert (found.password_created_by, found.manual_change) == (created_by, by_hand)
    assert " | ".join(" ".join(method) for method in found.methods) == methods


# One line an entry of the list: the name as the product makes it, by hand?, what gives it a new password.
LEAVE_ALONE = [
    ("client-connection-default", "SMSClient_<site>", "not-recommended", "a site reset"),
    ("server-connection", "SMSServer_<site>", "not-recommended", "a site reset"),
    ("remote-service", "SMSSvc_<site>_<xxxx>", "not-recommended", "a site reset"),
    ("client-services", "SMSCliSvcAcct&", "not-recommended", "removing and reinstalling the client"),
    ("client-services-dc", "SMS&_<domain controller>", "not-recommended", "removing and reinstalling the client"),
    ("client-user-token", "SMSCliToknLocalAcct&", "not-recommended", "removing and reinstalling the client"),
    ("client-user-token-dc", "SMSCliToknAcct&", "not-recommended", "removing and reinstalling the client"),
    ("ccm-boot-loader", "SMSCCMBootAcct&", "never", "removing and reinstalling the client"),
    ("ccm-boot-loader-dc", "SMS#_<domain controller>", "never", "removing and reinstalling the client"),
]


@pytest.mark.parametrize(("role", "name", "by_hand", "tool"), LEAVE_ALONE)
def test_an_account_on_the_list_is_left_to_the_tool_that_maintains_it(
    role: str, name: str, by_hand: str, tool: str
) -> None:
    found = row(RoleName(f"sms2003/{role}"))
    assert (found.name_pattern, found.manual_change, found.tool) == (name, by_hand, tool)
    assert found.password_created_by == "random"
    assert found.maintained_by is not MaintainedBy.ADMINISTRATOR
    assert found.change in (Change.NONE, Change.SITE_REGENERATION)


def test_only_the_accounts_on_the_list_have_a_name_made_by_the_product() -> None:
    assert {one.role for one in rows("sms2003") if one.name_pattern} == {role for role, *_ in LEAVE_ALONE}


def test_a_site_reset_regenerates_the_three_accounts_of_the_site_and_keeps_all_others() -> None:
    regenerated = {one.role for one in rows("sms2003") if one.site_reset is SiteReset.REGENERATES}
    assert regenerated == {"client-connection-default", "server-connection", "remote-service"}
    assert all(one.site_reset is SiteReset.KEEPS for one in rows("sms2003") if one.role not in regenerated)


def test_a_second_account_comes_first_exactly_where_the_chapter_asks_for_one() -> None:
    assert {one.role: " ".join(one.second_account_when) for one in rows("sms2003") if one.second_account_when} == {
        "service": "shared-by-sites secondary-site",
        "database": "shared-by-sites",
        "remote-service": "shared-by-sites",
        "client-connection-default": "always",
        "client-connection-additional": "always",
    }


def test_sms_2003_has_seventeen_roles_and_takes_fourteen_characters_in_each() -> None:
    assert len(rows("sms2003")) == 17
    assert {one.max_password_length for one in rows("sms2003")} == {14}


HOLDERS = {
    HeldBy.SITE_SERVERS: "service database site-address site-system-connection client-push-installation",
    HeldBy.SITE_SYSTEMS: "server-connection remote-service",
    HeldBy.LEGACY_CLIENTS: "client-connection-default client-connection-additional software-installation",
    HeldBy.ADVANCED_CLIENTS: "network-access",
    HeldBy.EACH_CLIENT: "client-services client-services-dc client-user-token client-user-token-dc ccm-boot-loader "
    "ccm-boot-loader-dc",
}


@pytest.mark.parametrize(("holders", "roles"), HOLDERS.items())
def test_whoever_logs_on_with_an_account_holds_it(holders: HeldBy, roles: str) -> None:
    assert {one.role for one in rows("sms2003") if one.held_by is holders} == set(roles.split())


CONFIGMGR = """
ad-forest ad-group-discovery ad-system-discovery ad-user-discovery capture-os-image client-push-installation
enrollment-point-connection exchange-connection management-point-connection multicast-connection network-access
package-access remote-tools-permitted-viewer reporting-services-point site-installation site-system-installation
site-system-proxy smtp-server-connection software-update-point-connection source-site source-site-database
task-sequence-domain-join task-sequence-network-folder-connection task-sequence-run-as
"""


def test_the_current_branch_has_every_role_that_its_documentation_lists() -> None:
    assert sorted(one.role for one in rows("configmgr")) == sorted(CONFIGMGR.split())


def test_the_current_branch_replaces_network_access_and_push_accounts_instead_of_their_passwords() -> None:
    assert {one.role for one in rows("configmgr") if one.change is Change.CYCLE} == {
        "network-access",
        "client-push-installation",
    }


def test_the_current_branch_takes_no_per_cent_sign_wherever_the_password_is_typed_into_the_console() -> None:
    for one in rows("configmgr"):
        typed = any(MethodPart.CONSOLE in method for method in one.methods)
        assert one.forbidden_characters == ("%" if typed else ""), one.role


def test_only_accounts_that_run_a_service_of_any_fleet_could_be_a_gmsa() -> None:
    could = {f"{name}/{one.role}" for name, table in PRODUCTS.items() for one in table if one.could_be_gmsa}
    assert could == {"generic/service", "generic/shared-service"}


@pytest.mark.parametrize("name", PRODUCTS)
def test_no_slug_stands_twice_in_a_product(name: str) -> None:
    slugs = [one.role for one in rows(name)]
    assert len(slugs) == len(set(slugs))


@pytest.mark.parametrize("found", EVERY_ROW)
def test_a_row_says_everything_and_in_one_sentence_or_two(found: CatalogueRow) -> None:
    assert found.title
    assert found.source
    assert found.methods
    assert all(found.methods)
    assert found.guideline.endswith(".")
    assert found.guideline.count(". ") <= 1


@pytest.mark.parametrize("found", EVERY_ROW)
def test_whoever_maintains_an_account_decides_whether_a_tool_is_named(found: CatalogueRow) -> None:
    administrators = found.maintained_by is MaintainedBy.ADMINISTRATOR
    assert bool(found.tool) is not administrators
    assert (found.change in (Change.IN_PLACE, Change.CYCLE)) is administrators
    assert (found.change is Change.NONE) is (found.maintained_by is MaintainedBy.CLIENT)


ALONE = Circumstances()

# Role, circumstances, then: change, method, second account first, how the reason begins.
RULES: list[tuple[str, Circumstances, tuple[str, str, bool, str]]] = [
    ("sms2003/service", ALONE, ("in-place", "operating-system console", False, "nothing calls for")),
    (
        "sms2003/service",
        Circumstances(services_running=False),
        ("in-place", "operating-system site-reset", False, "nothing calls for"),
    ),
    ("sms2003/service", Circumstances(sites=3), ("cycle", "operating-system console", True, "shared by 3 sites: ")),
    (
        "sms2003/service",
        Circumstances(secondary_site=True),
        ("cycle", "operating-system console", True, "used by a secondary site: "),
    ),
    (
        "sms2003/service",
        Circumstances(sites=2, secondary_site=True, services_running=False),
        ("cycle", "operating-system site-reset", True, "shared by 2 sites and used by a secondary site: "),
    ),
    (
        "sms2003/service",
        Circumstances(password_known=False),
        ("cycle", "operating-system console", True, "its password is unknown"),
    ),
    ("sms2003/database", ALONE, ("in-place", "sql-server console", False, "nothing calls for")),
    ("sms2003/database", Circumstances(sites=2), ("cycle", "sql-server console", True, "shared by 2 sites: ")),
    (
        "sms2003/database",
        Circumstances(secondary_site=True, services_running=False),
        ("in-place", "sql-server site-reset", False, "nothing calls for"),
    ),
    (
        "sms2003/site-address",
        Circumstances(sites=2),
        ("in-place", "operating-system sms", False, "nothing calls for"),
    ),
    (
        "sms2003/site-system-connection",
        Circumstances(services_running=False),
        ("in-place", "operating-system console", False, "nothing calls for"),
    ),
    ("sms2003/server-connection", ALONE, ("site-regeneration", "site-reset", False, "maintained by the site: ")),
    (
        "sms2003/server-connection",
        Circumstances(password_known=False),
        ("site-regeneration", "site-reset", False, "maintained by the site: "),
    ),
    (
        "sms2003/server-connection",
        Circumstances(setup_file=True),
        ("none", "site-reset", False, "setup was given this account: only a site reset with the same setup file"),
    ),
    ("sms2003/remote-service", ALONE, ("site-regeneration", "site-reset", False, "maintained by the site: ")),
    (
        "sms2003/remote-service",
        Circumstances(setup_file=True),
        ("site-regeneration", "site-reset", False, "maintained by the site: "),
    ),
    ("sms2003/remote-service", Circumstances(sites=2), ("cycle", "site-reset", True, "shared by 2 sites: ")),
    (
        "sms2003/client-services",
        Circumstances(sites=2, password_known=False),
        ("none", "client-reinstall", False, "maintained by the client: only removing and reinstalling the client"),
    ),
    (
        "sms2003/ccm-boot-loader-dc",
        ALONE,
        ("none", "client-reinstall", False, "maintained by the client: only removing and reinstalling the client"),
    ),
    (
        "sms2003/client-connection-default",
        ALONE,
        ("site-regeneration", "site-reset", True, "a holder that still has the old password would lock"),
    ),
    (
        "sms2003/client-connection-additional",
        ALONE,
        ("cycle", "operating-system console", True, "a holder that still has the old password would lock"),
    ),
    (
        "sms2003/client-connection-additional",
        Circumstances(password_known=False),
        ("cycle", "operating-system console", True, "a holder that still has the old password would lock"),
    ),
    ("sms2003/network-access", ALONE, ("in-place", "operating-system console", False, "nothing calls for")),
    ("configmgr/network-access", ALONE, ("cycle", "operating-system console", True, "a holder that still has")),
    (
        "configmgr/task-sequence-domain-join",
        ALONE,
        ("in-place", "operating-system console", False, "nothing calls for"),
    ),
    ("generic/service", ALONE, ("in-place", "operating-system", False, "nothing calls for")),
    (
        "generic/service",
        Circumstances(password_known=False),
        ("cycle", "operating-system", True, "its password is unknown"),
    ),
    ("generic/shared-service", ALONE, ("cycle", "operating-system", True, "a holder that still has")),
    ("generic/database", ALONE, ("in-place", "sql-server", False, "nothing calls for")),
    ("generic/database", Circumstances(sites=4), ("cycle", "sql-server", True, "shared by 4 consumers: ")),
    (
        "generic/local-administrator",
        Circumstances(sites=2, password_known=False),
        ("in-place", "operating-system", False, "nothing calls for"),
    ),
]


@pytest.mark.parametrize(("role", "circumstances", "expected"), RULES)
def test_the_rule_follows_from_the_role_and_its_circumstances(
    role: str, circumstances: Circumstances, expected: tuple[str, str, bool, str]
) -> None:
    change, via, second_account_first, reason = expected
    rule = rule_for(RoleName(role), circumstances)
    assert (rule.change, " ".join(rule.via), rule.second_account_first) == (change, via, second_account_first)
    assert rule.reason.startswith(reason)


def test_a_reason_ends_with_its_source() -> None:
    rule = rule_for(RoleName("sms2003/service"), Circumstances(sites=3))
    assert rule.reason == (
        "shared by 3 sites: a second account comes first "
        "(Planning for SMS Account Lifecycles: Table 12.2; Managing the SMS Service Account)"
    )


EITHER = (False, True)
EVERY_CIRCUMSTANCE = [
    Circumstances(
        sites=sites, secondary_site=secondary, services_running=running, password_known=known, setup_file=setup_file
    )
    for sites in (1, 2)
    for secondary, running, known, setup_file in product(EITHER, EITHER, EITHER, EITHER)
]


@pytest.mark.parametrize("role", sorted(role_names()))
def test_no_circumstance_makes_a_rule_contradict_itself_or_its_row(role: RoleName) -> None:
    found = row(role)
    for circumstances in EVERY_CIRCUMSTANCE:
        rule = rule_for(role, circumstances)
        assert rule.via in found.methods
        assert rule.reason.endswith(")")
        assert not (rule.second_account_first and rule.change in (Change.IN_PLACE, Change.NONE)), rule
        assert rule.second_account_first or rule.change is not Change.CYCLE, rule
        if found.maintained_by is not MaintainedBy.ADMINISTRATOR:
            assert rule.change is not Change.IN_PLACE, rule
        if not circumstances.password_known and found.held_by is not HeldBy.EACH_CLIENT:
            assert rule.change is not Change.IN_PLACE, rule


def test_the_console_is_no_way_while_services_are_stopped_and_a_site_reset_is() -> None:
    stopped = Circumstances(services_running=False)
    assert rule_for(RoleName("sms2003/network-access"), stopped).needs_running_services
    assert not rule_for(RoleName("sms2003/service"), stopped).needs_running_services
    assert rule_for(RoleName("sms2003/service"), ALONE).needs_running_services


@pytest.mark.parametrize(
    ("role", "effect"),
    [
        ("server-connection", SiteReset.REQUIRES_SETUP_FILE),
        ("remote-service", SiteReset.REGENERATES),
        ("service", SiteReset.KEEPS),
    ],
)
def test_a_reset_needs_the_setup_file_for_the_account_that_it_names_and_for_no_other(
    role: str, effect: SiteReset
) -> None:
    assert reset_effect(row(RoleName(f"sms2003/{role}")), Circumstances(setup_file=True)) is effect


def test_a_row_is_found_by_product_and_slug() -> None:
    assert row(RoleName("configmgr/network-access")).title == "Network access"
    assert row(RoleName("sms2003/network-access")).title == "Advanced Client Network Access"


@pytest.mark.parametrize(
    ("role", "message", "hint"),
    [
        ("generic/ldap", "no role ldap in the catalogue of generic", "one of service, shared-service, database, "),
        ("sms2/service", "no catalogue of sms2", "one of sms2003, configmgr, generic"),
        ("service", "no catalogue of service", "one of sms2003, configmgr, generic"),
    ],
)
def test_a_role_that_does_not_exist_is_not_found_and_the_hint_lists_those_that_do(
    role: str, message: str, hint: str
) -> None:
    with pytest.raises(NotFound) as raised:
        row(RoleName(role))
    assert raised.value.message == message
    assert raised.value.hint.startswith(hint)


def test_role_names_are_all_that_row_finds() -> None:
    assert len(role_names()) == 17 + 24 + 4
    assert all(row(name) for name in role_names())


def frozen_values() -> list[Any]:
    return [rows("generic")[0], ALONE, Rule(Change.NONE, (), False, "")]


@pytest.mark.parametrize("value", frozen_values(), ids=lambda value: type(value).__name__)
def test_what_the_catalogue_hands_out_cannot_be_changed(value: Any) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, dataclasses.fields(value)[0].name, "other")
