"""The software of one machine, put together from the agent's folder."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from keyturn.agent.client import Client, open_client
from keyturn.agent.contact import contact
from keyturn.agent.home import Home
from keyturn.agent.ports import AgentParts, SoftwareParts
from keyturn.agent.report import Report
from keyturn.agent.software import logs, telling
from keyturn.agent.software.afterwards import NeverRestarts
from keyturn.agent.software.cache import Cache
from keyturn.agent.software.channel import SiteChannel
from keyturn.agent.software.content import Content
from keyturn.agent.software.cycle import Software
from keyturn.agent.software.domain_token import DomainToken, not_needed
from keyturn.agent.software.history import History
from keyturn.agent.software.lending import Lending
from keyturn.agent.software.logs import Logs
from keyturn.agent.software.place import Place
from keyturn.agent.software.policy import Policies
from keyturn.agent.software.ports import Fetch, Point, Presentable
from keyturn.agent.software.requests import Requests
from keyturn.agent.software.sources import Manifests, SourcePoint
from keyturn.agent.software.workshop import Workshop
from keyturn.agent.status import read_status
from keyturn.agent.turns import Besides, take_turn
from keyturn.agent.ungated import ungated_contact
from keyturn.distribution.run_context import Machine, RealmAccount
from keyturn.model.logon import LogonProtocol
from keyturn.model.software import OWN_POINT, ClientKind, DistributionPoint, Offer, Policy
from keyturn.wire.content import MANIFEST
from keyturn.wire.policy import PACKAGE_BOX, package_file

CACHE, RUNS = "cache", "runs"
SAM_LDB = Path("/var/lib/samba/private/sam.ldb")
"""Only a domain controller has it."""


Points = Callable[[DistributionPoint], Point]


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
    lending, points = Lending(home, client, parts.now), _points(home, client, needs)
    manifests = _manifests(client, policies, lending, points)

    def offered() -> set[str]:
        return _digests(policies.current())

    def content(points: Points) -> Fetch:
        return Content(cache, points, parts.now, verify_key=lambda: policies.verify_key, offered=offered).fetch

    shop = Workshop(
        runner=needs.runner(place.path / RUNS, client.installation.protocol),
        computer=needs.computer,
        fetch=content(points),
        fetch_source=content(lambda source: SourcePoint(points(source), manifests)),
        hold=cache.held,
        lending=lending,
        history=history,
        empty=place.empty,
        now=parts.now,
        write=written.writer(logs.RUNS[kind]),
        write_content=written.writer(logs.CONTENT),
    )

    def send(_: Besides) -> None:
        with home.lock(), suppress(OSError):
            client.credentials.refresh()
            telling.send(history, client)

    def contact_now(besides: Besides) -> None:
        """As any other: the site is asked before a password is presented."""
        take_turn(home, client, contact_of(home), parts, besides=besides)

    controller = SAM_LDB.exists()
    return Software(
        policies=policies,
        history=history,
        requests=Requests(place.path),
        shop=shop,
        logs=written,
        kind=kind,
        domain_controller=controller,
        now=parts.now,
        post=send if kind is ClientKind.ADVANCED else contact_now,
        token_missing=DomainToken(needs.domain_token, parts.now).missing if controller else not_needed,
    )


def contact_of(home: Home) -> Callable[[Client], Report]:
    """As the machine's last one was."""
    last = read_status(home.status())
    return contact if last is None or last.gated else ungated_contact


def without_restarts(parts: AgentParts) -> AgentParts:
    """For a machine whose owner restarts it."""
    if parts.software is None:
        return parts
    return replace(parts, software=replace(parts.software, computer=NeverRestarts(parts.software.computer)))


def lowered(home: Home, parts: AgentParts) -> tuple[str, ...]:
    """For an agent that is taken off its machine: what cut-off runs left raised, mounted or running goes. Of an agent
    that has run nothing there is nothing."""
    place = Place(home)
    if parts.software is None or not (place.path / RUNS).is_dir():
        return ()
    return parts.software.runner(place.path / RUNS, LogonProtocol.NTLM).put_right()


def _points(home: Home, client: Client, needs: SoftwareParts) -> Points:
    installation = client.installation
    channel = SiteChannel(home, client, needs.stream(installation.server, installation.ca))

    def point(named: DistributionPoint) -> Point:
        if named.place.startswith("\\\\"):
            return needs.smb_point(named.place, installation.protocol)
        return needs.https_point(channel.open, named.place, f"{installation.server}{named.place}")

    return point


def _manifests(client: Client, policies: Policies, lending: Lending, points: Points) -> Manifests:
    """An advanced client asks the site's own server, by its own signature; a legacy client looks at its access point,
    with its Client Connection accounts in turn."""
    if client.installation.kind is ClientKind.ADVANCED:
        own = DistributionPoint(client.installation.site, OWN_POINT)
        return Manifests(lambda: points(own), lambda folder: f"{folder}/{MANIFEST}", lambda: (Presentable(Machine()),))
    access_point = DistributionPoint(client.installation.site, client.installation.access_point)

    def identities() -> tuple[Presentable, ...]:
        policy = policies.current()
        accounts = policy.accounts.client_connection if policy else ()
        return lending.lend(tuple(map(RealmAccount, accounts))).identities

    return Manifests(lambda: points(access_point), lambda folder: f"{PACKAGE_BOX}/{package_file(folder)}", identities)


def _digests(policy: Policy | None) -> set[str]:
    """Of all content that is offered."""
    return {digest for offer in (policy.offers if policy else ()) for digest in _of_offer(offer)}


def _of_offer(offer: Offer) -> Iterator[str]:
    yield offer.digest
    for first in offer.first:
        yield from _of_offer(first)
