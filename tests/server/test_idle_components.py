"""What the components of a site do every few seconds, while nothing happens, costs no more in a larger fleet.

Who has proven what, and where accounts were used from, are a row for each machine and account.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, event

from keyturn.adapters.engine.embedded import EmbeddedEngine
from keyturn.operations.parts import Parts
from keyturn.server.supervision import Component
from keyturn.site.components import ComponentName
from keyturn.wiring.components import PlanEngine, of_a_server, of_a_worker
from tests.estates import ADDITIONAL
from tests.hierarchy import Hierarchy, child, estate
from tests.inner_site import site_in

GROWS_WITH_THE_FLEET = re.compile(r"\b(from|join) (holdings|sightings)\b", re.IGNORECASE)


def test_a_site_alone_never_reads_what_grows_with_its_fleet(tmp_path: Path) -> None:
    site = site_in(tmp_path, ADDITIONAL)
    site.create("KtClient")
    assert not _growing(_said_in_an_idle_round(site.parts))
    with _statements() as said:
        site.store.estate()
    assert _growing(said)
    site.close()


def test_a_site_in_a_hierarchy_never_reads_what_grows_with_its_fleet(tmp_path: Path) -> None:
    sites = Hierarchy(tmp_path)
    sites.found("CEN", estate("CEN", realm="CORP", kind="central", sites=child("EUR", parent="CEN", realm="CORP")))
    sites.found("EUR", estate("EUR", realm="EURO"))
    sites.join("EUR", "CEN")
    sites.settle()
    for site in sites.sites.values():
        assert not _growing(_said_in_an_idle_round(site.parts))
    sites.close()


def test_a_site_alone_asks_once_a_look_whether_it_still_is(tmp_path: Path) -> None:
    site = site_in(tmp_path, ADDITIONAL)
    for component in _components(site.parts):
        if component.name in (ComponentName.HIERARCHY_MANAGER, ComponentName.SENDER, ComponentName.DESPOOLER):
            with _statements() as said:
                component.turn()
            assert [line for line in said if line.startswith("SELECT")] == [said[-1]]
            assert "FROM known_sites" in said[-1]
    site.close()


def _said_in_an_idle_round(parts: Parts) -> list[str]:
    """Of every turn that is called again within a minute, after one that may have had something to do."""
    often = [component for component in _components(parts) if component.turn() < 60]
    with _statements() as said:
        for component in often:
            component.turn()
    assert len(often) > 4
    assert said
    return said


def _components(parts: Parts) -> Sequence[Component]:
    """All but the account manager, whose turn looks at its own threads alone."""
    found = (*of_a_server(parts), *of_a_worker(parts, PlanEngine(EmbeddedEngine)))
    return [component for component in found if component.name is not ComponentName.ACCOUNT_MANAGER]


def _growing(statements: Sequence[str]) -> list[str]:
    """Those that read all rows, not those of some holders."""
    flat = (" ".join(each.split()) for each in statements)
    return [each for each in flat if GROWS_WITH_THE_FLEET.search(each) and "holder_key IN (" not in each]


@contextmanager
def _statements() -> Iterator[list[str]]:
    said: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        said.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        event.remove(Engine, "before_cursor_execute", note)
