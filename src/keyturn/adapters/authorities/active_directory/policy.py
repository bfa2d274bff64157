"""The policy in force for an account: a fine-grained one where it has one, else the domain's (MS-ADTS 3.1.1.5.2)."""

from dataclasses import dataclass

from keyturn.adapters.authorities.active_directory.directory import not_there
from keyturn.adapters.authorities.active_directory.formats import span
from keyturn.adapters.authorities.active_directory.session import Entry, Session
from keyturn.adapters.authorities.active_directory.states import STATE
from keyturn.model.accounts import Account
from keyturn.model.errors import AuthorityError
from keyturn.model.policy import RealmPolicy

_COMPLEX = 1
"""DOMAIN_PASSWORD_COMPLEX of `pwdProperties`."""


@dataclass(frozen=True, slots=True)
class _Written:
    """The attributes that hold a policy."""

    threshold: str
    window: str
    duration: str
    history: str
    length: str
    min_age: str
    max_age: str
    complexity: str

    @property
    def all(self) -> tuple[str, ...]:
        return tuple(getattr(self, name) for name in self.__slots__)


_DOMAIN = _Written(
    threshold="lockoutThreshold",
    window="lockOutObservationWindow",
    duration="lockoutDuration",
    history="pwdHistoryLength",
    length="minPwdLength",
    min_age="minPwdAge",
    max_age="maxPwdAge",
    complexity="pwdProperties",
)
_FINE_GRAINED = _Written(
    threshold="msDS-LockoutThreshold",
    window="msDS-LockoutObservationWindow",
    duration="msDS-LockoutDuration",
    history="msDS-PasswordHistoryLength",
    length="msDS-MinimumPasswordLength",
    min_age="msDS-MinimumPasswordAge",
    max_age="msDS-MaximumPasswordAge",
    complexity="msDS-PasswordComplexityEnabled",
)


def account_and_policy(session: Session, account: Account, unread: RealmPolicy) -> tuple[Entry, RealmPolicy]:
    """Its state and the policy in force for it, in one reading unless it has a policy of its own.

    `unread` gives what no directory tells. NotFound for an account that is not there; AuthorityError, permanent, where
    the policy may not be read: a threshold that is only supposed would lock the account.
    """
    domain = account.sid.rpartition("-")[0]
    found = session.identified((account.sid, domain), (*STATE, *_DOMAIN.all))
    entry = found.get(account.sid)
    if entry is None:
        raise not_there(account)
    if own := entry.text("msDS-ResultantPSO"):
        return entry, fine_grained_policy(session, own, unread)
    return entry, _policy(session, _DOMAIN, session.base, found.get(domain), unread)


def domain_policy(session: Session, unread: RealmPolicy) -> RealmPolicy:
    return _policy(session, _DOMAIN, session.base, session.read(session.base, _DOMAIN.all), unread)


def fine_grained_policy(session: Session, dn: str, unread: RealmPolicy) -> RealmPolicy:
    return _policy(session, _FINE_GRAINED, dn, session.read(dn, _FINE_GRAINED.all), unread)


def _policy(session: Session, written: _Written, dn: str, entry: Entry | None, unread: RealmPolicy) -> RealmPolicy:
    if entry is None or not entry.raw(written.threshold):
        raise AuthorityError(
            f"{session.host} does not show the policy {dn} to Keyturn",
            permanent=True,
            hint="let the account Keyturn works with read it: docs/how-to/realm-active-directory.md",
        )
    return RealmPolicy(
        lockout_threshold=entry.number(written.threshold),
        lockout_window_s=span(entry.number(written.window)),
        lockout_duration_s=span(entry.number(written.duration)),
        history=entry.number(written.history),
        grace_s=unread.grace_s,
        min_length=entry.number(written.length),
        complexity=_complex(entry, written),
        min_age_s=span(entry.number(written.min_age)),
        max_age_s=span(entry.number(written.max_age)),
    )


def _complex(entry: Entry, written: _Written) -> bool:
    if written is _FINE_GRAINED:
        return entry.text(written.complexity) == "TRUE"
    return bool(entry.number(written.complexity) & _COMPLEX)
