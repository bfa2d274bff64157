"""Drives a server over HTTP: many connections that stay open, one request under way on each."""

import asyncio
import ssl
import time
from collections.abc import Sequence


def per_second(port: int, lanes: Sequence[Sequence[bytes]], tls: ssl.SSLContext | None, status: int = 200) -> float:
    """`lanes` are whole requests, one connection each, sent in their order. Every answer has to have that status."""
    return asyncio.run(_drive(port, lanes, tls, status))


async def _drive(port: int, lanes: Sequence[Sequence[bytes]], tls: ssl.SSLContext | None, status: int) -> float:
    loop = asyncio.get_running_loop()
    opened = [
        await loop.create_connection(
            lambda lane=lane: _Lane(lane, status, loop.create_future()), "127.0.0.1", port, ssl=tls
        )  # type: ignore[misc]
        for lane in lanes
    ]
    began = time.perf_counter()
    for _, lane in opened:
        lane.send_next()
    await asyncio.gather(*(lane.done for _, lane in opened))
    took_s = time.perf_counter() - began
    for transport, _ in opened:
        transport.abort()
    return sum(map(len, lanes)) / took_s


class _Lane(asyncio.Protocol):
    def __init__(self, requests: Sequence[bytes], status: int, done: "asyncio.Future[None]") -> None:
        self.done = done
        self._requests = iter(requests)
        self._answer = b""
        self._begins = f"HTTP/1.1 {status}".encode()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def send_next(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self.done.set_result(None)
        else:
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        if _is_whole(self._answer):
            assert self._answer.startswith(self._begins), self._answer[:200]
            self._answer = b""
            self.send_next()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("the server hung up"))


def _is_whole(answer: bytes) -> bool:
    """Of an answer that says its length, or has no body."""
    head, end, body = answer.partition(b"\r\n\r\n")
    return bool(end) and len(body) >= int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
