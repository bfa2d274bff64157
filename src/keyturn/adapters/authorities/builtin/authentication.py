"""One logon on one replica: look up, judge by the truth table, count, log."""

from dataclasses import dataclass, replace

from keyturn.adapters.authorities.builtin.directory import Directory, Tally
from keyturn.adapters.authorities.builtin.logons import LogonEvent, record
from keyturn.adapters.authorities.builtin.passwords import behind
from keyturn.adapters.authorities.builtin.units import Copy, Entry, Lock, standing
from keyturn.lockout.policy import Standing, judge
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.secret import Secret

_NOBODY = ""
"""Whom a logon by an unknown name is judged against: no name is known and no password right, but it takes the same
steps and the same commit as any other."""


@dataclass(frozen=True, slots=True)
class Presented:
    """What arrives with a logon, whoever is meant."""

    secret: Secret
    protocol: LogonProtocol
    replica: str
    source: str


def authenticate(directory: Directory, sid: str | None, presented: Presented, key: bytes) -> LogonEvent:
    """`sid` None, or one that this replica does not hold: UNKNOWN_ACCOUNT."""
    known = directory.copy(presented.replica, sid or _NOBODY)
    who, copy = (sid or _NOBODY, known) if known else (_NOBODY, Copy())
    policy = directory.policy(who)
    tally = directory.tally(presented.replica, who)
    age = behind(presented.secret, copy.passwords.entries, key)
    before = standing(copy, tally.bad_count, tally.last_bad_at, policy, directory.now)
    answer, after = judge(before, age, presented.protocol, policy, directory.now)
    _keep(directory, presented.replica, who, tally, answer, after)
    if known is None:
        answer = Answer.UNKNOWN_ACCOUNT
    elif after.locked_at != before.locked_at:
        directory.write(presented.replica, who, Lock(after.locked_at))
    event = LogonEvent(
        at=directory.now,
        replica=presented.replica,
        account=directory.account(who, known) if known else None,
        source=presented.source,
        protocol=presented.protocol,
        answer=answer,
        version=None if age is None else copy.passwords.entries[age].version,
        current=age is not None and copy.passwords.entries[age] == _newest(directory, presented.replica, who, copy),
    )
    record(directory.rows, event)
    return event


def _newest(directory: Directory, replica: str, sid: str, copy: Copy) -> Entry | None:
    """The current password on the pinned replica, where passwords are changed."""
    pinned = copy if replica == directory.pinned else directory.copy(directory.pinned, sid)
    return pinned.passwords.entries[0] if pinned else None


def _keep(directory: Directory, replica: str, sid: str, tally: Tally, answer: Answer, after: Standing) -> None:
    counted = replace(tally, bad_count=after.bad_count, last_bad_at=after.last_bad_at)
    if answer is Answer.ACCEPTED:
        counted = replace(counted, last_logon_at=directory.now)
    directory.keep(replica, sid, counted)
