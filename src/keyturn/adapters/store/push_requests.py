"""Requests to install or remove clients, and what machines said to the accounts that were used for it."""

import json
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from keyturn.adapters.store import account_rows
from keyturn.adapters.store.database import Part
from keyturn.adapters.store.schema_push import push_logons, push_requests
from keyturn.model.accounts import Account, Credential, canonical
from keyturn.model.errors import NotFound
from keyturn.model.logon import Answer
from keyturn.operations.push_records import PushLogon, PushRequest, PushRequests, PushState, Work


class SqlPushRequests(Part, PushRequests):
    def request_push(self, request: PushRequest) -> None:
        key = canonical(request.name)
        with self._database.writing() as connection:
            connection.execute(delete(push_requests).where(push_requests.c.name_key == key))
            connection.execute(insert(push_requests).values(name_key=key, **_values(request)))

    def push_request(self, name: str) -> PushRequest:
        this = push_requests.c.name_key == canonical(name)
        with self._database.reading() as connection:
            row = connection.execute(select(push_requests).where(this)).one_or_none()
        if row is None:
            raise NotFound(f"nothing was asked for {name}", hint="keyturn client push")
        return _request(row)

    def push_requests(self) -> tuple[PushRequest, ...]:
        with self._database.reading() as connection:
            return tuple(map(_request, connection.execute(select(push_requests).order_by(push_requests.c.name_key))))

    def claim_push(self, request: PushRequest, until: float) -> bool:
        mine = _same(request), push_requests.c.next_at == request.next_at, push_requests.c.state == request.state
        with self._database.writing() as connection:
            return connection.execute(update(push_requests).where(*mine).values(next_at=until)).rowcount == 1

    def settle_push(self, claimed: PushRequest) -> bool:
        still_open = push_requests.c.state.in_([state for state in PushState if state.open])
        with self._database.writing() as connection:
            settled = update(push_requests).where(_same(claimed), still_open).values(_values(claimed))
            return connection.execute(settled).rowcount == 1

    def note_push_logon(self, logon: PushLogon) -> None:
        with self._database.writing() as connection:
            key = account_rows.known(connection, logon.credential.account).key
            this = {
                "account_id": key,
                "generation": logon.credential.generation,
                "machine_key": canonical(logon.machine),
            }
            connection.execute(
                delete(push_logons).where(*(push_logons.c[name] == value for name, value in this.items()))
            )
            said = {"machine": logon.machine, "answer": logon.answer.value, "at": logon.at}
            connection.execute(insert(push_logons).values(**this, **said))

    def push_logons(self, account: Account) -> tuple[PushLogon, ...]:
        with self._database.reading() as connection:
            key = account_rows.known(connection, account).key
            rows = connection.execute(select(push_logons).where(push_logons.c.account_id == key)).all()
        return tuple(
            PushLogon(row.machine, Credential(account, row.generation), Answer(row.answer), row.at) for row in rows
        )

    def forget_push_refusals(self, machine: str) -> None:
        theirs = (push_logons.c.machine_key == canonical(machine), push_logons.c.answer != Answer.ACCEPTED)
        with self._database.writing() as connection:
            connection.execute(delete(push_logons).where(*theirs))


def _same(request: PushRequest) -> Any:
    """The same asking: not one made since."""
    return (push_requests.c.name_key == canonical(request.name)) & (push_requests.c.asked_at == request.asked_at)


def _values(request: PushRequest) -> dict[str, object]:
    return {
        "name": request.name,
        "work": request.work.value,
        "host": request.host,
        "port": request.port,
        "accounts": json.dumps(request.accounts),
        "asked_by": request.asked_by,
        "asked_at": request.asked_at,
        "state": request.state.value,
        "next_at": request.next_at,
        "tries": request.tries,
        "installed_at": request.installed_at,
        "note": request.note,
        "hint": request.hint,
    }


def _request(row: Row[Any]) -> PushRequest:
    return PushRequest(
        name=row.name,
        work=Work(row.work),
        host=row.host,
        port=row.port,
        accounts=tuple(json.loads(row.accounts)),
        asked_by=row.asked_by,
        asked_at=row.asked_at,
        next_at=row.next_at,
        state=PushState(row.state),
        tries=row.tries,
        installed_at=row.installed_at,
        note=row.note,
        hint=row.hint,
    )
