"""The client access point: a share whose accounts are the realm's, so that a wrong password is a real bad attempt."""

from dataclasses import dataclass
from typing import Protocol

from keyturn.model.accounts import Credential
from keyturn.model.errors import NotFound
from keyturn.model.estate import Holder, Proof
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.secret import Secret
from keyturn.operations.ports import Store


@dataclass(frozen=True, slots=True)
class Logon:
    """`current`: it was the newest password that opened it, not the one before it by grace."""

    answer: Answer
    current: bool = False


class AccessRealm(Protocol):
    def logon(self, name: str, secret: Secret, *, protocol: LogonProtocol, replica: str | None, source: str) -> Logon:
        """One logon of a client, as it comes: not ours, so not in our budget."""


def log_on(
    store: Store, realm: AccessRealm, account: str, secret: Secret, *, machine: Holder | None, source: str, now: float
) -> Answer:
    """Let somebody in, or not. A logon with the newest password by a machine that signed the request is the
    machine's observed proof."""
    protocol = machine.protocol if machine else LogonProtocol.NTLM
    replica = machine.replica if machine else None
    logon = realm.logon(
        account.rpartition("\\")[2],
        secret,
        protocol=protocol,
        replica=replica,
        source=machine.name if machine else source,
    )
    if machine and logon.answer is Answer.ACCEPTED and logon.current:
        _observe(store, machine.name, account, now)
    return logon.answer


def _observe(store: Store, machine: str, account: str, now: float) -> None:
    try:
        managed = store.estate().managed(account)
    except NotFound:
        return
    if managed.generation is not None:
        store.prove(machine, Credential(managed.account, managed.generation), Proof.OBSERVED, now)
