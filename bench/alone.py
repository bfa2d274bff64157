"""Work done in a process of its own, so that its peak memory is nobody else's. Linux only."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Alone(Generic[T]):
    result: T
    peak_mb: float
    """Resident memory at its highest, the interpreter and its libraries included."""


def alone(work: Callable[..., T], *given: object) -> Alone[T]:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(_measured, work, given).result()


def _measured(work: Callable[..., T], given: tuple[object, ...]) -> Alone[T]:
    result = work(*given)
    return Alone(result, _peak_mb())


def _peak_mb() -> float:
    # Not `getrusage`: its maximum outlives exec, so a child would begin with the peak of its parent.
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
