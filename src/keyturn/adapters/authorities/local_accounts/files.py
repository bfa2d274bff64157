"""An account as the machine's files have it: passwd(5), shadow(5), group(5). Read whole and at once: they are short,
and replaced as a whole by whoever changes them."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from keyturn.adapters.authorities.local_accounts.programs import Machine
from keyturn.model.errors import AuthorityError

_MACHINE_ID, _PASSWD, _SHADOW, _GROUP = _PATHS = ("/etc/machine-id", "/etc/passwd", "/etc/shadow", "/etc/group")
LOCKED = "!"
"""Before a hash, it disables the account."""
_MARK_BYTES = 6
MAKING = "keyturn-making"
"""The comment of an account that has no password yet."""


@dataclass(frozen=True, slots=True)
class Record:
    """`sid` is made of the machine's own identity and the account's number. Days are counted from the epoch, as
    shadow(5) does. `hashed` is without the sign that disables it."""

    sid: str
    name: str
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


@dataclass(frozen=True, slots=True)
class Files:
    """One reading. `machine` is its machine-id(5), which stays when it is renamed."""

    machine: str
    passwd: tuple[tuple[str, ...], ...] = field(repr=False)
    shadow: tuple[tuple[str, ...], ...] = field(repr=False)
    group: tuple[tuple[str, ...], ...] = field(repr=False)

    def by_name(self, name: str) -> Record | None:
        return next((self._record(row) for row in self.passwd if row[0] == name), None)

    def by_sid(self, sid: str) -> Record | None:
        return next((self._record(row) for row in self.passwd if self._sid(row[2]) == sid), None)

    def uids(self) -> frozenset[int]:
        return frozenset(int(row[2]) for row in self.passwd)

    def groups(self) -> frozenset[str]:
        return frozenset(row[0] for row in self.group)

    def _record(self, row: tuple[str, ...]) -> Record:
        name, _, uid, gid, comment, *_ = row
        shadow = next((row for row in self.shadow if row[0] == name), (name, LOCKED, *[""] * 7))
        hashed = shadow[1].lstrip(LOCKED)
        return Record(
            sid=self._sid(uid),
            name=name,
            comment=comment,
            groups=frozenset(self._groups_of(name, gid)),
            enabled=bool(hashed) and not shadow[1].startswith(LOCKED),
            changed_day=_number(shadow[2]),
            max_days=_number(shadow[4]),
            expiry_day=_number(shadow[7]),
            hashed=hashed if hashed.startswith("$") else "",
        )

    def _sid(self, uid: str) -> str:
        return f"{self.machine}-{uid}"

    def _groups_of(self, name: str, gid: str) -> Iterator[str]:
        """The group of the account's own name is nobody else's, and so no right to be compared."""
        for group, _, number, members in self.group:
            if name in members.split(",") or (number == gid and group != name):
                yield group


def read(machine: Machine) -> Files:
    """AuthorityError where one of the four cannot be read."""
    lines = tuple(named_lines(machine.run("grep", "-aH", ".", *_PATHS)))

    def rows(path: str, width: int) -> tuple[tuple[str, ...], ...]:
        split = (tuple(line.split(":")) for name, line in lines if name == path)
        return tuple(row for row in split if len(row) == width)

    found = next((line.strip() for path, line in lines if path == _MACHINE_ID), "")
    if not found:
        raise AuthorityError(f"{_MACHINE_ID} is empty", permanent=False)
    return Files(found, rows(_PASSWD, 7), rows(_SHADOW, 9), rows(_GROUP, 4))


def named_lines(printed: str) -> Iterator[tuple[str, str]]:
    """What `grep -H` says: every line with the path of its file."""
    for line in printed.splitlines():
        path, _, content = line.partition(":")
        yield path, content


def _number(written: str) -> int | None:
    return int(written) if written.lstrip("-").isdigit() else None
