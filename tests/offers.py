"""What a site offers, for tests: one program of one package, and an advertisement of it."""

from keyturn.distribution.approval import Consent
from keyturn.model.software import (
    Advertisement,
    AdvertisementId,
    Collection,
    CollectionId,
    Package,
    PackageId,
    Program,
    ProgramName,
    Rights,
)
from keyturn.operations.software_ports import Advertised
from keyturn.operations.software_reading import authored
from tests.inner_site import InnerSite

PACKAGE = Package(PackageId("PHX00001"), "Editor")
PROGRAM = Program(PACKAGE.package_id, "Install", "./install", Rights.ADMINISTRATIVE)
COLLECTION = Collection(CollectionId("PHX10001"), "Desks", listed=("PC-0001", "PC-0002"))
OFFER = AdvertisementId("PHX20001")


def offer(site: InnerSite, *clients: str, number: AdvertisementId = OFFER, program: Program = PROGRAM) -> None:
    """Advertised by olga, in force at once where one person is enough."""
    store = site.store
    listed = Collection(COLLECTION.collection_id, COLLECTION.name, clients) if clients else COLLECTION
    store.keep_package(PACKAGE)
    store.keep_program(program)
    store.keep_collection(listed)
    advertisement = Advertisement(number, ProgramName(PACKAGE.package_id, program.name), listed.collection_id, 0)
    store.keep_advertisement(Advertised(advertisement, "olga", site.clock()))
    consent(site, "olga", approves=False, number=number)


def consent(site: InnerSite, person: str, *, approves: bool, number: AdvertisementId = OFFER) -> None:
    """To the advertisement as it is now."""
    subject = authored(site.store).subject(site.store.advertisement(number).advertisement)
    assert subject is not None
    site.store.consent(Consent(number, subject.digest, person, approves, site.clock()))
