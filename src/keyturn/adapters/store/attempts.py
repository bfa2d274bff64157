"""The ledger of logons we spent, so that a restart does not forget a bad one."""

from functools import cache
from typing import Any

from sqlalchemy import Select, Update, bindparam, insert, select, update
from sqlalchemy.sql.dml import ReturningInsert

from keyturn.adapters.store.database import Part
from keyturn.adapters.store.schema import attempts
from keyturn.lifecycle.budgeted import Attempts
from keyturn.lockout.budget import Attempt
from keyturn.model.accounts import Account, canonical
from keyturn.model.errors import NotFound
from keyturn.model.logon import Answer


class SqlAttempts(Part, Attempts):
    # By identity and not by row of `accounts`: an account is tried before it is taken in.

    def recent(self, account: Account, since: float) -> tuple[Attempt, ...]:
        """Those at `since` or later, oldest first."""
        its_own = {"realm": canonical(account.realm), "identity": account.sid, "since": since}
        with self._database.reading() as connection:
            rows = connection.execute(_recent(), its_own).all()
        return tuple(
            Attempt(row.number, row.replica, row.at, row.last_bad_before, Answer(row.answer) if row.answer else None)
            for row in rows
        )

    def begin(self, account: Account, replica: str, at: float, last_bad_before: float | None) -> int:
        values = {
            "realm_key": canonical(account.realm),
            "sid": account.sid,
            "replica": replica,
            "at": at,
            "last_bad_before": last_bad_before,
        }
        with self._database.writing() as connection:
            return int(connection.execute(_begun(), values).scalar_one())

    def end(self, number: int, answer: Answer) -> None:
        with self._database.writing() as connection:
            if connection.execute(_ended(), {"which": number, "said": answer}).rowcount == 0:
                raise NotFound(f"no attempt {number} was begun")


@cache
def _recent() -> Select[Any]:
    its_own = (attempts.c.realm_key == bindparam("realm"), attempts.c.sid == bindparam("identity"))
    return select(attempts).where(*its_own, attempts.c.at >= bindparam("since")).order_by(attempts.c.number)


@cache
def _begun() -> ReturningInsert[int]:
    return insert(attempts).returning(attempts.c.number)


@cache
def _ended() -> Update:
    return update(attempts).where(attempts.c.number == bindparam("which")).values(answer=bindparam("said"))
