"""How Active Directory writes identities, moments, spans and passwords (MS-ADTS, MS-DTYP)."""

from keyturn.model.secret import Secret

_TICKS = 10_000_000
"""A second has so many steps of 100 ns."""
_EPOCH_1601_S = 11_644_473_600
_NEVER = -(2**63)


def sid_text(raw: bytes) -> str:
    """`S-1-5-21-…` (MS-DTYP 2.4.2)."""
    authority = int.from_bytes(raw[2:8], "big")
    parts = (int.from_bytes(raw[at : at + 4], "little") for at in range(8, 8 + 4 * raw[1], 4))
    return "-".join(["S", str(raw[0]), str(authority), *map(str, parts)])


def neighbour(sid: str, rid: int) -> str:
    """The identity with that number in the same domain."""
    return f"{sid.rpartition('-')[0]}-{rid}"


def moment(ticks: int) -> float | None:
    """Seconds since 1970; None for never."""
    return ticks / _TICKS - _EPOCH_1601_S if ticks else None


def span(ticks: int) -> float:
    """Seconds; 0 for a span without end, which is how a `RealmPolicy` writes that too."""
    return 0 if ticks == _NEVER else -ticks / _TICKS


def unicode_password(secret: Secret) -> bytes:
    """MS-ADTS 3.1.1.3.1.5.1: in quotes, two bytes a character."""
    return f'"{secret.reveal()}"'.encode("utf-16-le")
