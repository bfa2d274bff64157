"""The site's own server as a distribution point: manifests, and files with ranges, for whoever may read the package.

An nginx in front may send the bytes: it is told which of its files they are, and does the rest.
"""

import time
from collections.abc import Callable, MutableMapping
from functools import lru_cache
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as HttpRequest
from starlette.responses import FileResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from keyturn.distribution.content import folder_named
from keyturn.model.errors import NotFound
from keyturn.model.logon import Answer
from keyturn.model.software import OWN_POINT, File, Manifest, Package
from keyturn.operations.client_ports import EnrolledClient
from keyturn.operations.content import content_of, signed_manifest
from keyturn.operations.content_ports import ContentParts
from keyturn.operations.package_access import may_read
from keyturn.operations.parts import Parts
from keyturn.server.callers import Arrived, Callers, arrive
from keyturn.server.realm_logons import not_let_in, presented_in
from keyturn.server.recent_logons import RecentLogons
from keyturn.wire.agent import ANSWER_HEADER
from keyturn.wire.content import FILES, MANIFEST, is_one_range

PIECE = 1024 * 1024
"""Bytes that are read and encrypted in one go: with less, twice as much time goes into going back and forth."""

_AT_HAND = 32
"""Manifests that are kept understood; each has up to 100,000 files."""


def routes(parts: Parts, authorities: frozenset[str], clock: Callable[[], float] = time.monotonic) -> list[Route]:
    """`clock` only ever rises."""
    point = _DistributionPoint(parts, authorities, clock)
    return [
        Route(f"{OWN_POINT}/{{folder}}/{MANIFEST}", point.manifest, methods=["GET"]),
        Route(f"{OWN_POINT}/{{folder}}/{FILES}/{{path:path}}", point.file, methods=["GET"]),
    ]


class _DistributionPoint:
    def __init__(self, parts: Parts, authorities: frozenset[str], clock: Callable[[], float]) -> None:
        self._parts = parts
        self._authorities = authorities
        self._callers = Callers(parts.store, parts.now)
        self._logons = RecentLogons(parts, clock)
        self._listed = lru_cache(_AT_HAND)(self._read_list)

    async def manifest(self, request: HttpRequest) -> Response:
        return await run_in_threadpool(self._manifest, request, *await self._arrived(request))

    async def file(self, request: HttpRequest) -> Response:
        return await run_in_threadpool(self._file, request, *await self._arrived(request))

    async def _arrived(self, request: HttpRequest) -> tuple[Arrived, EnrolledClient | None]:
        arrived = await arrive(request, self._authorities)
        return arrived, await self._callers.of(arrived) if "signature-input" in arrived.headers else None

    def _manifest(self, request: HttpRequest, arrived: Arrived, machine: EnrolledClient | None) -> Response:
        package, version = self._named(request)
        if isinstance(said := self._let_in(request, arrived, machine, package), Response):
            return said
        manifest = self._parts.store.manifest(package.package_id, version)
        headers = said | {"etag": f'"{manifest.digest}"'}
        return Response(signed_manifest(self._parts, manifest), headers=headers, media_type="application/json")

    def _file(self, request: HttpRequest, arrived: Arrived, machine: EnrolledClient | None) -> Response:
        package, version = self._named(request)
        if isinstance(said := self._let_in(request, arrived, machine, package), Response):
            return said
        file = self._listed(package.package_id, version).get(request.path_params["path"])
        content = content_of(self._parts)
        if file is None or content.blobs.size(file.sha256) != file.size:
            return Response(status_code=404, headers=said)
        return _sent(content, file, said | {"etag": f'"{file.sha256}"'})

    def _named(self, request: HttpRequest) -> tuple[Package, int]:
        found = folder_named(request.path_params["folder"])
        if found is None:
            raise NotFound("no package is called so")
        package_id, version = found
        return self._parts.store.package(package_id), version

    def _let_in(
        self, request: HttpRequest, arrived: Arrived, machine: EnrolledClient | None, package: Package
    ) -> Response | dict[str, str]:
        """The headers that say so, or the answer to whoever is not. A machine that presents an account is that account,
        as on a share."""
        presented = presented_in(arrived.headers)
        if presented is None:
            return {} if machine is not None else not_let_in(None)
        source = request.client.host if request.client else "unknown"
        answer = self._logons.answer_to(arrived, machine, source)
        if answer is not Answer.ACCEPTED:
            return not_let_in(answer)
        if not may_read(package, presented[0]):
            return Response(status_code=403, headers={ANSWER_HEADER: Answer.NO_FILE_ACCESS.value})
        return {ANSWER_HEADER: answer.value}

    def _read_list(self, package_id: Any, version: int) -> dict[str, File]:
        manifest: Manifest = self._parts.store.manifest(package_id, version)
        return {file.path: file for file in manifest.files}


def _sent(content: ContentParts, file: File, headers: dict[str, str]) -> Response:
    place = content.blobs.place(file.sha256)
    if not content.nginx_prefix:
        return _Pieces(place, headers=headers, media_type="application/octet-stream")
    beside = "/".join(place.split("/")[-3:])
    headers = headers | {"x-accel-redirect": f"{content.nginx_prefix.rstrip('/')}/{beside}"}
    return Response(headers=headers, media_type="application/octet-stream")


class _Pieces(FileResponse):
    chunk_size = PIECE

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await super().__call__(_with_one_range(scope), receive, send)


def _with_one_range(scope: Scope) -> MutableMapping[str, Any]:
    """Without a range that is not answered: HEAD has none (RFC 9110, 14.2)."""
    asked = [value.decode("latin-1") for name, value in scope["headers"] if name == b"range"]
    if not asked or (scope["method"] == "GET" and len(asked) == 1 and is_one_range(asked[0])):
        return scope
    return {**scope, "headers": [(name, value) for name, value in scope["headers"] if name != b"range"]}
