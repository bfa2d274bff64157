"""What only this realm offers its administrator: no other authority has these verbs.

Policies are in force on every replica at once. Everything else is written on the pinned replica and replicates.
Each verb is safe to repeat; moments and lags are seconds.
"""

from dataclasses import replace

from keyturn.adapters.authorities.builtin import replication
from keyturn.adapters.authorities.builtin.database import Database
from keyturn.adapters.authorities.builtin.directory import acceptable
from keyturn.adapters.authorities.builtin.units import Naming
from keyturn.model.accounts import Account, canonical
from keyturn.model.errors import AuthorityError
from keyturn.model.policy import RealmPolicy


class Administration:
    def __init__(self, database: Database) -> None:
        self._database = database

    def accounts(self) -> tuple[Account, ...]:
        """By name."""
        with self._database.directory() as directory:
            copies = [(sid, directory.copy(directory.pinned, sid)) for sid in directory.sids()]
            found = [directory.account(sid, copy) for sid, copy in copies if copy]
        return tuple(sorted(found, key=lambda account: canonical(account.name)))

    def rename(self, account: Account, name: str) -> Account:
        """The identity stays. A name that another account bears is an AuthorityError, permanent."""
        if not acceptable(name):
            raise AuthorityError("an account cannot bear this name", permanent=True)
        with self._database.directory() as directory:
            copy = directory.require(account)
            renamed = replace(copy, naming=Naming(name.strip(), canonical(name)))
            if directory.sid(directory.pinned, name) not in (None, account.sid):
                raise AuthorityError(f"{directory.account('', renamed)} exists already", permanent=True)
            directory.write(directory.pinned, account.sid, renamed.naming)
            return directory.account(account.sid, renamed)

    def set_standing(
        self,
        account: Account,
        *,
        expired: bool | None = None,
        must_change: bool | None = None,
        password_expired: bool | None = None,
    ) -> None:
        """None leaves a flag as it is. A new password ends the last two."""
        with self._database.directory() as directory:
            copy = directory.require(account)
            if expired is not None:
                directory.write(directory.pinned, account.sid, replace(copy.validity, expired=expired))
            ageing = copy.ageing
            if must_change is not None:
                ageing = replace(ageing, must_change=must_change)
            if password_expired is not None:
                ageing = replace(ageing, expired=password_expired)
            if ageing != copy.ageing:
                directory.write(directory.pinned, account.sid, ageing)

    def set_policy(self, policy: RealmPolicy) -> None:
        with self._database.directory() as directory:
            directory.set_policy(None, policy)

    def set_account_policy(self, account: Account, policy: RealmPolicy | None) -> None:
        """A policy of the account's own, which wins over the realm's in everything; None takes it away."""
        with self._database.directory() as directory:
            directory.require(account)
            directory.set_policy(account.sid, policy)

    def replicate(self) -> None:
        """Deliver what is due by now. Every other verb does so before anything else."""
        with self._database.directory():
            pass

    def cut(self, replica: str) -> None:
        """Nothing reaches or leaves this replica until it is healed; it answers logons as before."""
        self._set_cut(replica, True)

    def heal(self, replica: str) -> None:
        """What has waited longer than the lag arrives at once."""
        self._set_cut(replica, False)

    def set_replication(self, replication_s: float, *, lock_s: float = replication.LOCK_LAG_S) -> None:
        """How late the other replicas are; `lock_s` is for locks alone, which are never later than the rest."""
        with self._database.directory() as directory:
            replication.set_lags(directory.rows, replication_s, lock_s)

    def _set_cut(self, replica: str, cut: bool) -> None:
        with self._database.directory() as directory:
            replication.set_cut(directory.rows, directory.replica(replica), cut)
