"""What people and the server open, outside any plan: generations, envelopes, and accounts taken in."""

from dataclasses import replace

from sqlalchemy import Connection, select

from keyturn.adapters.store import account_rows, escrow_events, generation_rows
from keyturn.adapters.store.account_rows import Known
from keyturn.adapters.store.database import Part
from keyturn.adapters.store.errors import Tampered
from keyturn.adapters.store.generation_rows import GenerationState, Kept
from keyturn.adapters.store.schema import claims, plans
from keyturn.lifecycle.ports import Sealed
from keyturn.model.accounts import Account, AnyAccount, Credential
from keyturn.model.errors import NotFound, Refused
from keyturn.model.estate import AccountLife
from keyturn.model.secret import Secret
from keyturn.operations.ports import Escrow, Event, KeptEnvelope, PlanState


class SqlPasswords(Part, Escrow):
    def secret(self, credential: Credential) -> Secret:
        with self._database.reading() as connection:
            row = account_rows.known(connection, credential.account)
            kept = generation_rows.get(connection, row, credential.generation)
        return kept.open(self._database.cipher, row.account)

    def envelope(self, account: AnyAccount, generation: int | None = None) -> tuple[int, bytes]:
        with self._database.reading() as connection:
            row = account_rows.known(connection, account)
            if generation is None:
                kept = generation_rows.live(connection, row.key)
            else:
                kept = generation_rows.find(connection, row.key, generation)
        if kept is None or not kept.envelope:
            which = "its live password" if generation is None else f"generation {generation}"
            raise NotFound(f"no envelope of {row.account} for {which}")
        return kept.generation, kept.envelope

    def envelopes(self, account: AnyAccount) -> tuple[KeptEnvelope, ...]:
        with self._database.reading() as connection:
            row = account_rows.known(connection, account)
            found = (generation_rows.live(connection, row.key), generation_rows.undecided(connection, row.key))
        return tuple(
            KeptEnvelope(
                row.account,
                kept.generation,
                kept.state is GenerationState.LIVE,
                kept.version_before,
                kept.version,
                kept.envelope,
            )
            for kept in found
            if kept and kept.envelope
        )

    def reseal(self, account: AnyAccount, generation: int, by: str) -> None:
        with self._database.reading() as connection:
            row = account_rows.known(connection, account)
            kept = generation_rows.get(connection, row, generation)
        # Sealed before the transaction, which others wait for: a generation's password never changes.
        envelope = self._database.envelope(row.account, generation, kept.open(self._database.cipher, row.account))
        with self._database.writing() as connection:
            generation_rows.replace_envelope(connection, row.key, generation, envelope)
            escrow_events.tell_sealed(self._database, connection, by, row.account, generation, envelope)

    def told_of_envelopes(self) -> tuple[Event, ...]:
        with self._database.reading() as connection:
            return escrow_events.told(connection)

    def adopt(self, sealed: Sealed, account: Account, secret: Secret) -> None:
        """A number that another password has already is passed over for the next free one: `account` tells which.
        It settles a candidate of unknown fate, since the password proven live is that one or another."""
        with self._database.writing() as connection:
            row = account_rows.identify(connection, account)
            candidate = generation_rows.undecided(connection, row.key)
            _refuse_under_way(connection, row, candidate)
            current = generation_rows.live(connection, row.key)
            same = next((kept for kept in (current, candidate) if kept and self._opens_to(kept, account, secret)), None)
            if candidate and candidate is not same:
                generation_rows.abandon(connection, candidate)
            generation = same.generation if same else self._keep_anew(connection, row, sealed, secret)
            generation_rows.make_live(connection, row.key, generation, sealed.version_before, self._database.now())
            account_rows.change(connection, row.key, life=AccountLife.ACTIVE)
            escrow_events.tell_void_papers(self._database, connection, row.account, generation)

    def _keep_anew(self, connection: Connection, row: Known, sealed: Sealed, secret: Secret) -> int:
        free = max(sealed.credential.generation, generation_rows.newest(connection, row.key) + 1)
        envelope = self._database.envelope(row.account, free, secret)
        numbered = replace(sealed, credential=Credential(row.account, free))
        generation_rows.keep(self._database, connection, row.key, numbered, secret, envelope=envelope, plan_id=None)
        return free

    def _opens_to(self, kept: Kept, account: Account, secret: Secret) -> bool:
        try:
            return kept.open(self._database.cipher, account) == secret
        except Tampered:
            return False  # adopting the live password anew is how a damaged record is repaired


def _refuse_under_way(connection: Connection, row: Known, candidate: Kept | None) -> None:
    """A plan under way would be misled, except one that has stopped over a candidate: this is what resolves it."""
    of_account = select(plans.c.plan_id, plans.c.state).join(claims).where(claims.c.account_id == row.key)
    plan = connection.execute(of_account).one_or_none()
    if plan and not (candidate and plan.state == PlanState.STOPPED):
        raise Refused(f"{row.account} has an open plan", hint=f"keyturn plan abandon {plan.plan_id}")
