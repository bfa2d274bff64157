"""Group commit: who is carried with whom, and who fails with whom."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence

import pytest

from keyturn.server.together import Together


class Ferry:
    """Carries numbers and answers with their tenfold. Lies at its first landing until it is let go."""

    def __init__(self) -> None:
        self.loads: list[list[int]] = []
        self.let_go = threading.Event()

    def __call__(self, numbers: Sequence[int]) -> list[int | Exception]:
        self.loads.append(list(numbers))
        assert self.let_go.wait(60)
        if 13 in numbers:
            raise RuntimeError("sunk")
        return [ValueError("alone") if number < 0 else number * 10 for number in numbers]


def crossing(ferry: Ferry, *numbers: int, most: int = 256) -> list[int | BaseException]:
    """The first number crosses; the others come while it is under way."""

    async def cross() -> list[int | BaseException]:
        together = Together(ferry, most)
        first = asyncio.create_task(together(numbers[0]))
        await until(lambda: bool(ferry.loads))
        others = [asyncio.create_task(together(number)) for number in numbers[1:]]
        await asyncio.sleep(0)
        ferry.let_go.set()
        return await asyncio.gather(first, *others, return_exceptions=True)

    return asyncio.run(cross())


async def until(true: Callable[[], bool]) -> None:
    while not true():
        await asyncio.sleep(0)


def test_the_first_is_carried_alone_and_who_comes_meanwhile_together() -> None:
    ferry = Ferry()
    assert crossing(ferry, 1, 2, 3, 4) == [10, 20, 30, 40]
    assert ferry.loads == [[1], [2, 3, 4]]


def test_no_more_are_carried_at_once_than_said() -> None:
    ferry = Ferry()
    assert crossing(ferry, 1, 2, 3, 4, 5, 6, most=2) == [10, 20, 30, 40, 50, 60]
    assert ferry.loads == [[1], [2, 3], [4, 5], [6]]


def test_an_exception_for_one_is_not_one_for_its_neighbours() -> None:
    answers = crossing(Ferry(), 1, 2, -3, 4)
    assert answers[:2] + answers[3:] == [10, 20, 40]
    assert isinstance(answers[2], ValueError)


def test_a_batch_that_fails_fails_its_own_and_the_next_one_is_carried() -> None:
    ferry = Ferry()
    answers = crossing(ferry, 1, 2, 13, 4, 5, most=2)
    assert [type(answer) for answer in answers] == [int, RuntimeError, RuntimeError, int, int]
    assert ferry.loads == [[1], [2, 13], [4, 5]]


def test_whoever_has_gone_is_carried_and_holds_nobody_up() -> None:
    ferry = Ferry()

    async def cross() -> int:
        together = Together(ferry)
        gone = asyncio.create_task(together(1))
        await until(lambda: bool(ferry.loads))
        stays = asyncio.create_task(together(2))
        gone.cancel()
        ferry.let_go.set()
        with pytest.raises(asyncio.CancelledError):
            await gone
        return await stays

    assert asyncio.run(cross()) == 20
    assert ferry.loads == [[1], [2]]


def test_it_serves_again_after_it_has_been_idle() -> None:
    ferry = Ferry()
    ferry.let_go.set()

    async def cross() -> list[int]:
        together: Callable[[int], Awaitable[int]] = Together(ferry)
        return [await together(1), await together(2)]

    assert asyncio.run(cross()) == [10, 20]
    assert ferry.loads == [[1], [2]]
