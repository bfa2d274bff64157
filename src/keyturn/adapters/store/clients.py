"""Machines with an agent: invited, enrolled, and never heard twice with the same number."""

import hmac
from collections.abc import Collection, Sequence
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, Update, bindparam, delete, insert, select, update

from keyturn.adapters.store import holding_rows
from keyturn.adapters.store.offers import SqlOffers
from keyturn.adapters.store.schema import client_keys, clients, invitations
from keyturn.model.accounts import canonical
from keyturn.model.errors import NotFound, Refused
from keyturn.operations.client_ports import Clients, EnrolledClient, Heard

_HIGHEST = 2**63 - 1
"""What a database keeps as an integer."""


class SqlClients(SqlOffers, Clients):
    def invite(self, name: str, token_hash: bytes, expires_at: float, by: str) -> None:
        key = canonical(name)
        values = {"token_hash": token_hash, "expires_at": expires_at, "invited_by": by, "used_at": None}
        with self._database.writing() as connection:
            replaced = update(invitations).where(invitations.c.name_key == key).values(values)
            if connection.execute(replaced).rowcount == 0:
                connection.execute(insert(invitations).values(name_key=key, **values))

    def enrol(self, token_hash: bytes, client: EnrolledClient) -> None:
        """Refused too, without using up the invitation, for a key that another machine has: a cloned machine is not
        merged with its original."""
        key = canonical(client.name)
        with self._database.writing() as connection:
            self._use_up(connection, key, token_hash)
            twin = select(clients.c.name).where(clients.c.verify_key == client.verify_key, clients.c.name_key != key)
            if name := connection.execute(twin).scalar():
                raise Refused(f"{name} has the key of {client.name}", hint="give the machine a key of its own")
            _remember_key(connection, client)
            values = {
                "name": client.name,
                "verify_key": client.verify_key,
                "recipient": client.recipient,
                "enrolled_at": client.enrolled_at,
            }
            if connection.execute(update(clients).where(clients.c.name_key == key).values(values)).rowcount == 0:
                connection.execute(insert(clients).values(name_key=key, **values))

    def invited(self, names: Collection[str]) -> frozenset[str]:
        keys = {name: canonical(name) for name in names}
        good = _good(self._database.now())
        with self._database.reading() as connection:
            mine = select(invitations.c.name_key).where(invitations.c.name_key.in_(keys.values()), *good)
            found = set(connection.execute(mine).scalars())
        return frozenset(name for name, key in keys.items() if key in found)

    def forget_client(self, name: str) -> None:
        key = canonical(name)
        with self._database.writing() as connection:
            for table in (clients, invitations):
                connection.execute(delete(table).where(table.c.name_key == key))
            holding_rows.give_back_places(connection, key)

    def _use_up(self, connection: Connection, key: str, token_hash: bytes) -> None:
        now = self._database.now()
        row = connection.execute(select(invitations).where(invitations.c.name_key == key)).one_or_none()
        # Compared even where there is no invitation, so that an answer's time says nothing about names.
        right = hmac.compare_digest(row.token_hash if row else bytes(len(token_hash)), token_hash)
        good = (invitations.c.name_key == key, *_good(now))
        used_up = connection.execute(update(invitations).where(*good).values(used_at=now)).rowcount == 1
        if not (row and right and used_up):
            raise Refused(
                "the invitation is not valid",
                hint="it is good once, for a time, and only the newest for that name: ask for another",
            )

    def client(self, name: str) -> EnrolledClient:
        if found := self.clients_of([name]).get(name):
            return found
        raise NotFound(f"no client {name} is enrolled", hint="keyturn client list")

    def clients_of(self, names: Collection[str]) -> dict[str, EnrolledClient]:
        keys = {name: canonical(name) for name in names}
        with self._database.reading() as connection:
            rows = connection.execute(_enrolled_as(), {"keys": list(keys.values())})
            found = {row.name_key: _client(row) for row in rows}
        return {name: found[key] for name, key in keys.items() if key in found}

    def enrolled(self) -> tuple[EnrolledClient, ...]:
        """By name."""
        with self._database.reading() as connection:
            return tuple(_client(row) for row in connection.execute(_ENROLLED.order_by(clients.c.name_key)))

    def advance_counters(self, heard: Sequence[Heard], now: float) -> list[bool]:
        """Decided between this transaction's reading and its end, in which nobody else writes: not by what any
        process remembers. Strangers do not make the others wait."""
        if not heard:
            return []
        whose = [(canonical(one.client.name), one.client.verify_key) for one in heard]
        with self._database.writing() as connection:
            rows = connection.execute(_counters(), {"keys": [key for key, _ in whose]})
            before = {(row.name_key, row.verify_key): row.counter for row in rows}
            highest = dict(before)
            taken = [_take(highest, key, one.counter) for key, one in zip(whose, heard, strict=True)]
            risen = [
                {"its_key": verify_key, "taken": counter, "now": now}
                for (name, verify_key), counter in highest.items()
                if counter > before[name, verify_key]
            ]
            if risen:
                connection.execute(_advance(), risen)
        return taken


def _take(highest: dict[tuple[str, bytes], int], whose: tuple[str, bytes], counter: int) -> bool:
    if whose not in highest or not highest[whose] < counter <= _HIGHEST:
        return False
    highest[whose] = counter
    return True


def _good(now: float) -> tuple[ColumnElement[bool], ...]:
    return invitations.c.used_at.is_(None), invitations.c.expires_at > now


_ENROLLED: Select[Any] = select(clients, client_keys.c.last_contact_at).join(client_keys)


@cache
def _enrolled_as() -> Select[Any]:
    return _ENROLLED.where(clients.c.name_key.in_(bindparam("keys", expanding=True)))


@cache
def _counters() -> Select[Any]:
    its = select(clients.c.name_key, client_keys.c.verify_key, client_keys.c.counter).join(client_keys)
    return its.where(clients.c.name_key.in_(bindparam("keys", expanding=True)))


@cache
def _advance() -> Update:
    its = client_keys.c.verify_key == bindparam("its_key")
    return update(client_keys).where(its).values(counter=bindparam("taken"), last_contact_at=bindparam("now"))


def _remember_key(connection: Connection, client: EnrolledClient) -> None:
    """The counter belongs to the key: a new key starts at 0, and what an old one has signed stays used up."""
    this = client_keys.c.verify_key == client.verify_key
    if not connection.execute(select(client_keys.c.counter).where(this)).first():
        values = {"verify_key": client.verify_key, "counter": 0, "last_contact_at": client.last_contact_at}
        connection.execute(insert(client_keys).values(values))


def _client(row: Row[Any]) -> EnrolledClient:
    return EnrolledClient(row.name, row.verify_key, row.recipient, row.enrolled_at, row.last_contact_at)
