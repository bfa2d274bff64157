"""Who may do what to an entry, read from its security descriptor (MS-DTYP 2.4.4 to 2.4.6, MS-ADTS 5.1.3.3)."""

import struct
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from uuid import UUID

from keyturn.adapters.authorities.active_directory.formats import sid_text

CREATE_CHILD, DELETE_CHILD, LIST, READ, WRITE = 0x1, 0x2, 0x4, 0x10, 0x20
CONTROL = 0x100
"""An extended right, such as to reset a password."""
DELETE = 0x10000
_ALL = {0x10000000: 0xF01FF}
"""What GENERIC_ALL stands for in a directory."""

_ALLOWED, _DENIED, _OBJECT_ALLOWED, _OBJECT_DENIED = 0, 1, 5, 6
_CONTAINER_INHERIT, _INHERIT_ONLY, _NO_PROPAGATE = 0x2, 0x8, 0x4
_HAS_TYPE, _HAS_INHERITED_TYPE = 1, 2


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the list. `about` is the attribute, the set of them, the class or the extended right that it is
    limited to; `inherited_by` the class of the entries below that get it."""

    allows: bool
    mask: int
    who: str
    flags: int
    about: UUID | None = None
    inherited_by: UUID | None = None


def entries(descriptor: bytes) -> tuple[Entry, ...]:
    """In their order. A kind of entry that neither allows nor denies is left out."""
    at = int.from_bytes(descriptor[16:20], "little")
    count = int.from_bytes(descriptor[at + 4 : at + 6], "little")
    return tuple(_entries(descriptor, at + 8, count))


def allowed(
    lines: Iterable[Entry], sids: Collection[str], right: int, about: Collection[UUID] = (), *, of_class: UUID
) -> bool:
    """Whether somebody with these identities may. The first line that speaks of it decides; silence is a no."""
    for line in lines:
        if line.flags & _INHERIT_ONLY or line.who not in sids or not line.mask & right:
            continue
        if line.inherited_by not in (None, of_class):
            continue
        if line.about is None or line.about in about:
            return line.allows
    return False


def below(lines: Iterable[Entry], of_class: UUID) -> tuple[Entry, ...]:
    """What an entry of that class made here would inherit."""
    return tuple(
        replace(line, flags=line.flags & ~_INHERIT_ONLY)
        for line in lines
        if line.flags & _CONTAINER_INHERIT and line.inherited_by in (None, of_class)
    )


def _entries(raw: bytes, at: int, count: int) -> Iterator[Entry]:
    for _ in range(count):
        kind, flags, size, mask = struct.unpack_from("<BBHI", raw, at)
        body, end = at + 8, at + size
        mask = _ALL.get(mask, mask)
        if kind in (_ALLOWED, _DENIED):
            yield Entry(kind == _ALLOWED, mask, sid_text(raw[body:end]), flags)
        elif kind in (_OBJECT_ALLOWED, _OBJECT_DENIED):
            present = int.from_bytes(raw[body : body + 4], "little")
            body += 4
            about, body = _uuid(raw, body, present & _HAS_TYPE)
            heirs, body = _uuid(raw, body, present & _HAS_INHERITED_TYPE)
            yield Entry(kind == _OBJECT_ALLOWED, mask, sid_text(raw[body:end]), flags, about, heirs)
        at = end


def _uuid(raw: bytes, at: int, present: int) -> tuple[UUID | None, int]:
    return (UUID(bytes_le=raw[at : at + 16]), at + 16) if present else (None, at)
