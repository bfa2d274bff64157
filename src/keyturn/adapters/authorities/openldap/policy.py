"""The `pwdPolicy` entry in force for an account, in the words of every realm."""

from keyturn.adapters.authorities.openldap.session import Entry, Session
from keyturn.model.errors import AuthorityError
from keyturn.model.policy import RealmPolicy
from keyturn.model.secret import Secret

_WANTED = (
    "pwdLockout",
    "pwdMaxFailure",
    "pwdFailureCountInterval",
    "pwdLockoutDuration",
    "pwdCheckQuality",
    "pwdMinLength",
    "pwdMinAge",
    "pwdMaxAge",
)
_FOR_EVER_S = 100 * 365 * 86400.0
"""A failure count interval of 0 forgets only at a success."""


def in_force(session: Session, name: str | None, otherwise: RealmPolicy) -> RealmPolicy:
    """`name` is the policy's entry; None: what the estate says. One that is not there, or that Keyturn's login may not
    see, is an AuthorityError: a policy must not be guessed where there is one."""
    if name is None:
        return otherwise
    found = session.search(name, "(objectClass=pwdPolicy)", _WANTED)
    if not found:
        raise AuthorityError(f"{session.host}: {name} is no pwdPolicy that Keyturn's login may read", permanent=True)
    return _read(found[0])


def objection(secret: Secret, policy: RealmPolicy) -> str | None:
    """The overlay checks nothing of what a password administrator sets, so we do. Lengths are in bytes, as its own."""
    length = len(secret.reveal().encode())
    return f"shorter than {policy.min_length}" if length < max(policy.min_length, 1) else None


def _read(entry: Entry) -> RealmPolicy:
    values = {name.lower(): found[0].decode() for name, found in entry.attributes.items() if found}

    def number(name: str) -> int:
        return int(values.get(name.lower(), "0"))

    return RealmPolicy(
        lockout_threshold=number("pwdMaxFailure") if values.get("pwdlockout") == "TRUE" else 0,
        lockout_window_s=float(number("pwdFailureCountInterval")) or _FOR_EVER_S,
        lockout_duration_s=float(number("pwdLockoutDuration")),
        history=0,  # a previous password counts like any wrong one: `pwdInHistory` forgives no logon
        grace_s=0,
        min_length=number("pwdMinLength") if number("pwdCheckQuality") else 0,
        complexity=False,
        min_age_s=float(number("pwdMinAge")),
        max_age_s=float(number("pwdMaxAge")),
    )
