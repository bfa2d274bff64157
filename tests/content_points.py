"""Distribution points in a folder of the test's own, which fail as real ones do."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from keyturn.distribution.accesses import Access
from keyturn.distribution.content import canonical, folder_of, manifest_of
from keyturn.distribution.presenting import Note, NotLetIn, Presentable
from keyturn.distribution.run_context import Machine
from keyturn.distribution.signed_content import PURPOSE, write_signed
from keyturn.model.logon import Answer
from keyturn.model.software import (
    Advertisement,
    AdvertisementId,
    CollectionId,
    DistributionPoint,
    File,
    Manifest,
    Offer,
    Package,
    PackageId,
    Program,
    ProgramName,
)
from keyturn.site.keys import SiteKeys, new_keys
from keyturn.wire.agent import NoAnswer

KEYS = new_keys()
PACKAGE = PackageId("PHX00001")
MACHINE = Presentable(Machine())


@dataclass
class FolderPoint:
    """`answers` for identities that are not let in, by name. `cut_after` bytes the point goes away, once for each
    number in it. `asked` are the files and offsets that were asked for."""

    folder: Path
    answers: Mapping[str, Answer] = field(default_factory=dict)
    refused_files: Mapping[str, Answer] = field(default_factory=dict)
    gone: bool = False
    cut_after: list[int] = field(default_factory=list)
    piece: int = 1000
    asked: list[tuple[str, int]] = field(default_factory=list)
    presented: list[str] = field(default_factory=list)

    @contextmanager
    def reach(self, identity: Presentable, order: int, note: Note) -> Iterator["FolderPoint"]:
        name = str(identity.identity)
        if self.gone:
            note(Access(str(self.folder), name, order, None, 0, 0.0))
            raise NoAnswer("nobody there")
        self.presented.append(name)
        answer = self.answers.get(name, Answer.ACCEPTED)
        access = Access(str(self.folder), name, order, answer, 0, 0.0)
        note(access)
        if answer is Answer.WRONG_PASSWORD:
            identity.spoiled()
        if answer is not Answer.ACCEPTED:
            raise NotLetIn(access)
        yield self

    def read(self, path: str, offset: int) -> Iterator[bytes]:
        self.asked.append((path, offset))
        if path in self.refused_files or not (self.folder / path).exists():
            answer = self.refused_files.get(path, Answer.NO_FILE)
            raise NotLetIn(Access(str(self.folder / path), "", 1, answer, 404, 0.0))
        left = self.cut_after.pop(0) if self.cut_after and "/files/" in path else None
        with (self.folder / path).open("rb") as file:
            file.seek(offset)
            while piece := file.read(self.piece if left is None else min(self.piece, left)):
                yield piece
                left = None if left is None else left - len(piece)
            if left == 0:
                raise NoAnswer("the point went away")


def publish(folder: Path, files: Mapping[str, bytes], *, version: int = 1, keys: SiteKeys = KEYS) -> Manifest:
    """A version of the package, whole and signed, as a point has it."""
    listed = [File(p, len(c), hashlib.sha256(c).hexdigest(), p.endswith(".sh")) for p, c in files.items()]
    manifest = manifest_of(PACKAGE, version, listed)
    root = folder / folder_of(PACKAGE, version)
    for path, content in files.items():
        (root / "files" / path).parent.mkdir(parents=True, exist_ok=True)
        (root / "files" / path).write_bytes(content)
    root.mkdir(parents=True, exist_ok=True)
    (root / "manifest.json").write_bytes(write_signed(manifest, keys.signing.sign(PURPOSE + canonical(manifest))))
    return manifest


def offer_of(manifest: Manifest, *points: str) -> Offer:
    name = ProgramName(manifest.package, "install")
    return Offer(
        Advertisement(AdvertisementId("PHX20000"), name, CollectionId("PHX00009"), 0),
        Program(manifest.package, name.name, "install.sh"),
        Package(manifest.package, "Seven", source_version=manifest.version),
        manifest.digest,
        tuple(DistributionPoint(place, place) for place in points),
    )
