"""Refusals of live credentials, looked into by the realm's own mark: no logon is spent on it."""

from keyturn.lifecycle.ports import AccountState
from keyturn.model.accounts import RealmName
from keyturn.model.errors import KeyturnError
from keyturn.operations.client_ports import Doubt
from keyturn.operations.parts import Parts

CHANGED = "changed-behind-our-back"
DISABLED = "disabled in its realm"


def look_into_doubts(parts: Parts, realm: RealmName | None = None) -> None:
    """Open the gate again where the password is still the one that was proven: the trouble is with that holder. Where
    somebody else has changed or disabled it, the gate stays closed, and people are told once.

    Those of every realm, or of one: then a realm that does not answer holds up no other's.
    """
    for doubt in parts.store.doubted():
        if realm not in (None, doubt.account.realm):
            continue
        try:
            _look_into(parts, doubt)
        except KeyturnError:
            continue  # the realm is out of reach: later, and the others now


def _look_into(parts: Parts, doubt: Doubt) -> None:
    state = parts.authorities(doubt.account.realm).describe(doubt.account)
    if state.enabled and is_unchanged(state, doubt.version):
        with parts.store.whole():
            parts.store.trust(doubt.credential, parts.now())
            parts.store.tell("keyturn", "refusal-was-local", str(doubt.account), str(doubt.credential))
    else:
        tell_of_change(parts, state, doubt.version)


def is_unchanged(state: AccountState, version: int | None) -> bool:
    """On every replica. `version` is the realm's mark under which the password was proven live."""
    return all(replica.version == version for replica in state.replicas)


def tell_of_change(parts: Parts, state: AccountState, version: int | None) -> None:
    """People, once. A replica that only lags behind the pinned one is no change."""
    subject, pinned = str(state.account), state.pinned.version
    detail = f"version {pinned} instead of {version}" if state.enabled else DISABLED
    if (not state.enabled or pinned != version) and not parts.store.told(CHANGED, subject, detail):
        parts.store.tell("keyturn", CHANGED, subject, detail)
