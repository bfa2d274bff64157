"""Keys for installing at logon, by their hash alone."""

from typing import Any

from sqlalchemy import Row, insert, select, update

from keyturn.adapters.store.database import Part
from keyturn.adapters.store.schema_push import logon_keys
from keyturn.model.accounts import canonical
from keyturn.model.errors import Refused
from keyturn.operations.recovery_records import LogonKey, LogonKeys


class SqlLogonKeys(Part, LogonKeys):
    def issue_logon_key(self, key: LogonKey, key_hash: bytes) -> None:
        this = canonical(key.name)
        with self._database.writing() as connection:
            if connection.execute(select(logon_keys.c.name).where(logon_keys.c.name_key == this)).first():
                raise Refused(f"there is a logon key {key.name} already", hint="give the new one another name")
            connection.execute(
                insert(logon_keys).values(
                    name_key=this,
                    name=key.name,
                    key_hash=key_hash,
                    issued_by=key.issued_by,
                    issued_at=key.issued_at,
                    expires_at=key.expires_at,
                    used=0,
                )
            )

    def logon_keys(self) -> tuple[LogonKey, ...]:
        with self._database.reading() as connection:
            return tuple(map(_key, connection.execute(select(logon_keys).order_by(logon_keys.c.name_key))))

    def logon_key(self, key_hash: bytes) -> LogonKey | None:
        with self._database.reading() as connection:
            row = connection.execute(select(logon_keys).where(logon_keys.c.key_hash == key_hash)).one_or_none()
        return None if row is None else _key(row)

    def revoke_logon_key(self, name: str, now: float) -> bool:
        good = (
            logon_keys.c.name_key == canonical(name),
            logon_keys.c.revoked_at.is_(None),
            logon_keys.c.expires_at > now,
        )
        with self._database.writing() as connection:
            return connection.execute(update(logon_keys).where(*good).values(revoked_at=now)).rowcount == 1

    def count_logon_key(self, name: str) -> None:
        this = logon_keys.c.name_key == canonical(name)
        with self._database.writing() as connection:
            connection.execute(update(logon_keys).where(this).values(used=logon_keys.c.used + 1))


def _key(row: Row[Any]) -> LogonKey:
    return LogonKey(row.name, row.issued_by, row.issued_at, row.expires_at, row.revoked_at, row.used)
