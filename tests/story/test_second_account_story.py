"""The seed's guards, played on the real store and the built-in realm: a site server, a spare account."""

from pathlib import Path

import pytest

from keyturn.lifecycle.catalogue.products import role_names
from keyturn.lifecycle.plan import CreateAccount
from keyturn.lifecycle.ports import Rights
from keyturn.model.accounts import Account
from keyturn.model.errors import Refused
from keyturn.operations import plans
from keyturn.operations.estates import import_estate
from keyturn.operations.ports import PlanState
from keyturn.wire.estate_file.reading import read_estate
from tests.estates import DEFAULT, MACHINES, account
from tests.inner_site import InnerSite, site_in

WITH_SPARE = DEFAULT + account("Spare", "client-connection-additional")


def furnished(folder: Path) -> InnerSite:
    site = site_in(folder, WITH_SPARE)
    site.enrol(*MACHINES)
    for name in ("SMSClient_PHX", "Spare"):
        site.create(name)
    site.contact(*MACHINES)
    site.contact(*MACHINES)
    return site


def known(site: InnerSite, name: str) -> Account:
    found = site.realm().find(name)
    assert found
    return found


def allow(site: InnerSite, name: str, group: str) -> None:
    site.realm().grant(known(site, name), Rights(groups=frozenset({group})))


WEAKER, STRONGER = ("SMSClient_PHX", "Readers"), ("Spare", "Admins")


@pytest.mark.parametrize(
    ("granted", "told"),
    [
        ([WEAKER], "it lacks Readers"),
        ([STRONGER], "it has Admins besides"),
        ([WEAKER, STRONGER], "it lacks Readers and has Admins besides"),
    ],
    ids=["weaker", "stronger", "both"],
)
def test_an_unequal_spare_is_refused_when_the_plan_is_made(
    tmp_path: Path, granted: list[tuple[str, str]], told: str
) -> None:
    site = furnished(tmp_path)
    for name, group in granted:
        allow(site, name, group)
    with pytest.raises(Refused) as refused:
        plans.propose_rotation(site.parts, "SMSClient_PHX", by="olga")
    assert str(refused.value) == f"CORP\\Spare may not stand in for CORP\\SMSClient_PHX: {told}"
    assert not site.store.plans(only_open=True)
    site.close()


@pytest.mark.parametrize("granted", [WEAKER, STRONGER], ids=["weaker", "stronger"])
def test_a_spare_that_has_become_unequal_since_stops_the_plan_before_anything_is_handed_out(
    tmp_path: Path, granted: tuple[str, str]
) -> None:
    site = furnished(tmp_path)
    plan = site.rotate("SMSClient_PHX")
    allow(site, *granted)
    before = [dict(site.held[name]) for name in MACHINES]
    record = site.run(plan.plan_id, machines=MACHINES)
    assert record.state is PlanState.STOPPED
    assert granted[1] in record.note
    assert "by hand" in record.hint
    assert [site.held[name] for name in MACHINES] == before
    granted_only = {"Admins"} if granted == STRONGER else set()
    assert site.realm().rights(known(site, "Spare")).groups == granted_only  # nothing was granted to make them equal
    site.close()


def test_an_equal_spare_carries_the_clients_over(tmp_path: Path) -> None:
    site = furnished(tmp_path)
    for name in ("SMSClient_PHX", "Spare"):
        allow(site, name, "Readers")
    plan = site.rotate("SMSClient_PHX")
    assert not any(isinstance(p.step, CreateAccount) for p in plan.plan.steps)
    assert site.run(plan.plan_id, machines=MACHINES).state is PlanState.DONE
    assert site.realm().failed_logons(0) == 0
    site.close()


def test_an_import_that_would_orphan_the_clients_of_a_site_changes_nothing(tmp_path: Path) -> None:
    alone = DEFAULT.replace("logon_installation = true\n", "")
    site = site_in(tmp_path, alone)
    moved = alone.replace("SRV-PHX", "SRV-NEW")
    with pytest.raises(Refused, match="removing site server SRV-PHX of site PHX would orphan 3 clients"):
        import_estate(site.parts, moved, read_estate(moved, roles=role_names()), by="olga")
    assert site.store.text() == alone
    enabled = moved.replace('server = "SRV-NEW"\n', 'server = "SRV-NEW"\nlogon_installation = true\n')
    import_estate(site.parts, enabled, read_estate(enabled, roles=role_names()), by="olga")
    assert site.store.estate().site("PHX").server == "SRV-NEW"
    site.close()
