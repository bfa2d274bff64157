"""A process whose disk fails it: `python -m tests.crash.sick_disk`, with `sick_disk.c` preloaded.

For each line on its standard input, the kind of a plan, a number of an error, where to begin and how far apart, it lets
one call after the other fail that writes or syncs the store's files while such a plan runs, and says what came of it.
"""

import ctypes
import json
import os
import sys
import traceback
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from keyturn.lifecycle.plan import PlanKind
from tests.crash import stubborn
from tests.crash.cases import CASES
from tests.crash.disk import Left, about_to_begin, left_of
from tests.crash.recovery import recover, survive, versions


@dataclass(frozen=True)
class Found:
    """After call `number` had failed. `said` by the store; `wrong`: the promise that was broken, in its own words."""

    number: int
    said: tuple[str, ...]
    wrong: str = ""


class Disk:
    """The shim in this process."""

    def __init__(self) -> None:
        self._shim = ctypes.CDLL(os.environ["LD_PRELOAD"])
        self._shim.keyturn_calls.restype = ctypes.c_long

    def fail(self, number: int, error: int) -> None:
        self._shim.keyturn_arm(ctypes.c_long(number), ctypes.c_int(error))

    @property
    def calls(self) -> int:
        return int(self._shim.keyturn_calls())


def main() -> None:
    disk = Disk()
    for line in sys.stdin:
        kind, error, first, apart = line.split()
        start = about_to_begin(CASES[PlanKind(kind)])
        for found in _walk(disk, start, int(error), int(first), int(apart)):
            print(json.dumps(asdict(found)), flush=True)
        print(json.dumps(None), flush=True)


def _walk(disk: Disk, start: Left, error: int, number: int, apart: int) -> Iterator[Found]:
    """Until the plan ends before so many calls."""
    while True:
        said: list[str] = []
        try:
            reached = _struck(disk, start, error, number, said)
        except Exception as wrong:
            traceback.print_exc()
            yield Found(number, tuple(said), f"{type(wrong).__name__}: {wrong}")
            return
        if not reached:
            return
        yield Found(number, tuple(said))
        number += apart


def _struck(disk: Disk, start: Left, error: int, number: int, said: list[str]) -> bool:
    """False if the plan has ended before. What a kill right after the failure would leave is recovered too."""
    killed: list[Left] = []
    with start.realm() as realm:
        before = versions(realm)
    with start.opened() as site:

        def failed(words: str) -> None:
            said.append(words)
            killed.append(left_of(site, start.case, start.plan_id))

        disk.fail(number, error)
        stubborn.run(site, start.plan_id, failed)
        reached = disk.calls >= number
        disk.fail(0, 0)
        recover(site, start, before)
    for left in killed:
        survive(left, start)
    return reached


if __name__ == "__main__":
    main()
