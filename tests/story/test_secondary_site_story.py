"""A secondary site: what its store has rows of after all that a site does, and what is typed at its parent instead."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, func, select

from keyturn.adapters.store.schema import METADATA
from keyturn.lifecycle.catalogue.products import role_names
from keyturn.lifecycle.guards import Change
from keyturn.model.accounts import RoleName
from keyturn.model.errors import Refused
from keyturn.model.secret import Secret
from keyturn.model.software import Advertisement, AdvertisementId, CollectionId, Event, PackageId, Program, ProgramName
from keyturn.operations import (
    accounts,
    advertising,
    bundles,
    envelopes,
    hierarchy,
    plans,
    site_control,
    site_reset,
    software_collections,
    software_packages,
    software_programs,
)
from keyturn.operations.estates import import_estate
from keyturn.operations.inbox_reading import read_inboxes
from keyturn.operations.inboxes import deliver
from keyturn.operations.parts import Parts
from keyturn.operations.status_messages import report
from keyturn.site.bundles import Kind
from keyturn.site.components import ComponentName, Standing, State
from keyturn.site.status_messages import MessageId
from keyturn.wire.estate_file.reading import read_estate
from tests.hierarchy import Hierarchy, account, child, estate

SERVICE = "CORP\\KtService"
MACHINE = '\n[[client]]\nname = "PC-LON"\nsite = "LON"\nkind = "advanced"\n'
POINT = '\n[[site_system]]\nname = "SRV-LON"\nsite = "LON"\nroles = ["distribution-point"]\n'
AT_LON = estate("LON", realm="HERE", accounts=MACHINE + POINT)
ABOVE = estate(
    "CEN",
    realm="CORP",
    kind="central",
    sites=child("LON", parent="CEN", realm="CORP", kind="secondary"),
    accounts=account("KtService", "service", realm="CORP", sites=("LON",)),
)

KEPT = {
    "its keys, and where it stands": {"canary", "site_keys", "known_sites", "imports"},
    "its queue, in and out": {"outbox", "arrivals", "streams", "links"},
    "passwords that it was given, and the budget they are tried in": {"held_credentials", "attempts"},
    "its control file and components": {"control_deltas", "component_standings", "status_messages"},
    "its clients, and its parent as one that signs": {"clients", "client_keys", "invitations"},
    "what its clients wrote and run": {"inbox_files"},
    "software that came down": {
        *("packages", "programs", "collections", "advertisements", "consents"),
        *("from_above", "software_numbers"),
    },
    "who did what": {"events"},
}


@pytest.fixture
def sites(tmp_path: Path) -> Iterator[Hierarchy]:
    found = Hierarchy(tmp_path)
    found.found("CEN", ABOVE)
    found.found("LON", AT_LON)
    found.join("LON", "CEN")
    found.settle()
    yield found
    found.close()


def test_after_all_that_a_site_does_its_store_has_no_account_no_plan_and_no_password_of_its_own(
    sites: Hierarchy, tmp_path: Path
) -> None:
    author(sites.sites["CEN"].parts)
    sites.sites["CEN"].create(SERVICE)
    sites.settle()
    live(sites)
    rows = rows_of(tmp_path / "LON" / "store.db")
    assert {table for table, count in rows.items() if count} == set().union(*KEPT.values())


def author(parts: Parts) -> None:
    software_packages.add(parts, software_packages.NewPackage("Editor"), by="olga")
    software_programs.add(parts, Program(PackageId("CEN00001"), "Install", "/bin/true"), by="olga")
    software_collections.add(parts, "Desks", [], ["name like 'PC-*'"], by="olga")
    ahead = advertising.look_ahead(parts, WANTED)
    advertising.advertise(parts, WANTED, ahead.digest, by="olga")


WANTED = Advertisement(
    AdvertisementId(""),
    ProgramName(PackageId("CEN00001"), "Install"),
    CollectionId("CENC0001"),
    1000.0,
    assignments=(Event.AS_SOON_AS_POSSIBLE,),
)


def live(sites: Hierarchy) -> None:
    """A file each way, a client and what it writes, a component, a control file that is changed."""
    center, below = sites.sites["CEN"], sites.sites["LON"]
    bundles.post(center.parts, "LON", Kind.PACKAGE, b"down")
    bundles.post(below.parts, "CEN", Kind.STATUS, b"up")
    sites.settle()
    bundles.post(below.parts, "CEN", Kind.STATUS, b"on its way")
    below.enrol("PC-LON")
    deliver(below.parts, "PC-LON", "ddr.box", "1.ddr", b"{}")
    read_inboxes(below.parts)
    site_control.write_master(below.parts, by="olga")
    standing = Standing(ComponentName.DESPOOLER, State.RUNNING, below.clock.now, process="up")
    below.store.stand("up", [standing], forget_before=0)
    report(below.parts, ComponentName.DESPOOLER, MessageId.STARTED, process="up")


def rows_of(store: Path) -> dict[str, int]:
    engine = create_engine(f"sqlite:///{store}")
    with engine.connect() as connection:
        return {t.name: connection.scalars(select(func.count()).select_from(t)).one() for t in METADATA.sorted_tables}


ASKED: dict[str, tuple[Callable[[Parts], object], str]] = {
    "a rotation": (lambda parts: plans.propose_rotation(parts, "KtService", by="olga"), "keyturn account rotate"),
    "an account made": (lambda parts: plans.propose_creation(parts, SERVICE, by="olga"), "keyturn account create"),
    "an account deleted": (lambda parts: plans.propose_deletion(parts, SERVICE, by="olga"), "keyturn account delete"),
    "a password taken in": (
        lambda parts: accounts.adopt(parts, SERVICE, Secret("Not-looked-at-1"), by="olga"),
        "keyturn account adopt",
    ),
    "an account disabled": (
        lambda parts: accounts.change(parts, SERVICE, Change.DISABLE, by="olga"),
        "keyturn account disable",
    ),
    "an estate with accounts": (
        lambda parts: taken_in(parts, AT_LON + account("KtOwn", "service", realm="HERE", sites=("LON",))),
        "keyturn estate import",
    ),
    "an envelope": (lambda parts: envelopes.envelopes_of(parts, SERVICE), "keyturn envelope show"),
    "a package": (
        lambda parts: software_packages.add(parts, software_packages.NewPackage("Own"), by="olga"),
        "keyturn package add",
    ),
    "a collection": (
        lambda parts: software_collections.add(parts, "Own", [], [], by="olga"),
        "keyturn collection add",
    ),
    "an advertisement": (lambda parts: advertising.look_ahead(parts, WANTED), "keyturn advertise"),
    "a reset": (
        lambda parts: site_reset.propose_reset(parts, site_reset.Asked("LON"), by="olga"),
        "keyturn account rotate",
    ),
    "a site below": (lambda parts: hierarchy.invite(parts, "PHX", by="olga"), "keyturn site invite PHX"),
}


def taken_in(parts: Parts, text: str) -> None:
    import_estate(parts, text, read_estate(text, roles=role_names()), by="olga")


@pytest.mark.parametrize("asked", ASKED)
def test_what_is_its_parents_is_refused_and_the_way_out_names_the_parent(sites: Hierarchy, asked: str) -> None:
    ask, command = ASKED[asked]
    with pytest.raises(Refused, match=r"secondary site LON has no .+ of its own") as refusal:
        ask(sites.sites["LON"].parts)
    assert refusal.value.hint.startswith(f"at site CEN: {command}")


def test_an_account_of_a_site_further_up_is_changed_there_and_not_at_the_parent(tmp_path: Path) -> None:
    sites = Hierarchy(tmp_path)
    down = child("EUR", parent="CEN", realm="CORP") + child("LON", parent="EUR", realm="CORP", kind="secondary")
    service = account("KtService", "service", realm="CORP", sites=("LON",))
    sites.found("CEN", estate("CEN", realm="CORP", kind="central", sites=down, accounts=service))
    sites.found("EUR", estate("EUR", realm="EURO", sites=child("LON", parent="EUR", realm="EURO", kind="secondary")))
    sites.found("LON", AT_LON)
    sites.join("EUR", "CEN")
    sites.join("LON", "EUR")
    sites.sites["CEN"].create(SERVICE)
    sites.settle()
    below = sites.sites["LON"].parts
    for name, owner in ((SERVICE, "CEN"), ("ktservice", "CEN"), ("CORP\\KtOther", "EUR")):
        with pytest.raises(Refused) as refusal:
            plans.propose_rotation(below, name, by="olga")
        assert refusal.value.hint == f"at site {owner}: keyturn account rotate '{name}'"
    sites.close()


def test_a_site_with_accounts_of_its_own_cannot_become_a_secondary_one(tmp_path: Path) -> None:
    sites = Hierarchy(tmp_path)
    sites.found("CEN", ABOVE)
    sites.found("LON", AT_LON + account("KtOwn", "service", realm="HERE", sites=("LON",)))
    with pytest.raises(Refused, match="has accounts or software of its own"):
        sites.join("LON", "CEN")
    assert [known.card.code for known in sites.sites["CEN"].store.known_sites()] == []
    taken_in(sites.sites["LON"].parts, AT_LON)
    sites.join("LON", "CEN")
    sites.close()


def test_its_own_machines_are_its_own(sites: Hierarchy) -> None:
    below = sites.sites["LON"]
    taken_in(below.parts, AT_LON + MACHINE.replace("PC-LON", "PC-NEW"))
    below.enrol("PC-NEW")
    assert "PC-NEW" in [client.name for client in below.store.enrolled()]


def test_a_site_that_has_left_its_parent_is_a_site_like_any_other(sites: Hierarchy) -> None:
    below = sites.sites["LON"].parts
    hierarchy.leave(below, by="olga")
    taken_in(below, AT_LON + account("KtOwn", "service", realm="HERE", sites=("LON",)))
    assert below.store.named("HERE\\KtOwn").role == RoleName("sms2003/service")
