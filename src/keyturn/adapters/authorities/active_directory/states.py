"""What one controller knows of an account."""

from keyturn.adapters.authorities.active_directory.formats import moment, sid_text
from keyturn.adapters.authorities.active_directory.session import Entry
from keyturn.lifecycle.ports import ReplicaState
from keyturn.model.accounts import Account, RealmName

NAMING = ("sAMAccountName", "objectSid")
STATE = (
    *NAMING,
    "userAccountControl",
    "msDS-User-Account-Control-Computed",
    "msDS-KeyVersionNumber",
    "msDS-ResultantPSO",
    "pwdLastSet",
    "badPwdCount",
    "badPasswordTime",
    "lastLogon",
)

DISABLED = 0x2
_LOCKED = 0x10
"""ADS_UF_LOCKOUT of the computed flags: `lockoutTime` itself stays set when a lock has run out."""


def named(realm: RealmName, entry: Entry) -> Account:
    return Account(realm, sid_text(entry.raw("objectSid")), entry.text("sAMAccountName"))


def usable(entry: Entry) -> bool:
    return not entry.number("userAccountControl") & DISABLED


def locked(entry: Entry) -> bool:
    return bool(entry.number("msDS-User-Account-Control-Computed") & _LOCKED)


def replica_state(host: str, entry: Entry | None) -> ReplicaState:
    if entry is None:
        return ReplicaState(host, version=0, password_set_at=0)
    return ReplicaState(
        replica=host,
        version=entry.number("msDS-KeyVersionNumber"),
        password_set_at=moment(entry.number("pwdLastSet")) or 0,
        bad_count=entry.number("badPwdCount"),
        last_bad_at=moment(entry.number("badPasswordTime")),
        locked=locked(entry),
        last_logon_at=moment(entry.number("lastLogon")),
    )
