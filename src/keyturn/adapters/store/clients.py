"""Machines with an agent: invited, enrolled, and never heard twice with the same number."""

import hmac
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, Select, Update, bindparam, insert, select, update

from keyturn.adapters.store.offers import SqlOffers
from keyturn.adapters.store.schema import client_keys, clients, invitations
from keyturn.model.accounts import canonical
from keyturn.model.errors import NotFound, Refused
from keyturn.operations.ports import Clients, EnrolledClient

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

    def _use_up(self, connection: Connection, key: str, token_hash: bytes) -> None:
        now = self._database.now()
        row = connection.execute(select(invitations).where(invitations.c.name_key == key)).one_or_none()
        # Compared even where there is no invitation, so that an answer's time says nothing about names.
        right = hmac.compare_digest(row.token_hash if row else bytes(len(token_hash)), token_hash)
        unused = (invitations.c.name_key == key, invitations.c.used_at.is_(None), invitations.c.expires_at > now)
        used_up = connection.execute(update(invitations).where(*unused).values(used_at=now)).rowcount == 1
        if not (row and right and used_up):
            raise Refused("the invitation is not valid", hint="ask for a new one")

    def client(self, name: str) -> EnrolledClient:
        with self._database.reading() as connection:
            row = connection.execute(_ENROLLED.where(clients.c.name_key == canonical(name))).one_or_none()
        if row is None:
            raise NotFound(f"no client {name} is enrolled", hint="keyturn client list")
        return _client(row)

    def enrolled(self) -> tuple[EnrolledClient, ...]:
        """By name."""
        with self._database.reading() as connection:
            return tuple(_client(row) for row in connection.execute(_ENROLLED.order_by(clients.c.name_key)))

    def advance_counter(self, name: str, counter: int, now: float) -> bool:
        if not 0 < counter <= _HIGHEST:
            return False
        with self._database.writing() as connection:
            return connection.execute(_advance(), {"name": canonical(name), "taken": counter, "now": now}).rowcount == 1


@cache
def _advance() -> Update:
    its_key = select(clients.c.verify_key).where(clients.c.name_key == bindparam("name")).scalar_subquery()
    higher = (client_keys.c.verify_key == its_key, client_keys.c.counter < bindparam("taken"))
    return update(client_keys).where(*higher).values(counter=bindparam("taken"), last_contact_at=bindparam("now"))


_ENROLLED: Select[Any] = select(clients, client_keys.c.last_contact_at).join(client_keys)


def _remember_key(connection: Connection, client: EnrolledClient) -> None:
    """The counter belongs to the key: a new key starts at 0, and what an old one has signed stays used up."""
    this = client_keys.c.verify_key == client.verify_key
    if not connection.execute(select(client_keys.c.counter).where(this)).first():
        values = {"verify_key": client.verify_key, "counter": 0, "last_contact_at": client.last_contact_at}
        connection.execute(insert(client_keys).values(values))


def _client(row: Row[Any]) -> EnrolledClient:
    return EnrolledClient(row.name, row.verify_key, row.recipient, row.enrolled_at, row.last_contact_at)
