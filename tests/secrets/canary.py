"""Secrets planted to be searched for: in files, in texts, and in every form in which software writes text down.

Compressed or encrypted text is out of reach of the search, and so is a secret written a few characters at a time.
"""

import base64
import html
import json
import secrets
import string
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, quote_plus

import pytest

SHORTEST = 10
"""Characters, or bytes. Anything shorter turns up in random data by itself."""

LONG_ENOUGH_FOR_HALVES = 20
"""From here on each half counts as the whole: messages are cut, columns wrapped, database pages split."""


@dataclass(frozen=True, slots=True)
class Canary:
    """`name` is what a finding calls it."""

    name: str
    traces: dict[bytes, str] = field(repr=False)
    """What to search for, and the form that would be."""


@dataclass(frozen=True, slots=True)
class Leak:
    """Where a canary was found, in words that do not repeat it."""

    canary: str
    form: str
    place: str

    def __str__(self) -> str:
        return f"{self.canary}, {self.form}, in {self.place}"


Place = str | Path
S = TypeVar("S", bound=str | bytes)


class Canaries:
    """The secrets of one test. A folder is searched whole, the names of its files too."""

    def __init__(self) -> None:
        self._known: dict[str, Canary] = {}

    def plant(self, name: str, length: int = 24) -> str:
        """A new password that the usual policies take, with characters of all four classes."""
        letters = string.ascii_letters + string.digits
        drawn = "".join(secrets.choice(letters) for _ in range(length - 4))
        middle = len(drawn) // 2
        return self.learn(name, f"{drawn[:middle]}aB7-{drawn[middle:]}")

    def learn(self, name: str, secret: S) -> S:
        """Search from now on for a secret that the product made: a text, or a key. One name may stand for several."""
        canary = self._known.setdefault(name, Canary(name, {}))
        for form, trace in _traces(secret):
            canary.traces.setdefault(trace, form)
        return secret

    def leaks(
        self,
        paths: Iterable[Path],
        texts: Mapping[str, str | bytes],
        asked_for: Collection[tuple[str, Place]] = (),
    ) -> list[Leak]:
        """`asked_for` names the canaries that belong in a place, by its path or by its name in `texts`."""
        return [
            Leak(canary.name, form, str(place))
            for place, content in _places(paths, texts)
            for canary in self._known.values()
            if (canary.name, place) not in asked_for
            for form in sorted({form for trace, form in canary.traces.items() if trace in content})
        ]

    def nothing_leaked(
        self,
        paths: Iterable[Path],
        texts: Mapping[str, str | bytes],
        asked_for: Collection[tuple[str, Place]] = (),
    ) -> None:
        """Fails naming every canary found and where, never the canary itself."""
        __tracebackhide__ = True
        if not self._known:
            raise ValueError("nothing was planted, so nothing could be found")
        if leaks := self.leaks(paths, texts, asked_for):
            pytest.fail("leaked:\n" + "\n".join(map(str, leaks)), pytrace=False)


@pytest.fixture
def canaries() -> Canaries:
    return Canaries()


def _traces(secret: str | bytes) -> Iterator[tuple[str, bytes]]:
    """Every form of the secret or, where that is long enough, of its halves: whoever finds the whole finds them."""
    if len(secret) < SHORTEST:
        raise ValueError(f"a canary has at least {SHORTEST} characters")
    half = len(secret) // 2
    parts = [secret[:half], secret[half:]] if len(secret) >= LONG_ENOUGH_FOR_HALVES else [secret]
    for part in parts:
        if isinstance(part, str):
            for form, write in _FORMS_OF_TEXT.items():
                yield from ((form, trace) for trace in write(part))
        for data in (part,) if isinstance(part, bytes) else (part.encode(), *_wide(part)):
            for form, encode in _FORMS_OF_BYTES.items():
                yield from ((form, trace) for trace in encode(data))


def _base64(data: bytes) -> Iterator[bytes]:
    """The characters that stay the same whatever stands before and after, at each of the three alignments."""
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + data)
        whole = encoded[-(-before * 8 // 6) : (before + len(data)) * 8 // 6]
        yield whole
        yield whole.translate(bytes.maketrans(b"+/", b"-_"))


def _wide(text: str) -> tuple[bytes, bytes]:
    return text.encode("utf-16-le"), text.encode("utf-16-be")


_FORMS_OF_TEXT: dict[str, Callable[[str], Iterable[bytes]]] = {
    "in clear": lambda text: [text.encode()],
    "in UTF-16": _wide,
    "in JSON": lambda text: [json.dumps(text)[1:-1].encode()],
    "as a Python literal": lambda text: [repr(text)[1:-1].encode()],
    "in HTML": lambda text: [html.escape(text).encode()],
    "in a URL": lambda text: [quote(text, safe="").encode(), quote_plus(text).encode()],
    "percent-encoded throughout": lambda text: [
        "".join(f"%{byte:{case}}" for byte in text.encode()).encode() for case in ("02x", "02X")
    ],
}
_FORMS_OF_BYTES: dict[str, Callable[[bytes], Iterable[bytes]]] = {
    "in raw bytes": lambda data: [data],
    "in hexadecimal": lambda data: [data.hex().encode(), data.hex().upper().encode()],
    "in Base64": _base64,
}


def _places(paths: Iterable[Path], texts: Mapping[str, str | bytes]) -> Iterator[tuple[Place, bytes]]:
    for name, text in texts.items():
        yield name, text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            yield f"the name of {file.parent.name}/…", bytes(file.relative_to(path.parent))
            if file.is_file():
                with suppress(FileNotFoundError):  # a database's log goes when its last user does
                    yield file, file.read_bytes()
