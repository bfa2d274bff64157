"""The truth table of wrong and old passwords, as one pure function.

The built-in realm answers logons with it and the forecast foresees with it, so the two cannot disagree.
Every row was measured on a Samba domain controller: `docs/explanation/lockout.md` has the table.
"""

from dataclasses import dataclass, replace

from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.policy import RealmPolicy

CURRENT = 0
"""The presented password is the current one; 1 is the one before it, and so on. None: no entry of the history."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What one replica knows of an account. Moments are seconds on one clock.

    `locked_at` stays set when a lock has run out, as `lockoutTime` does; `locked` says whether it still holds.
    """

    bad_count: int = 0
    last_bad_at: float | None = None
    locked_at: float | None = None
    password_set_at: float = 0
    disabled: bool = False
    expired: bool = False
    password_expired: bool = False
    must_change: bool = False

    def locked(self, policy: RealmPolicy, now: float) -> bool:
        if self.locked_at is None or policy.lockout_threshold == 0:
            return False
        return policy.lockout_duration_s == 0 or now < self.locked_at + policy.lockout_duration_s


def judge(
    standing: Standing, behind: int | None, protocol: LogonProtocol, policy: RealmPolicy, now: float
) -> tuple[Answer, Standing]:
    """The answer to one logon and the standing after it.

    `behind` says which password was presented: 0 the current one, 1 the one before it, None one that the
    replica's history does not hold. A locked account answers the same to every password and moves nothing.
    """
    if standing.locked(policy, now):
        return Answer.LOCKED, standing
    if _opens(standing, behind, protocol, policy, now):
        return _admitted(standing)
    if _forgiven(behind, protocol, policy):
        return Answer.WRONG_PASSWORD, standing
    return Answer.WRONG_PASSWORD, count_bad(standing, policy, now)


def _opens(standing: Standing, behind: int | None, protocol: LogonProtocol, policy: RealmPolicy, now: float) -> bool:
    if behind == CURRENT:
        return True
    in_grace = not standing.must_change and now < standing.password_set_at + policy.grace_s
    return behind == 1 and policy.history >= 2 and protocol is not LogonProtocol.KERBEROS and in_grace


def _forgiven(behind: int | None, protocol: LogonProtocol, policy: RealmPolicy) -> bool:
    """Whether a refused password counts for nothing: the last two of the history, except under Kerberos."""
    if behind not in (1, 2) or protocol is LogonProtocol.KERBEROS:
        return False
    return policy.history > behind


def _admitted(standing: Standing) -> tuple[Answer, Standing]:
    if standing.disabled:
        return Answer.DISABLED, standing
    if standing.expired:
        return Answer.ACCOUNT_EXPIRED, standing
    if standing.must_change:
        return Answer.MUST_CHANGE, standing
    if standing.password_expired:
        return Answer.PASSWORD_EXPIRED, standing
    return Answer.ACCEPTED, replace(standing, bad_count=0, locked_at=None)


def count_bad(standing: Standing, policy: RealmPolicy, now: float) -> Standing:
    """The standing after one more bad attempt: the window runs from the last one, and a lock restarts the count."""
    if policy.lockout_threshold == 0:
        return replace(standing, last_bad_at=now)
    lapsed = standing.last_bad_at is None or now >= standing.last_bad_at + policy.lockout_window_s
    unlocked_since = standing.locked_at is not None
    count = 1 if lapsed or unlocked_since else standing.bad_count + 1
    locked_at = now if count >= policy.lockout_threshold else None
    return replace(standing, bad_count=count, last_bad_at=now, locked_at=locked_at)
