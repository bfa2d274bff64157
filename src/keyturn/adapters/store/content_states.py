"""How packages stand at distribution points."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from keyturn.adapters.store.database import Part
from keyturn.adapters.store.schema_content import content_states
from keyturn.adapters.store.schema_software import package_contents
from keyturn.adapters.store.software import changed
from keyturn.model.accounts import canonical
from keyturn.model.software import PackageId
from keyturn.operations.content_ports import ContentRecord, ContentState, ContentStates


class SqlContentStates(Part, ContentStates):
    def contents(self, package: PackageId | None = None) -> tuple[ContentRecord, ...]:
        wanted = select(content_states).order_by(content_states.c.package_id, content_states.c.system_key)
        if package is not None:
            wanted = wanted.where(content_states.c.package_id == package)
        with self._database.reading() as connection:
            return tuple(map(_record, connection.execute(wanted)))

    def claim_content(self, seen: ContentRecord, until: float) -> bool:
        its, as_seen = _of(seen.package, seen.system), content_states.c.next_at == seen.next_at
        with self._database.writing() as connection:
            if connection.execute(update(content_states).where(its, as_seen).values(next_at=until)).rowcount == 1:
                return True
            if connection.execute(select(content_states.c.system).where(its)).one_or_none() is not None:
                return False
            connection.execute(insert(content_states).values(_values(seen) | {"next_at": until}))
            return True

    def note_content(self, record: ContentRecord) -> None:
        """Policies name the points that have a package: what is there changes them, progress does not."""
        with self._database.writing() as connection:
            its = _of(record.package, record.system)
            there = connection.execute(select(content_states.c.there).where(its)).scalar()
            if there is None:
                connection.execute(insert(content_states).values(_values(record)))
            else:
                connection.execute(update(content_states).where(its).values(_values(record)))
            if (there or 0) != record.there:
                changed(connection)

    def forget_content(self, package: PackageId, system: str) -> None:
        with self._database.writing() as connection:
            connection.execute(delete(content_states).where(_of(package, system)))
            changed(connection)

    def content_versions(self) -> Mapping[PackageId, tuple[int, ...]]:
        wanted = select(package_contents.c.package_id, package_contents.c.version).order_by(package_contents.c.version)
        found: dict[PackageId, tuple[int, ...]] = {}
        with self._database.reading() as connection:
            for row in connection.execute(wanted):
                found[PackageId(row.package_id)] = (*found.get(PackageId(row.package_id), ()), row.version)
        return found

    def forget_version(self, package: PackageId, version: int) -> None:
        this = (package_contents.c.package_id == package, package_contents.c.version == version)
        with self._database.writing() as connection:
            connection.execute(delete(package_contents).where(*this))


def _of(package: PackageId, system: str) -> Any:
    return (content_states.c.package_id == package) & (content_states.c.system_key == canonical(system))


def _values(record: ContentRecord) -> dict[str, object]:
    return {
        "package_id": record.package,
        "system_key": canonical(record.system),
        "system": record.system,
        "version": record.version,
        "state": record.state.value,
        "there": record.there,
        "there_since": record.there_since,
        "copied": record.copied,
        "reason": record.reason,
        "hint": record.hint,
        "tries": record.tries,
        "next_at": record.next_at,
        "access": record.access,
        "swept": record.swept,
    }


def _record(row: Row[Any]) -> ContentRecord:
    return ContentRecord(
        PackageId(row.package_id),
        row.system,
        row.version,
        ContentState(row.state),
        row.there,
        row.there_since,
        row.copied,
        row.reason,
        row.hint,
        row.tries,
        row.next_at,
        row.access,
        row.swept,
    )
