"""A store that may not grow, at every page that a plan needs: it says so, loses nothing, and goes on.

Pages of 512 bytes, so that most writes need one.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import event
from sqlalchemy.pool import Pool

from keyturn.lifecycle.plan import PlanKind
from keyturn.operations import people
from keyturn.operations.audit_log import AuditLog, verify
from keyturn.operations.ports import Person, PersonRole
from keyturn.server.rest.app import people_app
from tests.crash import stubborn
from tests.crash.cases import CASES
from tests.crash.disk import Left, about_to_begin, files_in, left_of
from tests.crash.recovery import live_passwords_open, recover, versions
from tests.estates import MACHINES

AT_LEAST = {
    PlanKind.CREATE: 25,
    PlanKind.IN_PLACE: 60,
    PlanKind.CYCLE: 70,
    PlanKind.STAGGERED: 90,
    PlanKind.SITE_REGENERATION: 110,
    PlanKind.DELETE: 2,
}
"""Fewer failures than these, over all fillings, would mean that the store is not full when it should be."""

FILLINGS = range(0, 500, 50)
"""Characters told before, so that other writes need the next page."""


@pytest.mark.parametrize("kind", CASES)
def test_a_full_store_says_so_loses_nothing_and_goes_on_after_room_is_made(kind: PlanKind) -> None:
    start = about_to_begin(CASES[kind])
    said = [words for filling in FILLINGS for words in carried_through(without_room(start, filling))]
    assert set(said) == {"the store failed: database or disk is full"}
    assert len(said) >= AT_LEAST[kind], f"only {len(said)} failures"


def carried_through(start: Left) -> list[str]:
    """What was said whenever the store was full; then it may have a page more."""
    said: list[str] = []
    with start.realm() as realm:
        before = versions(realm)
    with start.opened() as site, room_for(pages_of(site.folder)) as room:

        def failed(words: str) -> None:
            said.append(words)
            with left_of(site, start.case, start.plan_id).realm() as realm:
                live_passwords_open(site.store, realm)
            room.pages += 1

        stubborn.run(site, start.plan_id, failed)
        recover(site, start, before)
        assert verify(AuditLog("PHX", site.store)).fault is None
    return said


def test_people_are_told_that_the_store_is_full_and_where_to_look() -> None:
    start = without_room(about_to_begin(CASES[PlanKind.IN_PLACE]), 0)
    with start.opened() as site:
        site.store.people.add(Person("olga", frozenset(PersonRole)), "")
        token = people.issue(site.parts, "olga", 60).reveal()
        # A route that writes; any other would be answered alike.
        with room_for(pages_of(site.folder)), TestClient(people_app(site.parts)) as api:
            answers = [invite(api, token, name) for name in MACHINES * 10]
        refused = [answer for answer in answers if answer.status_code != 201]
        assert refused, "there was room for all of it"
        assert {answer.status_code for answer in refused} == {503}
        assert refused[0].json()["error"] == "the store failed: database or disk is full"
        assert "disk" in refused[0].json()["hint"]


def invite(api: TestClient, token: str, name: str) -> Response:
    return api.post("/api/v1/clients", json={"name": name}, headers={"authorization": f"Bearer {token}"})


@dataclass
class Room:
    """How many pages the store may have."""

    pages: int


@contextmanager
def room_for(pages: int) -> Iterator[Room]:
    """For every connection that is taken from a pool meanwhile; the realm's file is not opened through one."""
    room = Room(pages)

    def limit(rows: sqlite3.Connection, *_: object) -> None:
        rows.execute(f"PRAGMA max_page_count = {room.pages}")

    event.listen(Pool, "checkout", limit)
    try:
        yield room
    finally:
        event.remove(Pool, "checkout", limit)


def without_room(left: Left, filling: int) -> Left:
    """With small pages, and none of them free."""
    with left.opened() as site:
        site.store.tell("test", "filling", "x" * filling)
        left = left_of(site, left.case, left.plan_id)
    with left.written() as folder:
        with closing(sqlite3.connect(folder / "store.db")) as rows:
            rows.execute("PRAGMA journal_mode = DELETE")
            rows.execute("PRAGMA page_size = 512")
            rows.execute("VACUUM")
        return replace(left, files=files_in(folder))


def pages_of(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "store.db")) as rows:
        ((pages,),) = rows.execute("PRAGMA page_count")
        return int(pages)
