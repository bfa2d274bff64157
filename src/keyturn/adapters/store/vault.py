"""The generations a plan makes: sealed before anything else, promoted when proven live."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from keyturn.adapters.store import account_rows, escrow_events, generation_rows, plan_rows
from keyturn.adapters.store.claims import open_given
from keyturn.adapters.store.events import tell_once
from keyturn.adapters.store.generation_rows import Kept
from keyturn.adapters.store.tenure import LeasedPart, Tenure
from keyturn.lifecycle.plan import CreateAccount
from keyturn.lifecycle.ports import Sealed, Vault
from keyturn.model.accounts import Account, AccountToBe, AnyAccount, Credential
from keyturn.model.errors import NotFound, Refused
from keyturn.model.estate import AccountLife
from keyturn.model.secret import Secret


class LeasedVault(LeasedPart, Vault):
    def __init__(self, tenure: Tenure) -> None:
        super().__init__(tenure)
        self._kept: dict[Credential, Kept] = {}
        """Read since the last change: nobody else changes generations of a plan's accounts while its lease holds."""

    def given(self, credential: Credential) -> Secret | None:
        with self._database.reading() as connection:
            return open_given(connection, self._database.cipher, self._plan_id, credential)

    def seal(self, sealed: Sealed, secret: Secret) -> None:
        account, generation = sealed.credential.account, sealed.credential.generation
        # Made before the transaction: sealing to many custodians takes longer than others should wait.
        envelope = self._database.envelope(account, generation, secret)
        with self._changing() as connection:
            row = account_rows.known(connection, account)
            kept = generation_rows.find(connection, row.key, generation)
            if kept and kept.plan_id == self._plan_id:
                return
            if kept:
                raise Refused(f"{sealed.credential} exists already, and not by this plan", hint="plan anew")
            candidate = generation_rows.undecided(connection, row.key)
            if candidate:
                raise generation_rows.of_unknown_fate(row, candidate)
            generation_rows.keep(
                self._database, connection, row.key, sealed, secret, envelope=envelope, plan_id=self._plan_id
            )

    def sealed(self, credential: Credential) -> Sealed | None:
        kept = self._find(credential)
        if kept is None:
            return None
        return Sealed(credential, kept.replica, kept.version_before, kept.promoted_at is not None, kept.version)

    def open(self, credential: Credential) -> Secret:
        kept = self._find(credential)
        if kept is None:
            raise NotFound(f"{credential} was never sealed")
        return kept.open(self._database.cipher, credential.account)

    def promote(self, credential: Credential, account: Account, version: int) -> None:
        with self._changing() as connection:
            row = account_rows.settle(connection, credential.account, account)
            generation_rows.get(connection, row, credential.generation)
            generation_rows.make_live(connection, row.key, credential.generation, version, self._database.now())
            account_rows.change(connection, row.key, life=AccountLife.ACTIVE)
            escrow_events.tell_void_papers(self._database, connection, row.account, credential.generation)

    def settle(self, planned: AccountToBe, account: Account) -> None:
        with self._changing() as connection:
            before = account_rows.known(connection, planned)
            row = account_rows.settle(connection, planned, account)
            if isinstance(before.account, AccountToBe):
                account_rows.change(connection, row.key, created_at=self._database.now())
            for step in (each.step for each in plan_rows.plan_of(connection, self._plan_id).steps):
                if isinstance(step, CreateAccount) and step.account == planned and step.succeeds:
                    old = account_rows.known(connection, step.succeeds)
                    account_rows.change(connection, old.key, successor_id=row.key)

    def forget(self, account: Account) -> None:
        """Told under its former identity, which permissions in realms and on shares may still name."""
        with self._changing() as connection:
            row = account_rows.find(connection, account)
            if row is None:
                return
            account_rows.change(connection, row.key, sid=None, life=AccountLife.PLANNED)
            escrow_events.tell_void_papers(self._database, connection, row.account, live=None)
            tell_once(self._database, connection, f"plan {self._plan_id}", "identity-gone", str(account), account.sid)

    def identity(self, account: AnyAccount) -> Account | None:
        if isinstance(account, Account):
            return account
        with self._database.reading() as connection:
            row = account_rows.find(connection, account)
        return row.account if row and isinstance(row.account, Account) else None

    def record(self, credential: Credential, remark: str) -> None:
        """An event that people read; saying the same again adds nothing."""
        with self._tenure.writing() as connection:
            tell_once(self._database, connection, f"plan {self._plan_id}", "remark", str(credential), remark)

    def _find(self, credential: Credential) -> Kept | None:
        if credential not in self._kept:
            with self._database.reading() as connection:
                kept = generation_rows.of(connection, credential)
            if kept is None:
                return None
            self._kept[credential] = kept
        return self._kept[credential]

    @contextmanager
    def _changing(self) -> Iterator[Connection]:
        self._kept.clear()
        with self._tenure.writing() as connection:
            yield connection
