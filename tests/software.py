"""Sites that author software: an inner site that reads sources below its own folder."""

from dataclasses import replace
from pathlib import Path

from keyturn.adapters.content.arriving import FolderArriving
from keyturn.adapters.content.blobs import FolderBlobs
from keyturn.adapters.content.folder import FolderSource
from keyturn.adapters.msi_files import open_package
from keyturn.distribution.msi.package import Package as MsiPackage
from keyturn.model.errors import Refused
from keyturn.model.software import Advertisement, AdvertisementId, CollectionId, Event, PackageId, Program, ProgramName
from keyturn.operations import advertising, software_collections, software_packages, software_programs
from keyturn.operations.content_ports import ContentParts, SharedFolder
from keyturn.operations.parts import Parts
from keyturn.operations.software_packages import NewPackage
from tests.inner_site import InnerSite, site_in

ESTATE = """
product = "sms2003"

[[realm]]
name = "CORP"

[[site]]
code = "PHX"
realm = "CORP"
server = "SRV-PHX"

[[site_system]]
name = "SRV-PHX"
site = "PHX"
roles = ["distribution-point"]

[[client]]
name = "PC-0001"
kind = "advanced"
site = "PHX"

[[client]]
name = "PC-0002"
kind = "legacy"
site = "PHX"
"""

PACKAGE, INSTALL = PackageId("PHX00001"), ProgramName(PackageId("PHX00001"), "Install")
DESKS, OFFER = CollectionId("PHXC0001"), AdvertisementId("PHX20001")


def software_site(folder: Path, *, two_person_approval: bool) -> InnerSite:
    """Whose packages lie below `sources`."""

    def wrap(parts: Parts) -> Parts:
        settings = replace(parts.settings, package_sources=(str(folder / "sources"),))
        blobs = FolderBlobs(folder / "content")
        content = ContentParts(blobs, FolderArriving(folder / "content", blobs), FolderSource, no_share)
        return replace(parts, settings=settings, content=content, open_msi=_open_msi)

    return site_in(folder, ESTATE, two_person_approval=two_person_approval, wrap=wrap)


def source_of(site: InnerSite, name: str, **files: str) -> str:
    """A folder with these files, by their names; one that is there gets them besides."""
    folder = site.folder / "sources" / name
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in files.items():
        (folder / file).write_text(text)
    return str(folder)


def author(site: InnerSite, *, by: str = "olga", program: Program | None = None) -> None:
    """A package with one program, brought nowhere, and a collection of one client."""
    source = source_of(site, "editor", install="the editor")
    software_packages.add(site.parts, NewPackage("Editor", source), by=by)
    software_packages.update(site.parts, PACKAGE, by=by)
    software_programs.add(site.parts, program or Program(PACKAGE, "Install", "./install"), by=by)
    software_collections.add(site.parts, "Desks", ["PC-0001"], [], by=by)


def wanted(**changed: object) -> Advertisement:
    plain = Advertisement(AdvertisementId(""), INSTALL, DESKS, 1000.0, assignments=(Event.AS_SOON_AS_POSSIBLE,))
    return replace(plain, **changed)  # type: ignore[arg-type]


def advertise(site: InnerSite, *, by: str = "olga", **changed: object) -> AdvertisementId:
    ahead = advertising.look_ahead(site.parts, wanted(**changed))
    return advertising.advertise(site.parts, wanted(**changed), ahead.digest, by=by).advertisement.advertisement_id


def digest(site: InnerSite, offer: AdvertisementId = OFFER) -> str:
    subject = advertising.show(site.parts, offer).subject
    assert subject is not None
    return subject.digest


def approve(site: InnerSite, offer: AdvertisementId = OFFER, *, by: str) -> None:
    advertising.approve(site.parts, offer, digest(site, offer), by=by)


def _open_msi(file: str, transforms: tuple[str, ...]) -> MsiPackage:
    return open_package(Path(file), tuple(map(Path, transforms)))


def no_share(name: str) -> SharedFolder:
    raise Refused(f"this site reaches no share {name}")
