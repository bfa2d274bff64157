"""Readings of package sources: those under way, and what was learnt of each file."""

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import ColumnElement, Connection, bindparam, delete, insert, select, update

from keyturn.adapters.store.database import Part
from keyturn.adapters.store.schema_source_readings import source_files, source_readings
from keyturn.model.software import PackageId
from keyturn.operations.source_records import KnownFile, SourceReading, SourceReadings


class SqlSourceReadings(Part, SourceReadings):
    def begin_reading(self, reading: SourceReading) -> None:
        with self._database.writing() as connection:
            connection.execute(delete(source_readings).where(source_readings.c.package_id == reading.package))
            connection.execute(insert(source_readings).values(_values(reading)))

    def tell_reading(self, reading: SourceReading, learnt: Mapping[str, KnownFile]) -> bool:
        with self._database.writing() as connection:
            under_way = connection.execute(update(source_readings).where(*_this(reading)).values(_values(reading)))
            if under_way.rowcount:
                _keep(connection, reading.package, learnt)
            return bool(under_way.rowcount)

    def end_reading(self, reading: SourceReading, learnt: Mapping[str, KnownFile], gone: Collection[str]) -> None:
        with self._database.writing() as connection:
            if connection.execute(delete(source_readings).where(*_this(reading))).rowcount:
                _forget(connection, reading.package, gone)
                _keep(connection, reading.package, learnt)

    def source_reading(self, package: PackageId) -> SourceReading | None:
        wanted = select(source_readings).where(source_readings.c.package_id == package)
        with self._database.reading() as connection:
            row = connection.execute(wanted).one_or_none()
        if row is None:
            return None
        done = row.files, row.of_files, row.size, row.of_size, row.unchanged
        return SourceReading(package, row.reading_id, row.read_by, row.begun_at, row.told_at, *done)

    def known_files(self, package: PackageId) -> Mapping[str, KnownFile]:
        wanted = select(source_files).where(source_files.c.package_id == package)
        with self._database.reading() as connection:
            return {row.path: KnownFile(row.mark, row.sha256) for row in connection.execute(wanted)}


def _keep(connection: Connection, package: PackageId, learnt: Mapping[str, KnownFile]) -> None:
    _forget(connection, package, learnt)
    if learnt:
        rows = [
            {"package_id": package, "path": path, "mark": known.mark, "sha256": known.sha256}
            for path, known in learnt.items()
        ]
        connection.execute(insert(source_files), rows)


def _forget(connection: Connection, package: PackageId, paths: Iterable[str]) -> None:
    this = (source_files.c.package_id == bindparam("its_package"), source_files.c.path == bindparam("its_path"))
    if rows := [{"its_package": package, "its_path": path} for path in paths]:
        connection.execute(delete(source_files).where(*this), rows)


def _this(reading: SourceReading) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return source_readings.c.package_id == reading.package, source_readings.c.reading_id == reading.reading_id


def _values(reading: SourceReading) -> dict[str, object]:
    return {
        "package_id": reading.package,
        "reading_id": reading.reading_id,
        "read_by": reading.by,
        "begun_at": reading.begun_at,
        "told_at": reading.told_at,
        "files": reading.files,
        "of_files": reading.of_files,
        "size": reading.size,
        "of_size": reading.of_size,
        "unchanged": reading.unchanged,
    }
