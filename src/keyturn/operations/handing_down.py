"""Software handed down: what a site has authored is sent, whole, to every site below it, each time that it changed.

A site below believes the site above it, as it does in everything: what has been agreed to there needs no second consent
here, and is offered exactly as it was agreed to. Whatever a site has from above is told by its identifier.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from keyturn.distribution.approval import Consent, is_agreed
from keyturn.distribution.authored import Authored
from keyturn.distribution.content import canonical
from keyturn.distribution.handed_down import Awaited, HandedAdvertisement, HandedDown, strangers
from keyturn.model.accounts import same_name
from keyturn.model.errors import Refused
from keyturn.model.estate import SiteCode
from keyturn.model.software import PackageId, owner_of
from keyturn.operations.bundles import post
from keyturn.operations.handing_ports import FromAbove
from keyturn.operations.neighbours import here, tree
from keyturn.operations.parts import Parts
from keyturn.operations.software_changes import changing
from keyturn.operations.software_owner import is_from_above
from keyturn.operations.software_ports import Advertised
from keyturn.operations.software_reading import authored
from keyturn.site import messages
from keyturn.site.bundles import Kind
from keyturn.site.hierarchy import Place


@dataclass
class HandingDown:
    """Keeps what it saw last, so that a turn in which nothing has changed costs two readings."""

    parts: Parts
    _seen: object = None
    _lengths: dict[str, int] = field(default_factory=dict)
    """Of manifests, by digest."""

    def turn(self) -> None:
        """Let every site below have what it has not been given, and forget what sites gave that are above no more."""
        parts = self.parts
        own, known = here(parts).code, tree(parts)
        below, above = known.branch(own)[1:], known.line(own)[1:]
        seen = parts.store.software_edition(), tuple(below), tuple(above), parts.store.handed_down()
        if seen == self._seen:
            return
        _forget_strangers(parts, above)
        if below:
            self._hand_down([place.code for place in below])
        self._seen = seen

    def _hand_down(self, below: Sequence[SiteCode]) -> None:
        with self.parts.store.whole():
            payload = messages.write(self._all())
            digest = hashlib.sha256(payload).hexdigest()
            given = self.parts.store.handed_down()
            nothing = not given and payload == messages.write(HandedDown())
            for site in below:
                if given.get(site) != digest and not nothing:
                    post(self.parts, site, Kind.SOFTWARE, payload)
                    self.parts.store.note_handed_down(site, digest)

    def _all(self) -> HandedDown:
        parts, read = self.parts, authored(self.parts.store)
        packages = [each for each in read.packages.values() if not is_from_above(parts, each.package_id)]
        ours = [each for each in parts.store.advertised() if not _is_anothers(parts, each)]
        agreed = {each.advertisement.advertisement_id: _agreed(parts, read, each) for each in ours}
        return HandedDown(
            packages=tuple(packages),
            contents=tuple(
                self._content(each.package_id, each.source_version, read.contents[each.package_id])
                for each in packages
                if each.package_id in read.contents
            ),
            programs=tuple(each for each in read.programs.values() if not is_from_above(parts, each.package)),
            collections=tuple(
                each for each in read.collections.values() if not is_from_above(parts, each.collection_id)
            ),
            advertisements=tuple(
                _handed(each, word)
                for each in ours
                if (word := agreed[each.advertisement.advertisement_id]) or each.cancelled
            ),
            withheld=tuple(
                name for each in ours if not agreed[name := each.advertisement.advertisement_id] and not each.cancelled
            ),
        )

    def _content(self, package: PackageId, version: int, digest: str) -> Awaited:
        if digest not in self._lengths:
            self._lengths[digest] = len(canonical(self.parts.store.manifest(package, version)))
        return Awaited(package, version, digest, self._lengths[digest])


def take(parts: Parts, source: SiteCode, payload: bytes) -> None:
    """What a site above has authored, in the place of what it handed down before. Refused, all of it, from a site that
    is not above, or where it names what is another's."""
    if source not in {place.code for place in tree(parts).line(here(parts).code)[1:]}:
        raise Refused(f"site {source} is not above this one, and hands down software")
    handed = messages.read(HandedDown, payload)
    if others := strangers(handed, source):
        raise Refused(f"site {source} hands down {others[0]}, which is not its own")
    with changing(parts, by=f"site {source}"):
        _take_packages(parts, source, handed)
        _take_programs(parts, source, handed)
        _take_collections(parts, source, handed)
        _take_advertisements(parts, source, handed)
    before = next((each for each in parts.store.from_above() if each.site == source), FromAbove(source))
    parts.store.keep_from_above(replace(before, awaited=handed.contents))
    parts.store.tell(source, "software-handed-down", source, _counted(handed))


def _agreed(parts: Parts, read: Authored, advertised: Advertised) -> str:
    """The digest that it is offered under; empty where nobody is to be offered it. An expiry is each site's to see."""
    subject = None if advertised.cancelled else read.subject(advertised.advertisement)
    if subject is None:
        return ""
    consents = parts.store.consents(advertised.advertisement.advertisement_id)
    agreed = is_agreed(subject, consents, two_persons=parts.settings.two_person_approval)
    return subject.digest if agreed else ""


def _handed(each: Advertised, agreed: str) -> HandedAdvertisement:
    return HandedAdvertisement(
        each.advertisement, each.advertised_by, each.advertised_at, each.cancelled_by, each.cancelled_at, agreed
    )


def _take_packages(parts: Parts, owner: SiteCode, handed: HandedDown) -> None:
    """A version is known here once its manifest is (`content_below`); until then the package stands as it did."""
    before = {each.package_id: each for each in parts.store.packages() if same_name(owner_of(each.package_id), owner)}
    for package in handed.packages:
        known = before.pop(package.package_id, None)
        here_now = replace(package, source_version=known.source_version if known else 0)
        if here_now != known:
            parts.store.keep_package(here_now)
    for gone in before:
        parts.store.remove_package(gone)


def _take_programs(parts: Parts, owner: SiteCode, handed: HandedDown) -> None:
    before = {each.ref: each for each in parts.store.programs() if same_name(owner_of(each.package), owner)}
    for program in handed.programs:
        if before.pop(program.ref, None) != program:
            parts.store.keep_program(program)
    for gone in before:
        parts.store.remove_program(gone)


def _take_collections(parts: Parts, owner: SiteCode, handed: HandedDown) -> None:
    known = parts.store.collections()
    before = {each.collection_id: each for each in known if same_name(owner_of(each.collection_id), owner)}
    for gone in before.keys() - {each.collection_id for each in handed.collections}:
        parts.store.remove_collection(gone)  # first: another may bear its name now
    for collection in handed.collections:
        if before.get(collection.collection_id) != collection:
            parts.store.keep_collection(collection, of=owner)


def _take_advertisements(parts: Parts, owner: SiteCode, handed: HandedDown) -> None:
    known = {each.advertisement.advertisement_id: each for each in parts.store.advertised()}
    before = {name: each for name, each in known.items() if same_name(owner_of(name), owner)}
    for each in handed.advertisements:
        name = each.advertisement.advertisement_id
        if each.cancelled_at is not None and name not in before:
            continue  # nobody was ever offered it here
        by = f"{each.advertised_by} at {owner}"
        cancelled_by = f"{each.cancelled_by} at {owner}" if each.cancelled_by else ""
        advertised = Advertised(each.advertisement, by, each.advertised_at, cancelled_by, each.cancelled_at)
        if before.pop(name, None) != advertised:
            parts.store.keep_advertisement(advertised)
        _agree(parts, owner, each)
    for gone in before.keys() - set(handed.withheld):
        parts.store.remove_advertisement(gone)
        parts.store.forget_advertisement(gone)
    for withheld in before.keys() & set(handed.withheld):
        parts.store.forget_consents(withheld)


def _agree(parts: Parts, owner: SiteCode, each: HandedAdvertisement) -> None:
    name = each.advertisement.advertisement_id
    if [consent.digest for consent in parts.store.consents(name)] == [each.agreed]:
        return
    parts.store.forget_consents(name)
    if each.agreed:
        parts.store.consent(Consent(name, each.agreed, f"site {owner}", approves=True, at=parts.now()))


def _forget_strangers(parts: Parts, above: Sequence[Place]) -> None:
    """What a site handed down that this one stood below before."""
    codes = {place.code for place in above}
    for record in parts.store.from_above():
        if record.site in codes:
            continue
        with changing(parts, by=f"site {parts.settings.site}"):
            nothing = HandedDown()
            _take_advertisements(parts, record.site, nothing)
            _take_programs(parts, record.site, nothing)
            _take_collections(parts, record.site, nothing)
            _take_packages(parts, record.site, nothing)
            parts.store.forget_from_above(record.site)
            parts.store.tell(parts.settings.site, "software-forgotten", record.site, "it is above this site no more")


def _is_anothers(parts: Parts, advertised: Advertised) -> bool:
    return is_from_above(parts, advertised.advertisement.advertisement_id)


def _counted(handed: HandedDown) -> str:
    counts = (
        (len(handed.packages), "packages"),
        (len(handed.programs), "programs"),
        (len(handed.collections), "collections"),
        (len(handed.advertisements), "advertisements"),
    )
    return ", ".join(f"{count} {what}" for count, what in counts)
