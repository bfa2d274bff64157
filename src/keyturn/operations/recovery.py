"""Installing at logon: a key of the site that enrols its machines without an invitation each.

Whoever has such a key can enrol any machine of the estate that has no living client, and is then given what that
machine would be given. So it has an end, can be revoked, and never replaces a client that is still heard.
"""

from keyturn.model.errors import NotFound, Refused
from keyturn.model.names import refuse_no_name
from keyturn.model.secret import Secret
from keyturn.operations.client_ports import EnrolledClient
from keyturn.operations.clients import enrol, hash_token, invite
from keyturn.operations.parts import Parts
from keyturn.operations.recovery_records import LogonKey
from keyturn.operations.status_messages import report
from keyturn.site.components import ComponentName
from keyturn.site.status_messages import MessageId

PREFIX = "logon-"
"""Tells a key from an invitation's token, for both travel in the same field."""
SILENT_S = 24 * 3600.0
"""A client that was heard within this is alive: its keys are replaced by an invitation alone."""
LASTS_S = 90 * 24 * 3600.0


def issue(parts: Parts, name: str, *, lasts_s: float, by: str) -> Secret:
    """The key itself is kept nowhere, only its hash."""
    refuse_no_name(name, "a logon key")  # by which it is revoked
    key, now = Secret(PREFIX + parts.token()), parts.now()
    with parts.store.whole():
        parts.store.issue_logon_key(LogonKey(name, by, now, now + lasts_s), hash_token(key))
        parts.store.tell(by, "logon-key-issued", name)
    return key


def revoke(parts: Parts, name: str, *, by: str) -> None:
    with parts.store.whole():
        if not parts.store.revoke_logon_key(name, parts.now()):
            raise NotFound(f"no logon key {name} is good", hint="keyturn client logon-key list")
        parts.store.tell(by, "logon-key-revoked", name)


def enrol_by(parts: Parts, token: Secret, name: str, verify_key: bytes, recipient: str) -> EnrolledClient:
    """By an invitation's token, or by a logon key."""
    if not token.reveal().startswith(PREFIX):
        return enrol(parts, token, name, verify_key, recipient)
    key = parts.store.logon_key(hash_token(token))
    if key is None or not key.good(parts.now()):
        raise Refused("this logon key is not valid", hint="keyturn client logon-key issue, on the site")
    _refuse_living(parts, name)
    with parts.store.whole():
        once = invite(parts, name, by=f"logon key {key.name}")
        client = enrol(parts, once, name, verify_key, recipient)
        parts.store.count_logon_key(key.name)
        report(parts, ComponentName.CLIENT_CONFIG_MANAGER, MessageId.ENROLLED_AT_LOGON, client=name, key=key.name)
    return client


def _refuse_living(parts: Parts, name: str) -> None:
    found = parts.store.clients_of([name]).get(name)
    if found is None:
        return
    heard = found.last_contact_at if found.last_contact_at is not None else found.enrolled_at
    if parts.now() - heard < SILENT_S:
        raise Refused(
            f"{name} has a client that was heard within {SILENT_S / 3600:.0f} h: a logon key does not replace it",
            hint=f"keyturn client invite {name}, on the site",
        )
