"""Everything that people have authored, in one reading."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from keyturn.distribution.approval import Subject, in_order
from keyturn.model.software import (
    Advertisement,
    Collection,
    CollectionId,
    Package,
    PackageId,
    Program,
    ProgramName,
)


@dataclass(frozen=True, slots=True)
class Authored:
    """`contents` are the digests of the packages' current content; one without content is not in it."""

    packages: Mapping[PackageId, Package] = field(default_factory=dict)
    programs: Mapping[ProgramName, Program] = field(default_factory=dict)
    collections: Mapping[CollectionId, Collection] = field(default_factory=dict)
    contents: Mapping[PackageId, str] = field(default_factory=dict)

    def subject(self, advertisement: Advertisement) -> Subject | None:
        """None where a part of it is gone."""
        program = self.programs.get(advertisement.program)
        collection = self.collections.get(advertisement.collection)
        if program is None or collection is None:
            return None
        run = in_order(program, self.programs)
        packages = dict.fromkeys(each.package for each in run)
        if run[0].run_first is not None or any(package not in self.packages for package in packages):
            return None
        contents = tuple((package, self.contents.get(package, "")) for package in packages)
        return Subject(advertisement, run, contents, collection)

    def of_package(self, package_id: PackageId) -> Iterator[Program]:
        return (program for program in self.programs.values() if program.package == package_id)
