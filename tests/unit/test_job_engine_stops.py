"""A worker over the store's own database that is told to stop while something calls it to look."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import procrastinate
import pytest
from procrastinate.testing import InMemoryConnector

from keyturn.adapters.engine.hands import Hands
from keyturn.adapters.engine.jobs import _Shift
from keyturn.operations.parts import Parts

PATIENCE_S = 60


@pytest.mark.parametrize("turns", range(6))
def test_it_stops_however_soon_it_was_called_before(turns: int) -> None:
    assert asyncio.run(_is_stopped_so_soon(turns))


async def _is_stopped_so_soon(turns: int) -> bool:
    """So many turns of the event loop after the call."""
    settings: Any = SimpleNamespace(settings=SimpleNamespace(lease_s=600.0))
    app = procrastinate.App(connector=InMemoryConnector())
    async with app.open_async(), Hands() as hands:
        shift = _Shift(app, cast("Parts", settings), "worker", hands)
        looking = asyncio.create_task(shift.look_from_time_to_time())
        while not shift._sooner._waiters:
            await asyncio.sleep(0)
        shift._look_within(300)
        for _ in range(turns):
            await asyncio.sleep(0)
        looking.cancel()
        stopped, _ = await asyncio.wait({looking}, timeout=PATIENCE_S)
        looking.cancel()
        return bool(stopped)
