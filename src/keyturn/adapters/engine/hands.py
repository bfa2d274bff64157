"""Threads for the work at realms: so many for each realm, so that one that does not answer uses up its own alone."""

import asyncio
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from keyturn.model.accounts import RealmName

AT_ONCE = 8
"""Calls to a realm under way at the same time."""

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Hands:
    """Used from one event loop. Leaving it waits for whatever is under way."""

    def __init__(self) -> None:
        self._threads: dict[RealmName, ThreadPoolExecutor] = {}
        self._busy = Counter[RealmName]()

    async def __aenter__(self) -> "Hands":
        return self

    async def __aexit__(self, *_: object) -> None:
        for threads in self._threads.values():
            await asyncio.to_thread(threads.shutdown)

    def free(self, realm: RealmName) -> bool:
        return self._busy[realm] < AT_ONCE

    def begin(
        self, realm: RealmName, work: Callable[_P, _T], *given: _P.args, **named: _P.kwargs
    ) -> "asyncio.Future[_T]":
        threads = self._threads.setdefault(realm, ThreadPoolExecutor(AT_ONCE, thread_name_prefix=f"jobs {realm}"))
        self._busy[realm] += 1
        begun = asyncio.get_running_loop().run_in_executor(threads, lambda: work(*given, **named))
        begun.add_done_callback(lambda _: self._end(realm))
        return begun

    def _end(self, realm: RealmName) -> None:
        self._busy[realm] -= 1
