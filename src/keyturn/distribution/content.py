"""The content of a package by what it is: every file by its SHA-256, all of them by one digest.

The canonical form is JSON with sorted keys, files in the order of their paths, nothing left to choose: the same
content has the same bytes everywhere. A manifest that any machine of a fleet could not hold is refused before it
is one.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any

from keyturn.model.errors import Refused
from keyturn.model.software import File, Manifest, PackageId

MAX_FILES = 100_000
MAX_PATH = 1024
MAX_SEGMENT = 255
"""Both in bytes of UTF-8."""
MAX_MANIFEST = 32 * 1024 * 1024
"""Bytes of the canonical form; a longer one is not read."""
MAX_FILE_SIZE = 2**48

_FORM = 1
_PACKAGE = re.compile(r"[A-Za-z0-9]{3}[0-9A-Fa-f]{5}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NOT_ON_WINDOWS = frozenset('<>:"|?*\\')
_DEVICES = frozenset(
    ("con", "prn", "aux", "nul", *(f"com{n}" for n in range(10)), *(f"lpt{n}" for n in range(10)))
)  # reserved with any extension (Microsoft Learn, "Naming Files, Paths, and Namespaces")


class BadContent(Refused):
    """A package's files cannot be distributed as they are, or a manifest is none."""


def manifest_of(package: PackageId, version: int, files: Iterable[File]) -> Manifest:
    """BadContent, with the names, where one of the files could not be on every machine or two could not be on one."""
    ordered = tuple(sorted((_checked(file) for file in files), key=lambda file: file.path))
    if len(ordered) > MAX_FILES:
        raise BadContent(f"{package} has more than {MAX_FILES} files", hint="pack them into an archive")
    _refuse_clashes(ordered)
    body = _form(package, version, ordered)
    if len(body) > MAX_MANIFEST:
        raise BadContent(f"the list of the files of {package} is longer than {MAX_MANIFEST} bytes")
    return Manifest(package, version, ordered, hashlib.sha256(body).hexdigest())


def canonical(manifest: Manifest) -> bytes:
    return _form(manifest.package, manifest.version, manifest.files)


def read_manifest(body: bytes) -> Manifest:
    """BadContent for everything that `canonical` would not have written, byte for byte."""
    if len(body) > MAX_MANIFEST:
        raise BadContent("the manifest is too long")
    try:
        manifest = _understood(json.loads(body))
    except (ValueError, KeyError, TypeError, RecursionError):
        raise BadContent("this is no manifest") from None
    if canonical(manifest) != body:
        raise BadContent("this manifest is not in its canonical form")
    return manifest


def relative_path(text: str) -> str:
    """A path as it stands in a manifest: with slashes, in Unicode's composed form (NFC), so that a name typed on one
    system is the same on all. BadContent for one that leaves its folder or that some system cannot hold."""
    path = unicodedata.normalize("NFC", text)
    trouble = _trouble(path)
    if trouble:
        raise BadContent(f"{ascii(text)[:200]} {trouble}", hint="rename it in the source of the package")
    return path


def folder_of(package: PackageId, version: int) -> str:
    """Of one version of a package at a distribution point."""
    return f"{package}.{version}"


def folder_named(name: str) -> tuple[PackageId, int] | None:
    """What a folder at a distribution point is of; None for one that is not ours."""
    package, dot, version = name.partition(".")
    if not dot or not _PACKAGE.fullmatch(package) or not re.fullmatch(r"[1-9][0-9]{0,8}", version):
        return None
    return PackageId(package), int(version)


def _checked(file: File) -> File:
    if relative_path(file.path) != file.path:
        raise BadContent(f"{ascii(file.path)[:200]} is not in Unicode's composed form")
    if not 0 <= file.size <= MAX_FILE_SIZE:
        raise BadContent(f"{file.path} has no possible size")
    if not _SHA256.fullmatch(file.sha256):
        raise BadContent(f"{file.path} has no SHA-256")
    return file


def _trouble(path: str) -> str:
    """What is wrong with it, or empty."""
    try:
        length = len(path.encode())
    except UnicodeEncodeError:
        return "is no name in UTF-8"
    if length > MAX_PATH:
        return f"is longer than {MAX_PATH} bytes"
    if path.startswith("/"):
        return "begins at the root"
    return next((trouble for segment in path.split("/") if (trouble := _trouble_of_segment(segment))), "")


def _trouble_of_segment(segment: str) -> str:
    if not segment:
        return "has an empty name in it"
    if segment in (".", ".."):
        return "leaves its folder"
    if len(segment.encode()) > MAX_SEGMENT:
        return f"has a name of more than {MAX_SEGMENT} bytes"
    if any(character in _NOT_ON_WINDOWS or unicodedata.category(character) == "Cc" for character in segment):
        return "has a character that Windows cannot have in a name"
    if segment[-1] in ". ":
        return "ends a name with a dot or a space, which Windows drops"
    if segment.partition(".")[0].rstrip(" ").casefold() in _DEVICES:
        return "is the name of a device on Windows"
    return ""


def _refuse_clashes(files: tuple[File, ...]) -> None:
    """Where case makes no difference, no two of them may be one, nor a file be a folder, nor a folder be written in
    two ways."""
    taken: dict[str, str] = {}
    for path in (file.path for file in files):
        key = _key(path)
        if key in taken:
            raise _clash(taken[key], path)
        taken[key] = path
    folders: dict[str, str] = {}
    for path in taken.values():
        for folder in _folders(path):
            other = taken.get(_key(folder)) or folders.setdefault(_key(folder), folder)
            if other != folder:
                raise _clash(other, folder)
            if _key(folder) in taken:
                raise _clash(other, path)


def _key(path: str) -> str:
    return unicodedata.normalize("NFC", path.casefold())


def _folders(path: str) -> Iterator[str]:
    at = path.find("/")
    while at >= 0:
        yield path[:at]
        at = path.find("/", at + 1)


def _clash(one: str, other: str) -> BadContent:
    return BadContent(
        f"{one} and {other} are one where case makes no difference", hint="rename one in the source of the package"
    )


def _form(package: PackageId, version: int, files: Iterable[File]) -> bytes:
    listed = [
        {"executable": file.executable, "path": file.path, "sha256": file.sha256, "size": file.size} for file in files
    ]
    document = {"files": listed, "form": _FORM, "package": package, "version": version}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def _understood(document: Any) -> Manifest:
    """Anything missing or of another kind is a KeyError, TypeError or ValueError; anything besides is found when it is
    written again."""
    package, version = document["package"], document["version"]
    if document["form"] != _FORM or not isinstance(package, str) or not _PACKAGE.fullmatch(package):
        raise ValueError
    if type(version) is not int or not 0 < version < 10**9:
        raise ValueError
    return manifest_of(PackageId(package), version, (_file(entry) for entry in document["files"]))


def _file(entry: Any) -> File:
    path, size, digest, executable = entry["path"], entry["size"], entry["sha256"], entry["executable"]
    if type(path) is not str or type(size) is not int or type(digest) is not str or type(executable) is not bool:
        raise TypeError
    return File(path, size, digest, executable)
