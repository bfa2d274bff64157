"""An account as one server shows it: its entry, with what the ppolicy overlay keeps in it.

The mark of a password is the second of `pwdChangedTime`, which the overlay writes with every set, whoever sets it, and
which replicates. It rises with every set of ours because `passwords.change` sees to that; it does not count.
"""

import calendar
import re
from dataclasses import dataclass

from keyturn.adapters.authorities.openldap.session import Entry
from keyturn.lifecycle.ports import ReplicaState
from keyturn.model.policy import RealmPolicy

WANTED = (
    "uid",
    "entryUUID",
    "entryCSN",
    "pwdChangedTime",
    "pwdFailureTime",
    "pwdAccountLockedTime",
    "pwdStartTime",
    "pwdEndTime",
    "pwdReset",
    "pwdPolicySubentry",
    "pwdLastSuccess",
    "authTimestamp",
)
DISABLED = b"000001010000Z"
"""The `pwdAccountLockedTime` of an account that no duration unlocks: slapo-ppolicy(5)."""

_MOMENT = re.compile(rb"(\d{14})(?:[.,](\d{1,9}))?Z")


@dataclass(frozen=True, slots=True)
class Record:
    """Moments are seconds since the epoch, by the server's clock."""

    dn: str
    name: str
    uuid: str
    mark: int
    written_at: float
    """The last change of the entry that replicates; to the microsecond, as `pwdChangedTime` is not."""
    failures: tuple[float, ...]
    disabled: bool
    locked_at: float | None
    starts_at: float | None
    ends_at: float | None
    must_change: bool
    last_logon_at: float | None
    policy: str | None

    def locked(self, policy: RealmPolicy, now: float) -> bool:
        """By its own wrong passwords. The attribute stays when the duration is over."""
        if self.locked_at is None or policy.lockout_threshold == 0:
            return False
        return policy.lockout_duration_s == 0 or now < self.locked_at + policy.lockout_duration_s

    def barred(self, policy: RealmPolicy, now: float) -> bool:
        """Whether the server refuses every password alike, so that a logon would tell nothing."""
        early = self.starts_at is not None and now < self.starts_at
        late = self.ends_at is not None and now >= self.ends_at
        return self.disabled or early or late or self.locked(policy, now)

    def state(self, host: str, policy: RealmPolicy, now: float) -> ReplicaState:
        """The overlay drops failures outside its window only at the next one, so there may be old ones in the count;
        the moment of the last one tells."""
        return ReplicaState(
            replica=host,
            version=self.mark,
            password_set_at=float(self.mark),
            bad_count=len(self.failures),
            last_bad_at=max(self.failures, default=None),
            locked=self.locked(policy, now),
            last_logon_at=self.last_logon_at,
            counted=False,
        )


def absent(host: str) -> ReplicaState:
    """Of a server that the account has not reached."""
    return ReplicaState(replica=host, version=0, password_set_at=0, counted=False)


def record(entry: Entry) -> Record:
    values = {name.lower(): tuple(found) for name, found in entry.attributes.items()}

    def first(name: str) -> bytes | None:
        return next(iter(values.get(name.lower(), ())), None)

    def moment(name: str) -> float | None:
        written = first(name)
        return _seconds(written) if written else None

    lock = first("pwdAccountLockedTime")
    policy = first("pwdPolicySubentry")
    return Record(
        dn=entry.dn,
        name=(first("uid") or b"").decode(),
        uuid=(first("entryUUID") or b"").decode(),
        mark=int(moment("pwdChangedTime") or 0),
        written_at=_seconds((first("entryCSN") or b"").partition(b"#")[0]) or 0,
        failures=tuple(sorted(seconds for v in values.get("pwdfailuretime", ()) if (seconds := _seconds(v)))),
        disabled=lock == DISABLED,
        locked_at=_seconds(lock) if lock else None,
        starts_at=moment("pwdStartTime"),
        ends_at=moment("pwdEndTime"),
        must_change=first("pwdReset") == b"TRUE",
        last_logon_at=moment("pwdLastSuccess") or moment("authTimestamp"),
        policy=policy.decode() if policy else None,
    )


def _seconds(written: bytes) -> float | None:
    """GeneralizedTime in UTC; None for what is no moment, as `DISABLED` is none."""
    found = _MOMENT.fullmatch(written)
    if found is None:
        return None
    digits, fraction = found[1].decode(), (found[2] or b"0").decode()
    parts = [int(digits[:4]), *(int(digits[i : i + 2]) for i in range(4, 14, 2))]
    return calendar.timegm((*parts, 0, 0, 0)) + float(f"0.{fraction}")
