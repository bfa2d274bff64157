"""People who sign in, and the tokens they carry. Only hashes are kept, made outside."""

import json
from typing import Any

from sqlalchemy import Row, delete, insert, select

from keyturn.adapters.store.database import Part
from keyturn.adapters.store.schema import people, tokens
from keyturn.model.accounts import canonical
from keyturn.model.errors import NotFound, Refused
from keyturn.operations.ports import People, Person, PersonRole


class SqlPeople(Part, People):
    def add(self, person: Person, password_hash: str) -> None:
        key = canonical(person.name)
        with self._database.writing() as connection:
            if connection.execute(select(people.c.name).where(people.c.name_key == key)).first():
                raise Refused(f"there is a person {person.name} already")
            roles = json.dumps(sorted(person.roles))
            values = {"name_key": key, "name": person.name, "roles": roles, "password_hash": password_hash}
            connection.execute(insert(people).values(values))

    def person(self, name: str) -> Person:
        with self._database.reading() as connection:
            row = connection.execute(select(people).where(people.c.name_key == canonical(name))).one_or_none()
        if row is None:
            raise _nobody(name)
        return _person(row)

    def people(self) -> tuple[Person, ...]:
        """By name."""
        with self._database.reading() as connection:
            return tuple(_person(row) for row in connection.execute(select(people).order_by(people.c.name_key)))

    def password_hash(self, name: str) -> str | None:
        with self._database.reading() as connection:
            hashed = select(people.c.password_hash).where(people.c.name_key == canonical(name))
            return connection.execute(hashed).scalar()

    def remove(self, name: str) -> None:
        key = canonical(name)
        with self._database.writing() as connection:
            connection.execute(delete(tokens).where(tokens.c.name_key == key))
            if connection.execute(delete(people).where(people.c.name_key == key)).rowcount == 0:
                raise _nobody(name)

    def issue(self, name: str, token_hash: bytes, expires_at: float) -> None:
        key = canonical(name)
        with self._database.writing() as connection:
            if not connection.execute(select(people.c.name).where(people.c.name_key == key)).first():
                raise _nobody(name)
            connection.execute(insert(tokens).values(token_hash=token_hash, name_key=key, expires_at=expires_at))

    def bearer(self, token_hash: bytes, now: float) -> Person | None:
        valid = (tokens.c.token_hash == token_hash, tokens.c.expires_at > now)
        with self._database.reading() as connection:
            row = connection.execute(select(people).join(tokens).where(*valid)).one_or_none()
        return _person(row) if row else None

    def revoke(self, token_hash: bytes) -> None:
        with self._database.writing() as connection:
            connection.execute(delete(tokens).where(tokens.c.token_hash == token_hash))


def _person(row: Row[Any]) -> Person:
    return Person(row.name, frozenset(PersonRole(role) for role in json.loads(row.roles)))


def _nobody(name: str) -> NotFound:
    return NotFound(f"no person {name}", hint="keyturn person list")
