"""Refusals of live credentials, looked into by the realm's own mark: no logon is spent on it."""

from keyturn.lifecycle.ports import AccountState
from keyturn.operations.parts import Parts
from keyturn.operations.ports import Doubt


def look_into_doubts(parts: Parts) -> None:
    """Open the gate again where the password is still the one that was proven: the trouble is with that holder. Where
    somebody else has changed it, the gate stays closed, and people are told."""
    for doubt in parts.store.doubted():
        state = parts.authorities(doubt.account.realm).describe(doubt.account)
        if _unchanged(doubt, state):
            parts.store.trust(doubt.credential, parts.now())
            parts.store.tell("keyturn", "refusal-was-local", str(doubt.account), str(doubt.credential))
        elif state.pinned.version != doubt.version:
            detail = f"version {state.pinned.version} instead of {doubt.version}"
            parts.store.tell_once("keyturn", "changed-behind-our-back", str(doubt.account), detail)


def _unchanged(doubt: Doubt, state: AccountState) -> bool:
    return all(replica.version == doubt.version for replica in state.replicas)
