"""`keyturn store move`, where no database server is needed: between files, and refused at a secondary site."""

from contextlib import closing
from pathlib import Path

import pytest

from keyturn.model.estate import SiteCode, SiteKind
from keyturn.operations.hierarchy_ports import KnownSite
from keyturn.site.cards import Address, Card
from keyturn.wiring.site import assembled, opened
from tests.cli.test_transcripts import keyturn


@pytest.fixture
def site(tmp_path: Path) -> Path:
    made = keyturn("init", "site", "--site", "LON", "--no-default-account", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    return tmp_path / "site"


def stands(site: Path, kind: SiteKind, parent: SiteCode | None) -> None:
    """As the site learns it from its parent when it joins."""
    files, settings = opened(site)
    parts, store = assembled(files, settings, _no_passphrase)
    with closing(store):
        keys, address = store.site_keys(), Address("https://lon.example:8443", files.authority.read_text())
        card = Card(SiteCode("LON"), kind, parent, "SRV-LON", address, keys.verify_key, keys.recipient)
        parts.store.keep_site(KnownSite(card, card.code))


def _no_passphrase() -> None:
    raise AssertionError("its seal key stands in a file")


def test_a_secondary_site_keeps_its_queue_where_it_is(site: Path) -> None:
    stands(site, SiteKind.SECONDARY, SiteCode("CEN"))
    before = (site / "keyturn.toml").read_text()
    for address in ("sqlite:///" + str(site.parent / "new.db"), "postgresql://keyturn@127.0.0.1:1/keyturn"):
        moved = keyturn("--dir", "site", "store", "move", address, "--password-stdin", cwd=site.parent, stdin="x-0\n")
        assert moved.returncode == 2, moved.stderr
        assert moved.stderr.startswith("error: secondary site LON has no store of its own to move")
        assert "hint:  stop the site and move its whole directory" in moved.stderr
    assert not (site.parent / "new.db").exists()
    assert not list(site.glob("*password*"))
    assert (site / "keyturn.toml").read_text() == before


@pytest.mark.parametrize(
    ("kind", "parent"), [(SiteKind.PRIMARY, SiteCode("CEN")), (SiteKind.SECONDARY, None)], ids=["primary", "not joined"]
)
def test_the_store_of_any_other_site_is_carried_to_another_file(
    site: Path, kind: SiteKind, parent: SiteCode | None
) -> None:
    stands(site, kind, parent)
    address = f"sqlite:///{site.parent / 'new.db'}"
    moved = keyturn("--dir", "site", "store", "move", address, cwd=site.parent)
    assert moved.returncode == 0, moved.stderr
    assert f"the store is now {address}" in moved.stdout
