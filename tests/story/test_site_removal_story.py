"""A site server that is removed: who would be orphaned, and the estate without it."""

from pathlib import Path

import pytest

from keyturn.model.errors import Refused
from keyturn.operations.site_removal import foresee_removal, remove
from keyturn.wire.estate_file.writing import write_estate
from tests.estates import DEFAULT
from tests.inner_site import InnerSite, site_in

DEN = """
[[site]]
code = "DEN"
realm = "CORP"
server = "SRV-DEN"

[[site_system]]
name = "CAP-DEN"
site = "DEN"
roles = ["client-access-point"]

[[account]]
name = "SMSClient_DEN"
realm = "CORP"
role = "client-connection-default"
sites = ["DEN"]
"""
CLIENTS = """
[[client_group]]
name = "LAP"
site = "DEN"
kind = "legacy"
count = 12
interval = "10 s"
"""


def gone(site: InnerSite, code: str) -> None:
    remove(site.parts, code, write_estate, by="paul")


def test_every_client_that_would_be_orphaned_is_named(tmp_path: Path) -> None:
    site = site_in(tmp_path, DEFAULT + DEN + CLIENTS)
    found = foresee_removal(site.parts, "den")
    assert found.orphans == tuple(f"LAP-{number:04d}" for number in range(1, 13))
    with pytest.raises(Refused, match="would orphan 12 clients, LAP-0001 among them"):
        gone(site, "DEN")


def test_with_a_logon_installation_the_site_goes_with_its_systems_and_clients_and_its_accounts_stay(
    tmp_path: Path,
) -> None:
    with_logons = DEN.replace('server = "SRV-DEN"', 'server = "SRV-DEN"\nlogon_installation = true')
    site = site_in(tmp_path, DEFAULT + with_logons + CLIENTS)
    assert foresee_removal(site.parts, "DEN").orphans == ()
    gone(site, "DEN")
    estate = site.store.estate()
    assert [s.code for s in estate.sites] == ["PHX"]
    assert (estate.systems, [group.name for group in estate.groups]) == ((), ["PC"])


def test_a_parent_is_not_removed_before_its_children(tmp_path: Path) -> None:
    child = '\n[[site]]\ncode = "BRK"\nrealm = "CORP"\nserver = "SRV-BRK"\nparent = "DEN"\n'
    site = site_in(tmp_path, DEFAULT + DEN + child)
    with pytest.raises(Refused, match="is the parent of BRK"):
        gone(site, "DEN")
    gone(site, "BRK")
    gone(site, "DEN")


def test_this_site_itself_is_not_taken_out_of_its_own_estate(tmp_path: Path) -> None:
    site = site_in(tmp_path, DEFAULT)
    with pytest.raises(Refused, match="is this one"):
        gone(site, "PHX")
