"""Files of a machine read with care: no device is waited on, no link is followed, nothing large is taken in."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from keyturn.wire.scan import NotRead

LARGEST = 1 << 20
"""Bytes. A file of settings is smaller."""
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Text:
    path: Path
    text: str


def read_below(place: Path) -> Iterator[Text | NotRead]:
    """The place itself if it is a file, else every file below it. What is not there, no text, or only a link, is
    passed over: what a link leads to is read where it lies, if that is among the places."""
    if not place.is_dir():
        yield from _read(place)
        return
    unseen: list[NotRead] = []

    def keep(error: OSError) -> None:
        unseen.append(NotRead(str(error.filename), error.strerror or type(error).__name__))

    for folder, inner, names in os.walk(place, onerror=keep):
        inner.sort()
        for name in sorted(names):
            yield from _read(Path(folder, name))
    yield from unseen


def _read(path: Path) -> Iterator[Text | NotRead]:
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    except OSError as error:
        yield NotRead(str(path), error.strerror or type(error).__name__)
        return
    with open(number, "rb") as file:
        found = file.read(LARGEST + 1)
    if len(found) > LARGEST:
        yield NotRead(str(path), f"larger than {LARGEST >> 20} MiB")
    elif found[:2] in _UTF16:
        yield Text(path, found.decode("utf-16", "replace"))
    elif b"\0" not in found:
        yield Text(path, found.decode("utf-8", "replace"))
