"""What this machine tells of itself, for the collections of its site. Nothing that is secret, and nothing that changes
from one hour to the next: every change is told."""

import os
import platform
import shutil
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from urllib.parse import urlsplit

from keyturn import __version__

LONGEST = 255
_PACKAGE_SYSTEMS = ("dpkg", "rpm")


def facts_of_this_machine(server: str) -> dict[str, tuple[str, ...]]:
    """`server` is the site's URL: the address is the one by which this machine would reach it. What cannot be found
    out is left out."""
    found = {name: tuple(_printable(find(server))) for name, find in _FACTS.items()}
    return {name: values for name, values in found.items() if values}


def _os_release(key: str) -> Iterator[str]:
    with suppress(OSError):
        yield platform.freedesktop_os_release().get(key, "")


def _os(_: str) -> Iterator[str]:
    """As /etc/os-release has it (freedesktop.org); elsewhere as Python calls it."""
    yield from _os_release("ID") if platform.system() == "Linux" else [platform.system().lower()]


def _os_version(_: str) -> Iterator[str]:
    yield from _os_release("VERSION_ID") if platform.system() == "Linux" else [platform.version()]


def _domain(_: str) -> Iterator[str]:
    """Behind the first dot of the host's own name: no name server is asked."""
    yield platform.node().partition(".")[2]


def _address(server: str) -> Iterator[str]:
    """A datagram socket that is told whom it is for knows where it would send from; nothing is sent."""
    with suppress(OSError, ValueError):
        url = urlsplit(server)
        for family, kind, _, _, place in socket.getaddrinfo(url.hostname, url.port or 443, type=socket.SOCK_DGRAM)[:1]:
            with socket.socket(family, kind) as asked:
                asked.connect(place)
                yield asked.getsockname()[0]


def _memory(_: str) -> Iterator[str]:
    with suppress(OSError, ValueError, AttributeError):
        yield str(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20)


_FACTS: Mapping[str, Callable[[str], Iterator[str]]] = {
    "os": _os,
    "os-version": _os_version,
    "kernel": lambda _: iter([platform.release()]),
    "architecture": lambda _: iter([platform.machine()]),
    "host": lambda _: iter([platform.node().partition(".")[0]]),
    "domain": _domain,
    "address": _address,
    "processors": lambda _: iter([str(os.cpu_count() or "")]),
    "memory-mb": _memory,
    "package-system": lambda _: (name for name in _PACKAGE_SYSTEMS if shutil.which(name)),
    "client-version": lambda _: iter([__version__]),
}


def _printable(values: Iterator[str]) -> Iterator[str]:
    for value in values:
        text = "".join(character for character in value if character.isprintable()).strip()[:LONGEST]
        if text:
            yield text
