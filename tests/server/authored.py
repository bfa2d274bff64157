"""Sites with software in them, for tests of the API."""

from dataclasses import replace

from keyturn.adapters.content.arriving import FolderArriving
from keyturn.adapters.content.blobs import FolderBlobs
from keyturn.adapters.content.folder import FolderSource
from keyturn.lifecycle.catalogue.products import role_names
from keyturn.model.software import Event
from keyturn.operations import advertising, software_packages
from keyturn.operations.content_ports import ContentParts
from keyturn.operations.estates import import_estate
from keyturn.wire.estate_file.reading import read_estate
from tests.inner_site import InnerSite
from tests.software import OFFER, PACKAGE, advertise, author, no_share, wanted

PROGRAM = {"package": PACKAGE, "name": "Install", "command_line": "./install"}
ADVERTISEMENT = {
    "advertisement_id": "",
    "program": {"package": PACKAGE, "name": "Install"},
    "collection": "Desks",
    "available_at": 1000.0,
    "assignments": [Event.AS_SOON_AS_POSSIBLE.value],
}
_POINT = '\n[[site_system]]\nname = "SRV-PHX"\nsite = "PHX"\nroles = ["distribution-point"]\n'


def with_sources(site: InnerSite) -> str:
    """That reads packages; nothing is authored."""
    blobs = FolderBlobs(site.folder / "content")
    content = ContentParts(blobs, FolderArriving(site.folder / "content", blobs), FolderSource, no_share)
    settings = replace(site.parts.settings, package_sources=(str(site.folder),))
    site.parts = replace(site.parts, content=content, settings=settings)
    return ""


def with_program(site: InnerSite) -> str:
    """A package with its program, and a collection. What advertising it now would be agreeing to."""
    with_sources(site)
    author(site)
    return advertising.look_ahead(site.parts, wanted()).digest


def with_point(site: InnerSite) -> str:
    text = site.store.text() + _POINT
    import_estate(site.parts, text, read_estate(text, roles=role_names()), by="olga")
    return with_program(site)


def with_package_alone(site: InnerSite) -> str:
    with_sources(site)
    return software_packages.add(site.parts, software_packages.NewPackage("Editor"), by="olga").package_id


def with_unread_package(site: InnerSite) -> str:
    with_sources(site)
    (site.folder / "editor").mkdir()
    (site.folder / "editor" / "install").write_text("the editor")
    wanted_package = software_packages.NewPackage("Editor", str(site.folder / "editor"))
    return software_packages.add(site.parts, wanted_package, by="olga").package_id


def with_offer(site: InnerSite) -> str:
    """What its approver would be agreeing to."""
    with_program(site)
    advertise(site)
    subject = advertising.show(site.parts, OFFER).subject
    assert subject is not None
    return subject.digest


def with_cancelled_offer(site: InnerSite) -> str:
    with_offer(site)
    advertising.cancel(site.parts, OFFER, by="olga")
    return ""


def seen(digest: str) -> dict[str, object]:
    return {"advertisement": ADVERTISEMENT, "seen": digest}
