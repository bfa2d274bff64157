"""The server: the API for people, the agents' routes and the access point over HTTPS, and an engine beside them."""

import logging
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from keyturn.model.errors import KeyturnError, NotFound, Refused, Unavailable
from keyturn.operations.parts import Parts
from keyturn.server import access_point, agents, content, policy, receive, scans
from keyturn.server.rest.app import people_app
from keyturn.site.components import ComponentName
from keyturn.wire.agent import BadMessage
from keyturn.wire.signing import BadSignature

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Listening:
    """Where to listen and with which certificate. `authorities` are the names that agents may call it by."""

    host: str
    port: int
    certificate: Path
    key: Path
    authority_pem: bytes
    authorities: frozenset[str]


class Engine(Protocol):
    """What carries plans forward, here or elsewhere."""

    def start(self, parts: Parts) -> None: ...

    def stop(self) -> None: ...


def site_app(
    parts: Parts,
    listening: Listening,
    engine: Engine,
    rests: Callable[[], bool] = lambda: False,
    stopping: Callable[[], bool] = lambda: False,
) -> Starlette:
    """While the client configuration manager `rests`, agents are told to come again; people are served. What takes long
    leaves off where the process is `stopping`."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        engine.start(parts)
        yield
        engine.stop()

    routes = [
        *_unless(rests, agents.routes(parts, listening.authority_pem, listening.authorities)),
        *_unless(rests, policy.routes(parts, listening.authorities)),
        *_unless(rests, scans.routes(parts, listening.authorities)),
        *_unless(rests, access_point.routes(parts, listening.authorities)),
        *_unless(rests, content.routes(parts, listening.authorities)),
        *receive.routes(parts, listening.authorities),
        Mount("/", people_app(parts, stopping)),
    ]
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers={KeyturnError: _refused})


def serve(
    parts: Parts,
    listening: Listening,
    engine: Engine,
    ready: Callable[[str], None],
    rests: Callable[[], bool] = lambda: False,
) -> None:
    """Until SIGTERM or SIGINT. `ready` is told the URL once connections are taken. Refused where nothing can be
    listened on, before anything is begun."""
    sockets = _sockets(listening)
    stopping = threading.Event()
    config = uvicorn.Config(
        site_app(parts, listening, engine, rests, stopping.is_set),
        ssl_certfile=listening.certificate,
        ssl_keyfile=listening.key,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
    )
    _Announcing(config, lambda: ready(f"https://{listening.host}:{listening.port}"), stopping.set).run(sockets)


def _sockets(listening: Listening) -> list[socket.socket]:
    """One for each address that the name has."""
    host, port = listening.host, listening.port
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        return [socket.create_server(address, family=family) for family, _, _, _, address in found]
    except OSError as error:
        why = (error.strerror or str(error)).partition(" (while")[0]
        raise Refused(
            f"nothing can be listened on at {host}, port {port}: {why}",
            hint="`ss -ltnp` names what has a port: stop it, or say another one (`port` in keyturn.toml, or --listen)",
        ) from None


def _unless(rests: Callable[[], bool], routes: Iterable[Route]) -> list[Route]:
    def guarded(route: Route) -> Route:
        async def endpoint(request: Request) -> Response:
            if rests():
                raise Unavailable(f"{ComponentName.CLIENT_CONFIG_MANAGER} is not at work; come again later")
            answer: Response = await route.endpoint(request)
            return answer

        return Route(route.path, endpoint, methods=list(route.methods or ()))

    return [guarded(route) for route in routes]


class _Announcing(uvicorn.Server):
    """Also of its end, before it waits for the requests that are under way."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None], announce_end: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce
        self._announce_end = announce_end

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        await super().startup(sockets=sockets)  # type: ignore[arg-type]
        if self.started:
            self._announce()

    async def shutdown(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        self._announce_end()
        await super().shutdown(sockets=sockets)  # type: ignore[arg-type]


_STATUS: tuple[tuple[type[KeyturnError], int], ...] = (
    (BadSignature, 401),
    (BadMessage, 400),
    (NotFound, 404),
    (Refused, 403),
    (Unavailable, 503),
    (KeyturnError, 400),
)


async def _refused(_: Request, error: Exception) -> JSONResponse:
    """An agent learns that it was refused; why in detail stands in the log, for whoever may read it."""
    assert isinstance(error, KeyturnError)
    status = next(status for kind, status in _STATUS if isinstance(error, kind))
    log.warning("refused an agent's request: %s", error)
    said = "the request was not accepted" if status == 401 else error.message
    return JSONResponse({"error": said}, status_code=status)
