"""Choosing and refusing: one row a rule."""

from dataclasses import replace

import pytest

from keyturn.lifecycle.catalogue.products import PRODUCTS
from keyturn.lifecycle.catalogue.rules import CatalogueRow, MaintainedBy, MethodPart
from keyturn.lifecycle.forecasting import foresee, scene_of
from keyturn.lifecycle.guards import Change, refuse_held, refuse_last_client_connection, refuse_maintained
from keyturn.lifecycle.plan import (
    AwaitCanary,
    AwaitConvergence,
    AwaitQuiet,
    AwaitUptake,
    CreateAccount,
    Disable,
    Plan,
    PlanKind,
    Publish,
    ReachWith,
    Seal,
    SetPassword,
    Withdraw,
)
from keyturn.lifecycle.planning import plan_creation, plan_deletion, plan_rotation
from keyturn.lifecycle.sequences import Patience
from keyturn.model.accounts import Account, AccountToBe, RealmName, RoleName
from keyturn.model.errors import Refused
from keyturn.model.estate import (
    AccountLife,
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
)
from keyturn.model.logon import LogonProtocol
from keyturn.model.policy import RealmPolicy

CORP = RealmName("CORP")
PHX, DEN, SEC = SiteCode("PHX"), SiteCode("DEN"), SiteCode("SEC")
PATIENCE = Patience()


def managed(name: str, role: str, *sites: SiteCode, generation: int | None = 1) -> ManagedAccount:
    return ManagedAccount(Account(CORP, f"S-{name}", name), RoleName(role), sites or (PHX,), generation=generation)


def client(number: int, **changes: object) -> Holder:
    holder = Holder(f"PC-{number}", HolderKind.LEGACY_CLIENT, PHX, Habit(interval_s=60))
    return replace(holder, **changes)  # type: ignore[arg-type]


def estate(*accounts: ManagedAccount, **changes: object) -> Estate:
    made = Estate(
        realms=(Realm(CORP, replicas=("dc1", "dc2")),),
        sites=(
            Site(PHX, CORP, "SRV-PHX", logon_installation=True),
            Site(DEN, CORP, "SRV-DEN"),
            Site(SEC, CORP, "SRV-SEC", SiteKind.SECONDARY, parent=PHX),
        ),
        clients=tuple(client(number) for number in range(1, 6)),
        accounts=accounts,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def rotation(found: Estate, method: MethodPart | None = None) -> Plan:
    return plan_rotation(found, found.accounts[0].account, patience=PATIENCE, method=method).plan


def steps(plan: Plan) -> list[str]:
    return [type(planned.step).__name__ for planned in plan.steps]


@pytest.mark.parametrize(
    ("accounts", "kind"),
    [
        ([managed("svc", "sms2003/service")], PlanKind.IN_PLACE),
        ([managed("svc", "sms2003/service", PHX, DEN)], PlanKind.CYCLE),
        ([managed("svc", "sms2003/service", SEC)], PlanKind.CYCLE),
        ([managed("svc", "sms2003/service", generation=None)], PlanKind.CYCLE),
        ([managed("sql", "sms2003/database")], PlanKind.IN_PLACE),
        ([managed("sql", "sms2003/database", PHX, DEN)], PlanKind.CYCLE),
        ([managed("SMSSvc_PHX_1", "sms2003/remote-service", PHX, DEN)], PlanKind.CYCLE),
        ([managed("adr", "sms2003/site-address")], PlanKind.IN_PLACE),
        ([managed("naa", "sms2003/network-access")], PlanKind.IN_PLACE),
        ([managed("naa", "configmgr/network-access")], PlanKind.CYCLE),
        ([managed("cc", "sms2003/client-connection-additional")], PlanKind.CYCLE),
        ([managed(f"cc{n}", "sms2003/client-connection-additional") for n in range(3)], PlanKind.STAGGERED),
        ([managed("SMSClient_PHX", "sms2003/client-connection-default")], PlanKind.SITE_REGENERATION),
        ([managed("web", "generic/service")], PlanKind.IN_PLACE),
        ([managed("web", "generic/shared-service")], PlanKind.CYCLE),
    ],
)
def test_the_catalogue_and_the_circumstances_choose_the_kind(accounts: list[ManagedAccount], kind: PlanKind) -> None:
    assert rotation(estate(*accounts)).kind is kind


def test_in_place_the_password_is_sealed_set_seen_everywhere_and_tried_by_one_first() -> None:
    plan = rotation(estate(managed("inst", "sms2003/software-installation")))
    assert steps(plan) == [
        "Seal", "SetPassword", "AwaitConvergence", "Publish", "AwaitCanary", "Publish", "AwaitUptake",
    ]  # fmt: skip
    assert plan.via == ("operating-system", "console")


def test_a_cycle_ends_with_silence_and_a_disabled_account() -> None:
    plan = rotation(estate(managed("cc", "sms2003/client-connection-additional")))
    assert steps(plan) == [
        "Seal", "CreateAccount", "CopyRights", "AwaitConvergence", "Publish", "AwaitCanary", "Publish", "AwaitUptake",
        "Withdraw", "AwaitQuiet", "Disable",
    ]  # fmt: skip
    assert all(planned.reason for planned in plan.steps)


def test_the_default_client_connection_account_is_regenerated_behind_an_additional_one() -> None:
    plan = rotation(estate(managed("SMSClient_PHX", "sms2003/client-connection-default")))
    create = next(p.step for p in plan.steps if isinstance(p.step, CreateAccount))
    assert create.role == "sms2003/client-connection-additional"
    assert create.succeeds is None
    names = steps(plan)
    assert names.index("SetPassword") > names.index("AwaitUptake")
    assert not {"Withdraw", "Disable"} & set(names)


def test_an_additional_account_that_exists_is_used_instead_of_another_one() -> None:
    plan = rotation(
        estate(
            managed("SMSClient_PHX", "sms2003/client-connection-default"),
            managed("spare", "sms2003/client-connection-additional"),
        )
    )
    assert steps(plan)[:2] == ["CopyRights", "Publish"]
    assert "CreateAccount" not in steps(plan)
    assert next(p.step for p in plan.steps if isinstance(p.step, Publish)).credential.account.name == "spare"


def test_staggered_the_oldest_leaves_whichever_was_asked_for() -> None:
    ring = [replace(managed(f"cc{n}", "sms2003/client-connection-additional"), created_at=100.0 - n) for n in range(3)]
    plan = rotation(estate(*ring))
    assert next(p.step for p in plan.steps if isinstance(p.step, Disable)).account == ring[2].account


@pytest.mark.parametrize(("threshold", "at_once"), [(3, 1), (4, 1), (5, 2), (6, 2), (10, 4), (2, 1), (0, 5)])
def test_the_fleet_is_paced_below_half_of_what_locks(threshold: int, at_once: int) -> None:
    realm = Realm(CORP, policy=RealmPolicy(lockout_threshold=threshold))
    plan = rotation(estate(managed("cc", "sms2003/client-connection-additional"), realms=(realm,)))
    paces = [p.step.at_once for p in plan.steps if isinstance(p.step, Publish)]
    assert paces == [1, at_once]


@pytest.mark.parametrize(
    ("role", "tool"),
    [
        ("server-connection", "site reset"),
        ("remote-service", "site reset"),
        ("client-services", "client"),
        ("client-services-dc", "client"),
        ("client-user-token", "client"),
        ("client-user-token-dc", "client"),
        ("ccm-boot-loader", "client"),
        ("ccm-boot-loader-dc", "client"),
    ],
)
def test_what_site_or_client_maintains_is_left_to_them_by_name(role: str, tool: str) -> None:
    with pytest.raises(Refused, match="maintained by") as refused:
        rotation(estate(managed("x", f"sms2003/{role}")))
    assert tool in refused.value.hint
    for change in (Change.DISABLE, Change.DELETE, Change.RENAME, Change.RIGHTS):
        with pytest.raises(Refused, match=str(change)):
            refuse_maintained(estate(), managed("x", f"sms2003/{role}"), change)
    refuse_maintained(estate(), managed("x", f"sms2003/{role}"), Change.UNLOCK)


def test_the_last_client_connection_account_of_a_site_stays() -> None:
    alone = managed("cc", "sms2003/client-connection-additional")
    with pytest.raises(Refused, match="last valid Client Connection account of site PHX"):
        refuse_last_client_connection(estate(alone), alone)
    gone = replace(managed("cc2", "sms2003/client-connection-additional"), life=AccountLife.WITHDRAWN)
    with pytest.raises(Refused, match="last valid"):
        refuse_last_client_connection(estate(alone, gone), alone)
    refuse_last_client_connection(estate(alone, managed("SMSClient_PHX", "sms2003/client-connection-default")), alone)


def test_an_account_that_somebody_holds_is_not_disabled_by_hand() -> None:
    held = managed("inst", "sms2003/software-installation")
    with pytest.raises(Refused, match="would cut off 5 holders, PC-1 among them"):
        refuse_held(estate(held), held, Change.DISABLE)


def test_the_console_method_needs_every_service_running() -> None:
    stopped = replace(estate().sites[0], stopped_services=("SMS_EXECUTIVE",))
    found = estate(managed("svc", "sms2003/service"), sites=(stopped,))
    with pytest.raises(Refused, match="SMS_EXECUTIVE does not run") as refused:
        rotation(found, MethodPart.CONSOLE)
    assert "site-reset" in refused.value.hint
    assert rotation(found).via == ("operating-system", "site-reset")


def test_a_method_that_the_role_does_not_have_is_refused_with_those_it_has() -> None:
    with pytest.raises(Refused, match="no site-reset method") as refused:
        rotation(estate(managed("adr", "sms2003/site-address")), MethodPart.SITE_RESET)
    assert refused.value.hint == "its methods: operating-system then sms"


def test_a_holder_that_cannot_keep_what_the_realm_demands_is_named() -> None:
    realm = Realm(CORP, policy=RealmPolicy(min_length=20))
    scanner = Consumer(Holder("scanner", HolderKind.CONSUMER, max_password_length=16), ("web",))
    with pytest.raises(Refused, match="scanner takes at most 16"):
        rotation(estate(managed("web", "generic/service"), realms=(realm,), consumers=(scanner,)))


@pytest.mark.parametrize("written", ["web", "WEB", "CORP\\web", "CORP/web", "corp/web"])
def test_a_consumer_is_waited_for_however_it_names_its_account(written: str) -> None:
    backup = Consumer(Holder("backup", HolderKind.CONSUMER), (written,))
    plan = rotation(estate(managed("web", "generic/service"), consumers=(backup,)))
    assert next(p.step for p in plan.steps if isinstance(p.step, Publish)).holders == ("backup",)


def own(*accounts: ManagedAccount, **more: object) -> Estate:
    """A realm that Keyturn reaches with `web`, and with `spare` if the estate has it."""
    second = "spare" if len(accounts) > 1 else None
    return estate(*accounts, realms=(Realm(CORP, bind_account="web", second_bind_account=second),), **more)


def test_the_account_keyturn_binds_with_is_not_rotated_under_its_own_feet() -> None:
    with pytest.raises(Refused, match="reaches realm CORP with") as refused:
        rotation(own(managed("web", "generic/service")))
    assert "second_bind_account" in refused.value.hint


def test_an_account_that_keyturn_binds_with_is_changed_while_another_one_is_proven_to_work() -> None:
    spare = managed("spare", "generic/service")
    plan = rotation(own(managed("web", "generic/service"), spare))
    assert plan.kind is PlanKind.IN_PLACE
    assert plan.steps[0].step == ReachWith(CORP, spare.account)
    assert [type(p.step) for p in plan.steps[1:]] == [Seal, SetPassword, AwaitConvergence, AwaitUptake]


def test_a_second_account_whose_password_is_unknown_is_no_second_account() -> None:
    unknown = managed("spare", "generic/service", generation=None)
    with pytest.raises(Refused, match="could not be repaired with it"):
        rotation(own(managed("web", "generic/service"), unknown))


def test_an_account_that_keyturn_shares_with_others_is_not_changed() -> None:
    backup = Consumer(Holder("backup", HolderKind.CONSUMER), ("web",))
    with pytest.raises(Refused, match="backup logs on with it too"):
        rotation(own(managed("web", "generic/service"), managed("spare", "generic/service"), consumers=(backup,)))


def test_a_realm_that_locks_at_the_first_mistake_proves_nothing() -> None:
    realm = Realm(CORP, policy=RealmPolicy(lockout_threshold=1))
    with pytest.raises(Refused, match="at the first bad attempt"):
        rotation(estate(managed("web", "generic/service"), realms=(realm,)))


def test_the_only_way_to_recover_clients_is_not_rotated() -> None:
    site = replace(estate().sites[0], logon_installation=False, recovery_account="CORP/push")
    push = managed("push", "sms2003/client-push-installation")
    with pytest.raises(Refused, match="recovered with"):
        rotation(estate(push, sites=(site,)))
    rotation(estate(push, sites=(replace(site, logon_installation=True),)))


def test_in_place_gives_way_to_a_second_account_where_it_would_lock() -> None:
    stale = tuple(client(n, gated=False, protocol=LogonProtocol.KERBEROS) for n in range(1, 8))
    plan = rotation(estate(managed("inst", "sms2003/software-installation"), clients=stale))
    assert plan.kind is PlanKind.CYCLE
    assert any("in place would lock the account" in p.reason for p in plan.steps)


def test_an_account_of_each_machine_has_no_second_one() -> None:
    local = managed("Administrator", "generic/local-administrator")
    holders = tuple(
        Consumer(Holder(f"M{n}", HolderKind.CONSUMER, habit=Habit(60), gated=False, protocol=LogonProtocol.KERBEROS),
                 ("Administrator",))
        for n in range(9)
    )  # fmt: skip
    with pytest.raises(Refused, match="no second account may stand in"):
        rotation(estate(local, consumers=holders))


def test_an_account_that_has_ended_names_its_successor() -> None:
    old = replace(
        managed("cc", "sms2003/client-connection-additional"),
        life=AccountLife.DISABLED,
        successor=Account(CORP, "S-2", "cc_2"),
    )
    with pytest.raises(Refused, match=r"has taken over") as refused:
        rotation(estate(old))
    assert "cc_2" in refused.value.hint


def test_what_could_be_a_gmsa_is_told_where_there_are_such_accounts() -> None:
    directory = Realm(CORP, RealmKind.ACTIVE_DIRECTORY)
    assert any(
        "group managed" in note
        for note in rotation(estate(managed("web", "generic/service"), realms=(directory,))).notes
    )
    assert not any("group managed" in note for note in rotation(estate(managed("web", "generic/service"))).notes)


def test_the_second_account_gets_the_next_free_name_of_at_most_20_characters() -> None:
    long = managed("cc-with-a-long-name1", "sms2003/client-connection-additional")
    other = managed("cc-with-a-long-nam_2", "sms2003/database")
    create = next(p.step for p in rotation(estate(long, other)).steps if isinstance(p.step, CreateAccount))
    assert create.account == AccountToBe(CORP, "cc-with-a-long-nam_3")
    second = managed("cc_2", "sms2003/client-connection-additional")
    create = next(p.step for p in rotation(estate(second)).steps if isinstance(p.step, CreateAccount))
    assert create.account.name == "cc_3"


def test_nobody_knowing_who_holds_it_is_told() -> None:
    plan = rotation(estate(managed("web", "generic/service")))
    assert any("no holder" in note for note in plan.notes)
    assert not any(isinstance(p.step, AwaitCanary) for p in plan.steps)


def test_creation_is_for_what_the_realm_does_not_have() -> None:
    planned = ManagedAccount(
        AccountToBe(CORP, "cc"), RoleName("sms2003/client-connection-additional"), (PHX,), AccountLife.PLANNED
    )
    plan = plan_creation(estate(planned), AccountToBe(CORP, "cc"))
    assert steps(plan) == ["Seal", "CreateAccount", "AwaitConvergence", "Publish"]
    with pytest.raises(Refused, match="not in its realm yet"):
        rotation(estate(planned))


@pytest.mark.parametrize(
    "entry",
    [row for row in PRODUCTS["sms2003"] if row.maintained_by is MaintainedBy.CLIENT],
    ids=lambda row: row.role,
)
def test_an_account_that_each_client_makes_for_itself_is_not_made_by_hand(entry: CatalogueRow) -> None:
    planned = ManagedAccount(AccountToBe(CORP, "x"), RoleName(f"sms2003/{entry.role}"), (PHX,), AccountLife.PLANNED)
    with pytest.raises(Refused, match="clients make and maintain the account of this role themselves") as refused:
        plan_creation(estate(planned), AccountToBe(CORP, "x"))
    assert "the installation of a client makes it" in refused.value.hint


def test_only_a_disabled_account_is_deleted() -> None:
    active = managed("cc", "sms2003/client-connection-additional")
    with pytest.raises(Refused, match="only a disabled account"):
        plan_deletion(estate(active), active.account)
    disabled = replace(active, life=AccountLife.DISABLED)
    assert steps(plan_deletion(estate(disabled), active.account)) == ["Delete"]


@pytest.mark.parametrize(
    ("accounts", "kind"),
    [
        ([managed("svc", "sms2003/service")], PlanKind.IN_PLACE),
        ([managed("cc", "sms2003/client-connection-additional")], PlanKind.CYCLE),
        ([managed(f"cc{n}", "sms2003/client-connection-additional") for n in range(3)], PlanKind.STAGGERED),
    ],
)
def test_a_plan_that_was_weighed_comes_with_its_own_forecast(accounts: list[ManagedAccount], kind: PlanKind) -> None:
    found = estate(*accounts)
    weighed = plan_rotation(found, found.accounts[0].account, patience=PATIENCE)
    assert weighed.plan.kind is kind
    assert weighed.forecast == foresee(found, weighed.plan)


def test_a_staggered_plan_is_weighed_by_those_who_hold_the_account_that_leaves() -> None:
    """Not by those of the account that was asked for: its sites may be others."""
    ring = [
        replace(managed(f"cc{n}", "sms2003/client-connection-additional", *sites), created_at=100.0 - n)
        for n, sites in enumerate([(PHX,), (PHX,), (PHX, DEN)])
    ]
    hourly = Habit(interval_s=3600)
    found = estate(*ring, clients=(client(1), client(2, site=DEN, name="DEN-PC", habit=hourly)))
    weighed = plan_rotation(found, ring[0].account, patience=PATIENCE)
    assert weighed.plan.account == ring[2].account
    assert weighed.forecast == foresee(found, weighed.plan)
    assert [m.at_s for m in foresee(found, weighed.plan).moments if m.kind == "retired"] == [
        scene_of(found, ring[2]).converged_s + hourly.interval_s + 1
    ]


def test_every_wait_of_a_plan_has_the_patience_it_was_given() -> None:
    found = estate(managed("cc", "sms2003/client-connection-additional"))
    plan = plan_rotation(found, found.accounts[0].account, patience=Patience(uptake_s=7, quiet_s=3)).plan
    waits = [p.step for p in plan.steps if isinstance(p.step, AwaitQuiet)]
    assert [wait.quiet_s for wait in waits] == [3]
    assert {p.step.patience_s for p in plan.steps if isinstance(p.step, AwaitCanary)} == {7}
    assert any(isinstance(p.step, Withdraw) for p in plan.steps)
    assert not any(isinstance(p.step, SetPassword) for p in plan.steps)
