"""Group commit: what arrives while a transaction is under way is carried by the next one, all of it at once."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Question = TypeVar("Question")
Answer = TypeVar("Answer")


class Together(Generic[Question, Answer]):
    """`carry` is called in a thread, never twice at the same time, and gives an answer or an exception for each
    question, in their order. What it raises itself fails everyone it was called for.

    Nobody waits for company: the first to come is carried alone, and under load a batch is whatever has come during
    the one before. Belongs to one event loop.
    """

    def __init__(self, carry: Callable[[Sequence[Question]], Sequence[Answer | Exception]], most: int = 256) -> None:
        self._carry = carry
        self._most = most
        self._waiting: list[tuple[Question, asyncio.Future[Answer]]] = []
        self._under_way: asyncio.Task[None] | None = None

    async def __call__(self, question: Question) -> Answer:
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, answer))
        if self._under_way is None:
            self._under_way = asyncio.create_task(self._carry_all())
        return await answer

    async def _carry_all(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
                for (_, waiting), answer in zip(batch, await self._answers([each for each, _ in batch]), strict=True):
                    _settle(waiting, answer)
        finally:
            self._under_way = None

    async def _answers(self, questions: Sequence[Question]) -> Sequence[Answer | Exception]:
        try:
            return await asyncio.get_running_loop().run_in_executor(None, self._carry, questions)
        except Exception as error:
            return [error] * len(questions)


def _settle(waiting: "asyncio.Future[Answer]", answer: Answer | Exception) -> None:
    if waiting.done():
        return  # whoever asked has gone
    if isinstance(answer, Exception):
        waiting.set_exception(answer)
    else:
        waiting.set_result(answer)
