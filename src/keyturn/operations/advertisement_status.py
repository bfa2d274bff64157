"""How each client stands with an advertisement: by its own newest word, and nobody else's."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from keyturn.distribution.causes import EXPLANATIONS, Cause
from keyturn.distribution.collections import CLIENT_KINDS, members
from keyturn.distribution.handed_down import ToldReport
from keyturn.distribution.reports import AccessLine, AdvertisementReport, AdvertisementState, what_is_signed
from keyturn.model.accounts import canonical, same_name
from keyturn.model.errors import NotFound
from keyturn.model.estate import SiteCode
from keyturn.model.software import Advertisement, AdvertisementId, ClientKind, owner_of
from keyturn.operations.client_ports import EnrolledClient
from keyturn.operations.inbox_ports import InboxFile
from keyturn.operations.parts import Parts
from keyturn.operations.policy_records import KeptReport
from keyturn.operations.software_owner import is_from_above
from keyturn.operations.software_reading import known_clients
from keyturn.site.status_messages import WORDINGS, MessageId, StatusMessage, worded

NOT_HEARD = "not-heard"

COMPONENTS: Mapping[ClientKind, str] = {
    ClientKind.ADVANCED: "Software Distribution",
    ClientKind.LEGACY: "Available Programs Manager",
}
"""The parts of a client that say how programs fare, as SMS 2003 calls them."""

_MESSAGES = {int(message) for message in MessageId if message.name.startswith("PROGRAM_")}


@dataclass(frozen=True, slots=True)
class ClientStanding:
    """`state` is `NOT_HEARD` or an AdvertisementState. `at` is by the client's clock, `arrived_at` by the site's. `run`
    names one run of a client, from its start to its end.
    `member`: the client is in the collection now, as far as this site knows: who is in it at a site below is known
    there. `site` is the client's, empty for one that was not heard."""

    client: str
    site: str = ""
    state: str = NOT_HEARD
    member: bool = True
    user: str = ""
    program: str = ""
    reason: str = ""
    cause: str = ""
    remedy: str = ""
    message_id: int = 0
    exit_code: int | None = None
    executed_as: str = ""
    login: str = ""
    run: str = ""
    at: float | None = None
    arrived_at: float | None = None
    accesses: tuple[AccessLine, ...] = ()


def advertisement_status(parts: Parts, advertisement_id: AdvertisementId) -> tuple[ClientStanding, ...]:
    """By client, and by user where it runs once for every user: all of the collection, then those that have left it."""
    advertisement = parts.store.advertisement(advertisement_id).advertisement
    told: dict[str, list[KeptReport]] = {}
    for kept in parts.store.standing_reports(advertisement.advertisement_id):
        told.setdefault(canonical(kept.report.machine), []).append(kept)
    try:
        named = members(parts.store.collection(advertisement.collection), known_clients(parts))
    except NotFound:
        named = ()
    found: list[ClientStanding] = []
    for name in named:
        theirs = told.pop(canonical(name), [])
        found += [_standing(name, kept, member=True) for kept in theirs] or [ClientStanding(name)]
    left = (kept for theirs in told.values() for kept in theirs)
    own = parts.settings.site
    return (*found, *(_standing(kept.report.machine, kept, member=kept.site != own) for kept in left))


def history(parts: Parts, advertisement_id: AdvertisementId, client: str) -> tuple[ClientStanding, ...]:
    """Everything that is kept of what one client told of it, in its own order. NotFound for a client that is neither
    heard of nor known here."""
    advertisement = parts.store.advertisement(advertisement_id).advertisement
    kept = parts.store.reports(advertisement.advertisement_id, client)
    if not kept and not any(same_name(client, name) for name in _named(parts, advertisement)):
        this = advertisement.advertisement_id
        raise NotFound(f"no client {client} is known here", hint=f"keyturn advertisement status {this}")
    return tuple(_standing(one.report.machine, one, member=True) for one in kept)


def _named(parts: Parts, advertisement: Advertisement) -> Iterator[str]:
    """The clients of this site, and those that the collection lists of sites below."""
    yield from (known.name for known in known_clients(parts))
    with suppress(NotFound):
        yield from parts.store.collection(advertisement.collection).listed


def summary(standings: tuple[ClientStanding, ...]) -> dict[str, int]:
    """How many in each state that there is."""
    counted = Counter(each.state for each in standings)
    return {state: counted[state] for state in (NOT_HEARD, *AdvertisementState) if counted[state]}


def take_report(parts: Parts, file: InboxFile, report: AdvertisementReport) -> str:
    """Why it is not believed; empty where it is, or where it changes nothing: one that was here before, or is about an
    advertisement that is known no more."""
    client = parts.store.clients_of([report.machine]).get(report.machine)
    kind = _kind(parts, report.machine)
    if client is None or kind is None:
        return f"{report.machine} is no enrolled client of this site"
    if not file.signed and not _signed_by(client, report):
        return f"it does not bear the signature of {report.machine}"
    try:
        parts.store.advertisement(AdvertisementId(report.advertisement))
    except NotFound:
        return ""
    kept = KeptReport(report, client.enrolled_at, file.arrived_at, SiteCode(parts.settings.site))
    if not parts.store.keep_report(kept):
        return ""
    if is_from_above(parts, report.advertisement):
        parts.store.queue_report(owner_of(report.advertisement), ToldReport(report, client.enrolled_at))
    if report.message_id in _MESSAGES:
        parts.store.keep_message(_message(parts, kind, kept))
    return ""


def _signed_by(client: EnrolledClient, report: AdvertisementReport) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(client.verify_key).verify(report.signature, what_is_signed(report))
    except (InvalidSignature, ValueError):
        return False
    return True


def _kind(parts: Parts, machine: str) -> ClientKind | None:
    holder = parts.machine(machine)
    return ClientKind(CLIENT_KINDS[holder.kind]) if holder and holder.kind in CLIENT_KINDS else None


def _message(parts: Parts, kind: ClientKind, kept: KeptReport) -> StatusMessage:
    report, message_id = kept.report, MessageId(kept.report.message_id)
    inserts = {
        "program": f"{report.package} {report.program}",
        "advertisement": report.advertisement,
        "reason": report.reason or "no reason was told",
    }
    return StatusMessage(
        at=kept.arrived_at,
        site=parts.settings.site,
        component=COMPONENTS[kind],
        message_id=message_id,
        severity=WORDINGS[message_id].severity,
        text=worded(message_id, inserts),
        machine=report.machine,
    )


def _standing(name: str, kept: KeptReport, *, member: bool) -> ClientStanding:
    report = kept.report
    return ClientStanding(
        client=name,
        site=kept.site,
        state=report.state.value,
        member=member,
        user=report.user,
        program=f"{report.package} {report.program}",
        reason=report.reason,
        cause=report.cause,
        remedy=EXPLANATIONS[Cause(report.cause)].remedy if report.cause in list(Cause) else "",
        message_id=report.message_id,
        exit_code=report.exit_code,
        executed_as=report.executed_as,
        login=report.login,
        run=report.run,
        at=report.at,
        arrived_at=kept.arrived_at,
        accesses=report.accesses,
    )
