"""What is kept of software: packages, programs, collections, advertisements, who agreed to them, and what clients told
of themselves.

Moments are seconds since the epoch. Every write is durable when the call returns.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from keyturn.distribution.approval import Consent
from keyturn.distribution.collections import Facts
from keyturn.model.estate import SiteCode
from keyturn.model.software import (
    Advertisement,
    AdvertisementId,
    Collection,
    CollectionId,
    Manifest,
    Package,
    PackageId,
    Program,
    ProgramName,
)


class Numbered(StrEnum):
    """Of what identifiers are given out. None is given out twice, even where the thing is gone."""

    PACKAGE = "package"
    COLLECTION = "collection"
    ADVERTISEMENT = "advertisement"


@dataclass(frozen=True, slots=True)
class Advertised:
    """An advertisement with its life. One that was cancelled stays known, and is never offered again."""

    advertisement: Advertisement
    advertised_by: str
    advertised_at: float
    cancelled_by: str = ""
    cancelled_at: float | None = None

    @property
    def cancelled(self) -> bool:
        return self.cancelled_at is not None


@dataclass(frozen=True, slots=True)
class ToldFacts:
    """What a client told of itself. `signed`: it was that client that told it."""

    client: str
    facts: Facts
    signed: bool
    told_at: float


class SoftwareStore(Protocol):
    def software_edition(self) -> int:
        """Rises with each change of anything in this port; 0 before the first."""

    def next_number(self, of: Numbered) -> int:
        """From 1."""

    def packages(self) -> tuple[Package, ...]:
        """By their identifiers, as all that follow."""

    def package(self, package_id: PackageId) -> Package:
        """NotFound else; case makes no difference to an identifier."""

    def keep_package(self, package: Package) -> None:
        """In place of what was known of it."""

    def remove_package(self, package_id: PackageId) -> None:
        """With its programs, its manifests, and its points."""

    def keep_manifest(self, manifest: Manifest) -> None:
        """Of a version of a package that is kept."""

    def manifest(self, package_id: PackageId, version: int) -> Manifest:
        """NotFound else."""

    def content_digests(self) -> Mapping[PackageId, str]:
        """Of the current version of each package that has content."""

    def assign_points(self, package_id: PackageId, systems: tuple[str, ...]) -> None:
        """The distribution points that are to hold the package, in the place of those assigned before."""

    def assigned_points(self) -> Mapping[PackageId, tuple[str, ...]]: ...

    def programs(self) -> tuple[Program, ...]: ...

    def program(self, ref: ProgramName) -> Program:
        """NotFound else."""

    def keep_program(self, program: Program) -> None: ...

    def remove_program(self, ref: ProgramName) -> None: ...

    def collections(self) -> tuple[Collection, ...]: ...

    def collection(self, name: str) -> Collection:
        """By its identifier or its name. NotFound else."""

    def keep_collection(self, collection: Collection, *, of: SiteCode | None = None) -> None:
        """Refused for a name that another one has. `of` another site: its name is found with that code before it, as in
        `CEN/Desks`, and is none of this site's."""

    def remove_collection(self, collection_id: CollectionId) -> None: ...

    def advertised(self) -> tuple[Advertised, ...]: ...

    def advertisement(self, advertisement_id: AdvertisementId) -> Advertised:
        """NotFound else."""

    def keep_advertisement(self, advertised: Advertised) -> None: ...

    def remove_advertisement(self, advertisement_id: AdvertisementId) -> None:
        """With the consents to it."""

    def consent(self, consent: Consent) -> None:
        """A person's word on a digest counts once; an approval takes the place of a proposal."""

    def consents(self, advertisement_id: AdvertisementId) -> tuple[Consent, ...]:
        """The earliest first."""

    def forget_consents(self, advertisement_id: AdvertisementId) -> None:
        """What they were given to is not what would run any more."""

    def keep_facts(self, told: ToldFacts) -> None:
        """In place of what was told before. Nothing changes where a client has signed what is known of it, and this is
        not signed."""

    def facts(self) -> tuple[ToldFacts, ...]: ...
