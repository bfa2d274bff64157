"""The software of one machine, put together from the agent's folder."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from keyturn.agent.client import Client, open_client
from keyturn.agent.home import Home
from keyturn.agent.ports import AgentParts, SoftwareParts
from keyturn.agent.software import logs, telling
from keyturn.agent.software.cache import Cache
from keyturn.agent.software.channel import SiteChannel
from keyturn.agent.software.content import Content
from keyturn.agent.software.cycle import Software
from keyturn.agent.software.history import History
from keyturn.agent.software.lending import Lending
from keyturn.agent.software.logs import Logs
from keyturn.agent.software.place import Place
from keyturn.agent.software.policy import Policies
from keyturn.agent.software.ports import Point
from keyturn.agent.software.requests import Requests
from keyturn.agent.software.running import Workshop
from keyturn.model.logon import LogonProtocol
from keyturn.model.software import ClientKind, DistributionPoint, Offer, Policy

CACHE, RUNS = "cache", "runs"
SAM_LDB = Path("/var/lib/samba/private/sam.ldb")
"""Only a domain controller has it."""


@contextmanager
def software(home: Home, parts: AgentParts) -> Iterator[Software | None]:
    """None where this agent runs no software, or another process of it does. What was cut off is put right first."""
    if parts.software is None:
        yield None
        return
    place = Place(home)
    place.make()
    with place.alone() as alone:
        if not alone:
            yield None
            return
        opened = open_software(home, place, parts, parts.software)
        opened.begin()
        yield opened


def open_software(home: Home, place: Place, parts: AgentParts, needs: SoftwareParts) -> Software:
    """With a client of its own: the contacts' is used by their thread."""
    client = open_client(home, parts)
    written, kind = Logs(place.logs, parts.now), client.installation.kind
    history = History(place, client.installation, parts.now)
    policies, cache = Policies(place, client), Cache(place.path / CACHE)
    content = Content(
        cache,
        _points(home, client, needs),
        parts.now,
        verify_key=lambda: policies.verify_key,
        offered=lambda: _digests(policies.current()),
    )
    shop = Workshop(
        runner=needs.runner(place.path / RUNS, client.installation.protocol),
        fetch=content.fetch,
        hold=cache.held,
        lending=Lending(home, client),
        history=history,
        empty=place.empty,
        now=parts.now,
        write=written.writer(logs.RUNS[kind]),
        write_content=written.writer(logs.CONTENT),
    )

    def post() -> None:
        with home.lock(), suppress(OSError):
            client.credentials.refresh()
            telling.send(history, client)

    return Software(
        policies=policies,
        history=history,
        requests=Requests(place.path),
        shop=shop,
        logs=written,
        kind=kind,
        domain_controller=SAM_LDB.exists(),
        now=parts.now,
        post=post if kind is ClientKind.ADVANCED else lambda: None,
    )


def lowered(home: Home, parts: AgentParts) -> tuple[str, ...]:
    """For an agent that is taken off its machine: what cut-off runs left raised, mounted or running goes. Of an agent
    that has run nothing there is nothing."""
    place = Place(home)
    if parts.software is None or not (place.path / RUNS).is_dir():
        return ()
    return parts.software.runner(place.path / RUNS, LogonProtocol.NTLM).put_right()


def _points(home: Home, client: Client, needs: SoftwareParts) -> Callable[[DistributionPoint], Point]:
    installation = client.installation
    channel = SiteChannel(home, client, needs.stream(installation.server, installation.ca))

    def point(named: DistributionPoint) -> Point:
        if named.place.startswith("\\\\"):
            return needs.smb_point(named.place, installation.protocol)
        return needs.https_point(channel.open, named.place, f"{installation.server}{named.place}")

    return point


def _digests(policy: Policy | None) -> set[str]:
    """Of all content that is offered."""
    return {digest for offer in (policy.offers if policy else ()) for digest in _of_offer(offer)}


def _of_offer(offer: Offer) -> Iterator[str]:
    yield offer.digest
    for first in offer.first:
        yield from _of_offer(first)
