"""The client access point: a share whose accounts are the realm's, so that a wrong password is a real bad attempt."""

from dataclasses import dataclass
from typing import Protocol

from keyturn.model.accounts import Credential, same_name
from keyturn.model.estate import Holder, Proof
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.secret import Secret
from keyturn.operations.ports import Store


@dataclass(frozen=True, slots=True)
class Logon:
    """`current`: it was the newest password that opened the account, not the one before it by grace."""

    answer: Answer
    current: bool = False


class AccessRealm(Protocol):
    def logon(
        self, name: str, secret: Secret, *, protocol: LogonProtocol, replica: str | None = None, source: str
    ) -> Logon:
        """One logon of a client, as it comes: not ours, so not in our budget."""


def log_on(
    store: Store, realm: AccessRealm, account: str, secret: Secret, *, machine: Holder | None, source: str, now: float
) -> Answer:
    """Let somebody in, or not. `account` is `REALM\\name`. A logon with the newest password, from a machine that has
    signed the request, is that machine's observed proof."""
    name = account.partition("\\")[2]
    if machine is None:
        return realm.logon(name, secret, protocol=LogonProtocol.NTLM, source=source).answer
    logon = realm.logon(name, secret, protocol=machine.protocol, replica=machine.replica, source=machine.name)
    if logon.answer is Answer.ACCEPTED and logon.current:
        _observe(store, machine.name, account, now)
    return logon.answer


def _observe(store: Store, machine: str, account: str, now: float) -> None:
    """While a candidate's fate is open, nobody can tell which generation the newest password is."""
    for offer in store.offers(machine):
        if same_name(str(offer.account), account) and not offer.undecided and offer.live is not None:
            store.prove(machine, Credential(offer.account, offer.live), Proof.OBSERVED, now)
