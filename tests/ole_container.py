"""Writes OLE2 containers ([MS-CFB]), honest ones and such as no program would write."""

import struct
from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

MSI = UUID("000C1084-0000-0000-C000-000000000046")
MST = UUID("000C1082-0000-0000-C000-000000000046")
MSP = UUID("000C1086-0000-0000-C000-000000000046")

_END, _FREE, _FAT, _DIFAT, _NONE = 0xFFFF_FFFE, 0xFFFF_FFFF, 0xFFFF_FFFD, 0xFFFF_FFFC, 0xFFFF_FFFF
_SMALL, _MINI = 4096, 64


def write_container(
    file: Path, streams: Mapping[str, bytes], kind: UUID = MSI, *, hole: int = 0, sector: int = 512
) -> Path:
    """`hole` bytes of a further stream take no room on the disk."""
    shift = sector.bit_length() - 1
    fat: list[int] = []
    written = bytearray()

    def chain(content: bytes) -> int:
        """Into the file; returns the first sector."""
        if not content:
            return _END
        first, count = len(fat), -(-len(content) // sector)
        fat.extend([*range(first + 1, first + count), _END])
        written.extend(content.ljust(count * sector, b"\0"))
        return first

    mini, mini_fat, entries = bytearray(), list[int](), list[tuple[str, int, int]]()
    for name, content in streams.items():
        if len(content) >= _SMALL:
            entries.append((name, chain(content), len(content)))
            continue
        first, count = len(mini_fat), -(-len(content) // _MINI)
        mini_fat.extend([*range(first + 1, first + count), _END] if count else [])
        mini.extend(content.ljust(count * _MINI, b"\0"))
        entries.append((name, first if count else _END, len(content)))
    root = (chain(bytes(mini)), len(mini))
    mini_start = chain(struct.pack(f"<{len(mini_fat)}I", *mini_fat))
    hole_sectors = -(-hole // sector)
    if hole:
        entries.append(("Payload", 0, hole))
    directory = chain(_directory(entries, root, kind, sector))
    hole_at = len(fat)
    if hole:
        at = written.index("Payload".encode("utf-16-le"))
        written[at + 116 : at + 120] = struct.pack("<I", hole_at)
        fat.extend([*range(hole_at + 1, hole_at + hole_sectors), _END])

    numbers = sector // 4
    fats, difats = _tables_for(len(fat), numbers)
    fat_at = len(fat)
    fat.extend([_FAT] * fats + [_DIFAT] * difats)
    fat_sectors = list(range(fat_at, fat_at + fats))
    header = struct.pack(
        "<8s16xHHHHH6xIIIIIIIII",
        bytes.fromhex("d0cf11e0a1b11ae1"),
        0x3E, 3 if sector == 512 else 4, 0xFFFE, shift, 6,
        0 if sector == 512 else 1, fats, directory, 0, _SMALL,
        mini_start, -(-len(mini_fat) * 4 // sector), fat_at + fats if difats else _END, difats,
    )  # fmt: skip
    header += struct.pack("<109I", *(fat_sectors + [_FREE] * 109)[:109])
    with file.open("wb") as out:
        out.write(header.ljust(sector, b"\0"))
        out.write(written)
        out.seek(hole_sectors * sector, 1)
        out.write(struct.pack(f"<{fats * numbers}I", *fat, *[_FREE] * (fats * numbers - len(fat))))
        out.write(_difat(fat_sectors[109:], fat_at + fats, difats, numbers))
    return file


def _tables_for(sectors: int, numbers: int) -> tuple[int, int]:
    """How many sectors of FAT and DIFAT it takes, themselves included."""
    fats = difats = 0
    while True:
        wanted = -(-(sectors + fats + difats) // numbers)
        more = -(-max(0, wanted - 109) // (numbers - 1))
        if (wanted, more) == (fats, difats):
            return fats, difats
        fats, difats = wanted, more


def _difat(sectors: list[int], at: int, count: int, numbers: int) -> bytes:
    parts = []
    for place in range(count):
        own = sectors[place * (numbers - 1) : (place + 1) * (numbers - 1)]
        following = at + place + 1 if place + 1 < count else _END
        parts.append(struct.pack(f"<{numbers}I", *own, *[_FREE] * (numbers - 1 - len(own)), following))
    return b"".join(parts)


def _directory(entries: list[tuple[str, int, int]], root: tuple[int, int], kind: UUID, sector: int) -> bytes:
    """A balanced tree below the root, in the order given."""
    links: dict[int, tuple[int, int]] = {}

    def middle(low: int, high: int) -> int:
        if low > high:
            return _NONE
        at = (low + high) // 2
        links[at] = (middle(low, at - 1), middle(at + 1, high))
        return at

    top = middle(1, len(entries))
    rows = [_entry("Root Entry", 5, (_NONE, _NONE, top), kind, *root)]
    for at, (name, first, size) in enumerate(entries, start=1):
        rows.append(_entry(name, 2, (*links[at], _NONE), UUID(int=0), first, size))
    directory = b"".join(rows)
    return directory + _entry("", 0, (_NONE, _NONE, _NONE), UUID(int=0), 0, 0) * (-len(rows) % (sector // 128))


def _entry(name: str, kind: int, links: tuple[int, int, int], clsid: UUID, first: int, size: int) -> bytes:
    stored = name.encode("utf-16-le")
    length = len(stored) + 2 if stored else 0
    head = struct.pack("<64sHBBIII16s", stored, length, kind, 1, *links, clsid.bytes_le)
    return head + struct.pack("<20xIQ", first, size)
