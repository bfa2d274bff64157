"""Software as people author it: packages, programs, collections."""

from collections.abc import Mapping

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from keyturn.adapters.store.database import Part
from keyturn.adapters.store.errors import Unreadable
from keyturn.adapters.store.schema_software import (
    collections,
    package_contents,
    package_points,
    packages,
    programs,
    software_numbers,
)
from keyturn.adapters.store.schema_source_readings import source_files, source_readings
from keyturn.adapters.store.software_json import from_text, manifest_from, manifest_text, to_text
from keyturn.model.accounts import canonical
from keyturn.model.errors import NotFound, Refused
from keyturn.model.estate import SiteCode
from keyturn.model.software import Collection, CollectionId, Manifest, Package, PackageId, Program, ProgramName
from keyturn.operations.software_ports import Numbered

_EDITION = "edition"


class SqlSoftware(Part):
    """The part of `SoftwareStore` that holds what is distributed, and to which clients."""

    def software_edition(self) -> int:
        with self._database.reading() as connection:
            return _last(connection, _EDITION)

    def next_number(self, of: Numbered) -> int:
        with self._database.writing() as connection:
            return _count(connection, of.value)

    def packages(self) -> tuple[Package, ...]:
        with self._database.reading() as connection:
            rows = connection.execute(select(packages).order_by(packages.c.package_id)).all()
        return tuple(from_text(row.value, Package, f"package {row.package_id}") for row in rows)

    def package(self, package_id: PackageId) -> Package:
        with self._database.reading() as connection:
            row = connection.execute(select(packages).where(packages.c.package_id == _id(package_id))).one_or_none()
        if row is None:
            raise NotFound(f"no package {package_id}", hint="keyturn package list")
        return from_text(row.value, Package, f"package {row.package_id}")

    def keep_package(self, package: Package) -> None:
        this = packages.c.package_id == package.package_id
        with self._database.writing() as connection:
            value = to_text(package)
            if not connection.execute(update(packages).where(this).values(value=value)).rowcount:
                connection.execute(insert(packages).values(package_id=package.package_id, value=value))
            changed(connection)

    def remove_package(self, package_id: PackageId) -> None:
        with self._database.writing() as connection:
            for table in (programs, package_points, package_contents, source_readings, source_files, packages):
                connection.execute(delete(table).where(table.c.package_id == _id(package_id)))
            changed(connection)

    def keep_manifest(self, manifest: Manifest) -> None:
        this = {"package_id": manifest.package, "version": manifest.version}
        with self._database.writing() as connection:
            connection.execute(delete(package_contents).where(*(package_contents.c[k] == v for k, v in this.items())))
            told = {"digest": manifest.digest, "manifest": manifest_text(manifest)}
            connection.execute(insert(package_contents).values(**this, **told))
            changed(connection)

    def manifest(self, package_id: PackageId, version: int) -> Manifest:
        this = (package_contents.c.package_id == _id(package_id), package_contents.c.version == version)
        with self._database.reading() as connection:
            row = connection.execute(select(package_contents).where(*this)).one_or_none()
        if row is None:
            raise NotFound(f"package {package_id} has no version {version}", hint=f"keyturn package show {package_id}")
        manifest = manifest_from(row.manifest, f"the content of package {package_id}")
        if (manifest.package, manifest.version, manifest.digest) != (row.package_id, row.version, row.digest):
            raise Unreadable(f"the content of package {package_id} in the store is that of another one")
        return manifest

    def content_digests(self) -> Mapping[PackageId, str]:
        current = {package.package_id: package.source_version for package in self.packages()}
        wanted = select(package_contents.c.package_id, package_contents.c.version, package_contents.c.digest)
        with self._database.reading() as connection:
            rows = connection.execute(wanted).all()
        return {PackageId(row.package_id): row.digest for row in rows if current.get(row.package_id) == row.version}

    def assign_points(self, package_id: PackageId, systems: tuple[str, ...]) -> None:
        with self._database.writing() as connection:
            connection.execute(delete(package_points).where(package_points.c.package_id == _id(package_id)))
            for place, system in enumerate(systems):
                row = {"package_id": _id(package_id), "system_key": canonical(system), "system": system, "place": place}
                connection.execute(insert(package_points).values(row))
            changed(connection)

    def assigned_points(self) -> Mapping[PackageId, tuple[str, ...]]:
        found: dict[PackageId, tuple[str, ...]] = {}
        with self._database.reading() as connection:
            for row in connection.execute(select(package_points).order_by(package_points.c.place)):
                package_id = PackageId(row.package_id)
                found[package_id] = (*found.get(package_id, ()), row.system)
        return found

    def programs(self) -> tuple[Program, ...]:
        with self._database.reading() as connection:
            wanted = select(programs).order_by(programs.c.package_id, programs.c.name_key)
            rows = connection.execute(wanted).all()
        return tuple(from_text(row.value, Program, f"a program of {row.package_id}") for row in rows)

    def program(self, ref: ProgramName) -> Program:
        with self._database.reading() as connection:
            row = connection.execute(select(programs).where(*_is(ref))).one_or_none()
        if row is None:
            self.package(ref.package)  # where that is not there either, it is what is wrong
            raise NotFound(f"no program {ref.name} in package {ref.package}", hint="keyturn program list")
        return from_text(row.value, Program, f"program {ref}")

    def keep_program(self, program: Program) -> None:
        with self._database.writing() as connection:
            connection.execute(delete(programs).where(*_is(program.ref)))
            row = {"package_id": program.package, "name_key": canonical(program.name), "value": to_text(program)}
            connection.execute(insert(programs).values(row))
            changed(connection)

    def remove_program(self, ref: ProgramName) -> None:
        with self._database.writing() as connection:
            connection.execute(delete(programs).where(*_is(ref)))
            changed(connection)

    def collections(self) -> tuple[Collection, ...]:
        with self._database.reading() as connection:
            rows = connection.execute(select(collections).order_by(collections.c.collection_id)).all()
        return tuple(from_text(row.value, Collection, f"collection {row.collection_id}") for row in rows)

    def collection(self, name: str) -> Collection:
        by_either = (collections.c.collection_id == _id(name)) | (collections.c.name_key == canonical(name))
        with self._database.reading() as connection:
            row = connection.execute(select(collections).where(by_either)).first()
        if row is None:
            raise NotFound(f"no collection {name}", hint="keyturn collection list")
        return from_text(row.value, Collection, f"collection {row.collection_id}")

    def keep_collection(self, collection: Collection, *, of: SiteCode | None = None) -> None:
        key = canonical(f"{of}/{collection.name}" if of else collection.name)
        with self._database.writing() as connection:
            other = select(collections.c.collection_id).where(
                collections.c.name_key == key, collections.c.collection_id != collection.collection_id
            )
            if taken := connection.execute(other).scalar_one_or_none():
                raise Refused(f"collection {taken} is named {collection.name}", hint="take another name")
            connection.execute(delete(collections).where(collections.c.collection_id == collection.collection_id))
            row = {"collection_id": collection.collection_id, "name_key": key, "value": to_text(collection)}
            connection.execute(insert(collections).values(row))
            changed(connection)

    def remove_collection(self, collection_id: CollectionId) -> None:
        with self._database.writing() as connection:
            connection.execute(delete(collections).where(collections.c.collection_id == collection_id))
            changed(connection)


def changed(connection: Connection) -> None:
    """Whoever keeps something that was made from software makes it anew."""
    _count(connection, _EDITION)


def _count(connection: Connection, kind: str) -> int:
    number = _last(connection, kind) + 1
    this = software_numbers.c.kind == kind
    if not connection.execute(update(software_numbers).where(this).values(last=number)).rowcount:
        connection.execute(insert(software_numbers).values(kind=kind, last=number))
    return number


def _last(connection: Connection, kind: str) -> int:
    wanted = select(software_numbers.c.last).where(software_numbers.c.kind == kind)
    return int(connection.execute(wanted).scalar_one_or_none() or 0)


def _id(written: str) -> str:
    """Identifiers are in capitals."""
    return written.strip().upper()


def _is(ref: ProgramName) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return programs.c.package_id == _id(ref.package), programs.c.name_key == canonical(ref.name)
