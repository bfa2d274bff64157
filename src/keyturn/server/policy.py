"""The management point: each client's own policy, signed by the site, and the way back for what clients report."""

import hashlib
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from keyturn.distribution.content import folder_named, folder_of
from keyturn.model.errors import NotFound
from keyturn.model.software import Offer, Package
from keyturn.operations.content import signed_manifest
from keyturn.operations.inboxes import AccessFile, deliver
from keyturn.operations.parts import Parts
from keyturn.operations.signing import Sign, signer, verify_key
from keyturn.operations.software_policy import Policies, Told
from keyturn.server.callers import Callers, arrive
from keyturn.server.together import Together
from keyturn.site.client_files import read_discovery
from keyturn.wire import policy as wire

BOX, DISCOVERY_BOX = "statmsgs.box", "ddr.box"


_MARK = re.compile(r'"(\d{1,18})-[0-9a-f]{16}"', re.ASCII)


def routes(parts: Parts, authorities: frozenset[str], clock: Callable[[], float] = time.monotonic) -> list[Route]:
    """`clock` says how long ago something was read; it only ever rises."""
    point = _ManagementPoint(parts, authorities, Policies(parts, clock))
    return [
        Route(wire.POLICY, point.policy, methods=["GET"]),
        Route(wire.POLICY_KEY, point.key, methods=["GET"]),
        Route(wire.REPORT, point.report, methods=["POST"]),
    ]


def policy_files(parts: Parts) -> tuple[AccessFile, ...]:
    """Of every enrolled legacy client; with the manifests of packages that these read at their sources. Elsewhere a
    manifest lies beside the content that it is about."""
    policies = Policies(parts, time.monotonic)
    told = policies.of(policies.legacy([client.name for client in parts.store.enrolled()]))
    own = (_file(parts, name, each) for name, each in told.items())
    packages = {offer.digest: offer.package for each in told.values() for offer in _at_source(each.undated.offers)}
    return (*own, *(_package_file(parts, package, digest) for digest, package in packages.items()))


def manifest_for_legacy(parts: Parts, name: str) -> bytes | None:
    """A file of PACKAGE_BOX. None for what is no version of a package of this site."""
    folder = name.rpartition(".")[0]
    found = folder_named(folder)
    if found is None or name != wire.package_file(folder):
        return None
    try:
        return signed_manifest(parts, parts.store.manifest(*found))
    except NotFound:
        return None


def policy_of_legacy(parts: Parts, policies: Policies, name: str) -> bytes | None:
    """As it is read at an access point. None for whoever is no legacy client of this site."""
    told = policies.of(policies.legacy([name])).get(name)
    return signed(told, signer(parts)) if told else None


def signed(told: Told, sign: Sign) -> bytes:
    body = wire.to_body(told.policy)
    return msgspec.json.encode(wire.SignedPolicy(body, sign(wire.PURPOSE, body)))


class _ManagementPoint:
    """What was issued is kept in memory: most polls come to nothing new, and are answered without the store."""

    def __init__(self, parts: Parts, authorities: frozenset[str], policies: Policies) -> None:
        self._parts = parts
        self._authorities = authorities
        self._callers = Callers(parts.store, parts.now)
        self._policies = policies
        self._issue: Together[str, Told | None] = Together(self._told)
        self._sign: Together[Told, bytes] = Together(self._signed)

    async def policy(self, request: HttpRequest) -> Response:
        arrived = await arrive(request, self._authorities)
        client = await self._callers.of(arrived)
        told = self._policies.at_hand(client.name) or await self._issue(client.name)
        seen = _counter(arrived.headers.get("if-none-match", ""))
        if told is not None and seen > told.issue.counter:
            await run_in_threadpool(self._policies.catch_up, client.name, seen)
            told = await self._issue(client.name)
        if told is None:
            return Response(status_code=204)
        etag = {"etag": f'"{told.mark}"'}
        if arrived.headers.get("if-none-match") == etag["etag"]:
            return Response(status_code=304, headers=etag)
        return Response(await self._sign(told), headers=etag, media_type="application/json")

    async def key(self, _: HttpRequest) -> Response:
        key = wire.PolicyKey(await run_in_threadpool(verify_key, self._parts))
        return Response(msgspec.json.encode(key), media_type="application/json")

    async def report(self, request: HttpRequest) -> Response:
        """The same letter again, byte for byte, is the same file."""
        arrived = await arrive(request, self._authorities)
        client = await self._callers.of(arrived)
        name = f"{hashlib.sha256(arrived.body).hexdigest()[:40]}.svf"
        box = DISCOVERY_BOX if read_discovery(arrived.body) is not None else BOX
        new = await run_in_threadpool(deliver, self._parts, client.name, box, name, arrived.body)
        return Response(status_code=201 if new else 200)

    def _told(self, names: Sequence[str]) -> list[Told | None]:
        """None for an agent that only holds accounts: no client of this site, and nothing to complain of."""
        found = self._policies.of(set(names))
        return [found.get(name) for name in names]

    def _signed(self, told: Sequence[Told]) -> list[bytes]:
        sign = signer(self._parts)
        return [signed(each, sign) for each in told]


def _counter(mark: str) -> int:
    """That of a policy, from the mark that a client names it by; 0 for one that is none of ours."""
    found = _MARK.fullmatch(mark)
    return int(found[1]) if found else 0


def _at_source(offers: Iterable[Offer]) -> Iterator[Offer]:
    for offer in offers:
        if offer.source and offer.digest:
            yield offer
        yield from _at_source(offer.first)


def _package_file(parts: Parts, package: Package, digest: str) -> AccessFile:
    name = wire.package_file(folder_of(package.package_id, package.source_version))

    def content() -> bytes:
        return signed_manifest(parts, parts.store.manifest(package.package_id, package.source_version))

    return AccessFile(wire.PACKAGE_BOX, name, digest, content)


def _file(parts: Parts, name: str, told: Told) -> AccessFile:
    return AccessFile(wire.OFFER_BOX, wire.policy_file(name), told.mark, lambda: signed(told, signer(parts)), name)
