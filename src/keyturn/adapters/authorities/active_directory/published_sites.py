"""Sites that SMS and its successors have published in the container System Management (classes of their own schema
extension, which a domain without them does not know)."""

from collections import defaultdict
from collections.abc import Iterable

from keyturn.adapters.authorities.active_directory.session import Entry, Session
from keyturn.operations.surveys import PublishedSite

CONTAINER = "CN=System Management,CN=System"
_CLASSES = ("mSSMSSite", "mSSMSManagementPoint", "mSSMSServerLocatorPoint", "mSSMSRoamingBoundaryRange")
_WANTED = (
    "objectClass",
    "mSSMSSiteCode",
    "mSSMSMPName",
    "dNSHostName",
    "mSSMSSiteBoundaries",
    "mSSMSRoamingBoundaries",
    "mSSMSRangedIPLow",
    "mSSMSRangedIPHigh",
)


def published_sites(session: Session) -> tuple[PublishedSite, ...]:
    condition = "(|" + "".join(f"(objectClass={name})" for name in _CLASSES) + ")"
    return sites_of(session.every(f"{CONTAINER},{session.base}", condition, _WANTED))


def sites_of(entries: Iterable[Entry]) -> tuple[PublishedSite, ...]:
    """By code. What is published of a site that does not publish itself counts too: a secondary one may not."""
    points: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for entry in entries:
        kind = next((name for name in _CLASSES if name.encode() in entry.values.get("objectclass", ())), "")
        code = entry.text("mSSMSSiteCode").strip().upper()
        if code and kind:
            points[code][kind] += _tells(kind, entry)
    return tuple(
        PublishedSite(
            code,
            management_points=_each(found["mSSMSManagementPoint"]),
            locator_points=_each(found["mSSMSServerLocatorPoint"]),
            boundaries=_each(found["mSSMSSite"] + found["mSSMSRoamingBoundaryRange"]),
        )
        for code, found in sorted(points.items())
    )


def _tells(kind: str, entry: Entry) -> list[str]:
    match kind:
        case "mSSMSSite":
            return [*entry.texts("mSSMSSiteBoundaries"), *entry.texts("mSSMSRoamingBoundaries")]
        case "mSSMSRoamingBoundaryRange":
            low, high = (_address(entry.text(name)) for name in ("mSSMSRangedIPLow", "mSSMSRangedIPHigh"))
            return [f"{low}-{high}"]
        case _:
            return [entry.text("mSSMSMPName") or entry.text("dNSHostName")]


def _address(number: str) -> str:
    """The ends of a range are published as numbers, signed ones."""
    try:
        return ".".join(str(byte) for byte in (int(number) & 0xFFFFFFFF).to_bytes(4))
    except ValueError:
        return "?"


def _each(names: Iterable[str]) -> tuple[str, ...]:
    """A directory keeps no order."""
    return tuple(sorted({name for name in names if name}))
