"""The agent as it travels: the files of this very installation, for a machine with the same kind of Python.

No package index is asked, here or there, and the machine needs neither pip nor venv: a folder with a `__main__.py` is a
program to Python.
"""

import io
import sys
import sysconfig
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from importlib import metadata
from pathlib import Path

import keyturn

NEEDED = ("click", "cryptography", "msgspec", "pyrage", "tomlkit", "urllib3")
"""Distributions that the agent imports; what they need themselves comes with them."""
WELCOME = ("smbprotocol", "mfusepy")
"""For access points on a share, and for the shares that programs reach. Taken along where this installation has
them."""
_PROGRAM = "from keyturn.wiring import main\n\nmain()\n"
_LEFT_BEHIND = ("__pycache__", "tests")


@dataclass(frozen=True, slots=True)
class Payload:
    """`python` is major and minor, `soabi` what compiled modules are made for (PEP 3149)."""

    archive: bytes = field(repr=False)
    digest: str
    python: tuple[int, int]
    soabi: str


@cache
def payload() -> Payload:
    """About a second of work, and the same bytes each time."""
    archive = _packed()
    soabi = str(sysconfig.get_config_var("SOABI"))
    return Payload(archive, sha256(archive).hexdigest()[:16], sys.version_info[:2], soabi)


def _packed() -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=6) as archive:
        _add(archive, "__main__.py", _PROGRAM.encode(), 0o644)
        for name, path in sorted({**dict(_own()), **dict(_others())}.items()):
            _add(archive, name, path.read_bytes(), 0o755 if path.suffix == ".so" else 0o644)
    return _without_time(packed.getvalue())


def _add(archive: tarfile.TarFile, name: str, content: bytes, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    archive.addfile(entry, io.BytesIO(content))


def _without_time(archive: bytes) -> bytes:
    """RFC 1952: bytes 4 to 7 of a gzip file are when it was made."""
    return archive[:4] + bytes(4) + archive[8:]


def _own() -> Iterator[tuple[str, Path]]:
    """By the package and not by its distribution, which in a development tree names no files."""
    package = Path(keyturn.__file__).parent
    for path in package.rglob("*"):
        if path.is_file() and not set(path.parts) & set(_LEFT_BEHIND):
            yield str(Path("keyturn") / path.relative_to(package)), path


def _others() -> Iterator[tuple[str, Path]]:
    for distribution in _closure():
        for file in distribution.files or ():
            path = Path(str(distribution.locate_file(file)))
            if ".." not in file.parts and not set(file.parts) & set(_LEFT_BEHIND) and path.is_file():
                yield str(file), path


def _closure() -> Iterator[metadata.Distribution]:
    waiting, seen = [*NEEDED, *WELCOME], set[str]()
    while waiting:
        name = _plain(waiting.pop())
        if name in seen:
            continue
        seen.add(name)
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # not for this system, or one of the welcome ones
        yield distribution
        waiting += [_required(text) for text in distribution.requires or () if "extra ==" not in text]


def _required(text: str) -> str:
    """`cffi>=1.14; platform…` is `cffi`."""
    end = next((at for at, character in enumerate(text) if not (character.isalnum() or character in "-_.")), len(text))
    return text[:end]


def _plain(name: str) -> str:
    return name.lower().replace("_", "-")
