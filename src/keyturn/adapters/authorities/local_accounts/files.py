"""An account as the machine's files have it: passwd(5), shadow(5), group(5). Read whole: they are short, and replaced
as a whole by whoever changes them."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from keyturn.model.errors import AuthorityError

_ETC = Path("/etc")
_LOCKED = "!"
_MARK_BYTES = 6
MAKING = "keyturn-making"
"""The comment of an account that has no password yet."""


@dataclass(frozen=True, slots=True)
class Record:
    """Days are counted from the epoch, as shadow(5) does. `hashed` is without the sign that disables it."""

    name: str
    uid: int
    comment: str
    groups: frozenset[str]
    enabled: bool
    changed_day: int | None
    max_days: int | None
    expiry_day: int | None
    hashed: str = field(repr=False)

    @property
    def mark(self) -> int:
        """Another number for every set, as every hash has another salt; 0 without a password. It counts nothing: the
        files keep no more than the day of the last change."""
        if not self.hashed:
            return 0
        return int.from_bytes(hashlib.sha256(self.hashed.encode()).digest()[:_MARK_BYTES])


def machine() -> str:
    """machine-id(5): it stays when the machine is renamed."""
    return _read(_ETC / "machine-id").strip()


def by_name(name: str) -> Record | None:
    return next((_record(fields) for fields in _rows("passwd", 7) if fields[0] == name), None)


def by_uid(uid: int) -> Record | None:
    return next((_record(fields) for fields in _rows("passwd", 7) if fields[2] == str(uid)), None)


def uids() -> frozenset[int]:
    return frozenset(int(fields[2]) for fields in _rows("passwd", 7))


def groups() -> frozenset[str]:
    return frozenset(fields[0] for fields in _rows("group", 4))


def _record(fields: list[str]) -> Record:
    name, _, uid, gid, comment, *_ = fields
    shadow = next((row for row in _rows("shadow", 9) if row[0] == name), [name, "!"] + [""] * 7)
    hashed = shadow[1].lstrip(_LOCKED)
    return Record(
        name=name,
        uid=int(uid),
        comment=comment,
        groups=frozenset(_groups_of(name, gid)),
        enabled=bool(hashed) and not shadow[1].startswith(_LOCKED),
        changed_day=_number(shadow[2]),
        max_days=_number(shadow[4]),
        expiry_day=_number(shadow[7]),
        hashed=hashed if hashed.startswith("$") else "",
    )


def _groups_of(name: str, gid: str) -> Iterator[str]:
    """The group of the account's own name is nobody else's, and so no right to be compared."""
    for group, _, number, members in _rows("group", 4):
        if name in members.split(",") or (number == gid and group != name):
            yield group


def _rows(name: str, width: int) -> Iterator[list[str]]:
    for line in _read(_ETC / name).splitlines():
        fields = line.split(":")
        if len(fields) == width:
            yield fields


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="surrogateescape")
    except PermissionError:
        raise AuthorityError(
            f"{path} may be read by root only, and Keyturn does not run as root", permanent=True
        ) from None
    except OSError as error:
        raise AuthorityError(f"{path}: {error.strerror}", permanent=False) from None


def _number(written: str) -> int | None:
    return int(written) if written.lstrip("-").isdigit() else None
