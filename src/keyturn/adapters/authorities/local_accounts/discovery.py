"""A machine's accounts with what tells services from people. Those without a password have nothing to be changed."""

from keyturn.adapters.authorities.local_accounts.files import Files, Record
from keyturn.operations.surveys import Candidate, LeftOut, Survey

_DAY_S = 86400
_FIRST_PERSON = 1000
"""UID_MIN of login.defs(5), as every distribution has it."""
_NEVER_DAYS = 99999
_NO_SHELL = ("nologin", "false", "sync")


def survey(machine: Files, host: str, now: float) -> Survey:
    found = [(row, record) for row in machine.passwd if (record := machine.by_name(row[0])) is not None]
    with_password = [_candidate(row, record, now) for row, record in found if record.hashed]
    return Survey(
        tuple(with_password),
        servers=(host,),
        left_out=(LeftOut("accounts without a password", len(found) - len(with_password)),),
    )


def _candidate(row: tuple[str, ...], record: Record, now: float) -> Candidate:
    _, _, uid, _, comment, _, shell = row
    sits_there = not shell.endswith(_NO_SHELL)
    set_at = None if record.changed_day is None else record.changed_day * _DAY_S
    return Candidate(
        name=record.name,
        enabled=record.enabled,
        nature=_nature(int(uid), sits_there),
        person=sits_there and int(uid) >= _FIRST_PERSON and " " in comment.partition(",")[0].strip(),
        description=comment,
        strong_groups=("root",)
        if int(uid) == 0
        else tuple(sorted(record.groups & {"root", "sudo", "wheel", "docker"})),
        never_expires=(record.max_days or _NEVER_DAYS) >= _NEVER_DAYS and int(uid) != 0 and not sits_there,
        password_age_s=None if set_at is None else max(0.0, now - set_at),
    )


def _nature(uid: int, sits_there: bool) -> str:
    if 0 < uid < _FIRST_PERSON:
        return "is one of the system's accounts, and has a password"
    return "" if sits_there else "has a password and no shell"
