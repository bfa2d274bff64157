"""What clients wrote, waiting to be read; and how the access points it comes from stand."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, Table, case, delete, func, insert, select, update

from keyturn.adapters.store.database import Part
from keyturn.adapters.store.schema_inboxes import (
    access_points,
    granted_identities,
    inbox_files,
    published_files,
    seen_clients,
)
from keyturn.model.accounts import canonical
from keyturn.model.errors import NotFound
from keyturn.operations.inbox_ports import FileState, InboxCount, Inboxes, InboxFile, PointRecord, SeenClient

_WAITS = inbox_files.c.state == FileState.WAITING.value
_IS_BAD = inbox_files.c.state == FileState.BAD.value
_IS_DONE = inbox_files.c.state == FileState.DONE.value
_WITHOUT_CONTENT = [column for column in inbox_files.c if column is not inbox_files.c.content]


class SqlInboxes(Part, Inboxes):
    def take_in(self, file: InboxFile) -> bool:
        values = {
            "receipt": file.receipt,
            "inbox": file.inbox,
            "box": file.box,
            "name": file.name,
            "source": file.source,
            "signed": file.signed,
            "arrived_at": file.arrived_at,
            "state": file.state.value,
            "note": file.note,
            "content": file.content,
        }
        with self._database.writing() as connection:
            taken = select(inbox_files.c.number).where(inbox_files.c.receipt == file.receipt)
            if connection.execute(taken).first():
                return False
            connection.execute(insert(inbox_files).values(values))
            return True

    def waiting_from(self, source: str) -> int:
        theirs = select(func.count()).select_from(inbox_files).where(_WAITS, inbox_files.c.source == source)
        with self._database.reading() as connection:
            return int(connection.execute(theirs).scalar_one())

    def waiting(self, inbox: str, limit: int) -> tuple[InboxFile, ...]:
        wanted = select(inbox_files).where(inbox_files.c.inbox == inbox, _WAITS)
        with self._database.reading() as connection:
            return tuple(map(_file, connection.execute(wanted.order_by(inbox_files.c.number).limit(limit))))

    def inbox_files(self, inbox: str | None = None) -> tuple[InboxFile, ...]:
        wanted = select(*_WITHOUT_CONTENT).where(~_IS_DONE).order_by(inbox_files.c.number)
        if inbox is not None:
            wanted = wanted.where(inbox_files.c.inbox == inbox)
        with self._database.reading() as connection:
            return tuple(map(_file, connection.execute(wanted)))

    def inbox_file(self, number: int) -> InboxFile:
        wanted = select(inbox_files).where(inbox_files.c.number == number, ~_IS_DONE)
        with self._database.reading() as connection:
            row = connection.execute(wanted).one_or_none()
        if row is None:
            raise NotFound(f"no file {number} is in an inbox", hint="keyturn site inboxes --files")
        return _file(row)

    def settle_file(self, number: int, state: FileState, note: str = "") -> None:
        values: dict[str, Any] = {"state": state.value, "note": note}
        if state is FileState.DONE:
            values["content"] = b""
        with self._database.writing() as connection:
            connection.execute(update(inbox_files).where(inbox_files.c.number == number).values(values))

    def inbox_counts(self) -> tuple[InboxCount, ...]:
        counted = (
            select(
                inbox_files.c.inbox,
                func.sum(case((_WAITS, 1), else_=0)).label("waiting"),
                func.sum(case((_IS_BAD, 1), else_=0)).label("bad"),
                func.min(case((_WAITS, inbox_files.c.arrived_at))).label("oldest_at"),
            )
            .where(~_IS_DONE)
            .group_by(inbox_files.c.inbox)
            .order_by(inbox_files.c.inbox)
        )
        with self._database.reading() as connection:
            rows = connection.execute(counted).all()
        return tuple(InboxCount(row.inbox, int(row.waiting), int(row.bad), row.oldest_at) for row in rows)

    def forget_receipts(self, before: float) -> int:
        with self._database.writing() as connection:
            return connection.execute(delete(inbox_files).where(_IS_DONE, inbox_files.c.arrived_at < before)).rowcount

    def point(self, system: str) -> PointRecord:
        wanted = select(access_points).where(access_points.c.system_key == canonical(system))
        with self._database.reading() as connection:
            row = connection.execute(wanted).one_or_none()
        if row is None:
            return PointRecord(system)
        told = (row.tried_at, row.reached_at, row.trouble, row.hint, row.refused)
        return PointRecord(system, *told, lying=json.loads(row.lying))

    def note_point(self, record: PointRecord) -> None:
        values = {
            "tried_at": record.tried_at,
            "reached_at": record.reached_at,
            "trouble": record.trouble,
            "hint": record.hint,
            "refused": record.refused,
            "lying": json.dumps(dict(record.lying)),
        }
        self._replace(access_points, {"system_key": canonical(record.system)}, values)

    def published_marks(self, system: str) -> dict[str, str]:
        wanted = select(published_files).where(published_files.c.system_key == canonical(system))
        with self._database.reading() as connection:
            return {row.path: row.mark for row in connection.execute(wanted)}

    def note_published(self, system: str, marks: Mapping[str, str]) -> None:
        with self._database.writing():
            for path, mark in marks.items():
                self._replace(published_files, {"system_key": canonical(system), "path": path}, {"mark": mark})

    def granted(self, system: str) -> dict[str, str]:
        wanted = select(granted_identities).where(granted_identities.c.system_key == canonical(system))
        with self._database.reading() as connection:
            return {row.sid: row.account for row in connection.execute(wanted)}

    def note_granted(self, system: str, accounts: Mapping[str, str]) -> None:
        with self._database.writing():
            for sid, account in accounts.items():
                self._replace(granted_identities, {"system_key": canonical(system), "sid": sid}, {"account": account})

    def see_client(self, seen: SeenClient) -> None:
        values = {
            "name": seen.name,
            "kind": seen.kind,
            "accounts": json.dumps(seen.accounts),
            "source": seen.source,
            "signed": seen.signed,
            "seen_at": seen.seen_at,
        }
        self._replace(seen_clients, {"name_key": canonical(seen.name)}, values)

    def seen_clients(self) -> tuple[SeenClient, ...]:
        with self._database.reading() as connection:
            rows = connection.execute(select(seen_clients).order_by(seen_clients.c.name_key)).all()
        return tuple(
            SeenClient(row.name, row.kind, tuple(json.loads(row.accounts)), row.source, row.signed, row.seen_at)
            for row in rows
        )

    def _replace(self, table: Table, key: Mapping[str, str], values: Mapping[str, object]) -> None:
        """Change the row, or add it: one writer at a time, so nobody comes in between."""
        this = [table.c[name] == value for name, value in key.items()]
        with self._database.writing() as connection:
            if not connection.execute(update(table).where(*this).values(values)).rowcount:
                connection.execute(insert(table).values({**key, **values}))


def _file(row: Row[Any]) -> InboxFile:
    return InboxFile(
        inbox=row.inbox,
        box=row.box,
        name=row.name,
        source=row.source,
        signed=row.signed,
        receipt=row.receipt,
        arrived_at=row.arrived_at,
        content=row._mapping.get("content", b""),
        state=FileState(row.state),
        note=row.note,
        number=row.number,
    )
