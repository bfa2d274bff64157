"""Windows security events: which of them tell of a logon, and by which of their fields.

Events: 4624 and 4625 (logon), 4768, 4769 and 4771 (Kerberos), 4776 (NTLM at the domain controller).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from keyturn.model.logon import Answer
from keyturn.wire.evidence.sightings import Sighting, plain_address


@dataclass(frozen=True, slots=True)
class _Kind:
    """Names of fields, as in the event's XML. `status` decides; empty: the event itself says it was accepted."""

    name: str
    domain: str
    machine: str
    address: str
    status: str
    how: str


_KINDS: dict[int, _Kind] = {
    4624: _Kind("TargetUserName", "TargetDomainName", "WorkstationName", "IpAddress", "", ""),
    4625: _Kind("TargetUserName", "TargetDomainName", "WorkstationName", "IpAddress", "SubStatus", ""),
    4768: _Kind("TargetUserName", "TargetDomainName", "", "IpAddress", "Status", "Kerberos"),
    4769: _Kind("TargetUserName", "TargetDomainName", "", "IpAddress", "Status", "Kerberos"),
    4771: _Kind("TargetUserName", "", "", "IpAddress", "Status", "Kerberos"),
    4776: _Kind("TargetUserName", "", "Workstation", "", "Status", "NTLM"),
}

IDS = frozenset(_KINDS)

_ANSWERS: dict[int, Answer] = {
    0x0: Answer.ACCEPTED,
    0xC000006A: Answer.WRONG_PASSWORD,
    0xC0000064: Answer.UNKNOWN_ACCOUNT,
    0xC0000234: Answer.LOCKED,
    0xC0000072: Answer.DISABLED,
    0xC0000193: Answer.ACCOUNT_EXPIRED,
    0xC0000071: Answer.PASSWORD_EXPIRED,
    0xC0000224: Answer.MUST_CHANGE,
    0x6: Answer.UNKNOWN_ACCOUNT,
    0x17: Answer.PASSWORD_EXPIRED,
    0x18: Answer.WRONG_PASSWORD,
}
"""NTSTATUS of 4625 and 4776, Kerberos codes (RFC 4120, 7.5.9) of the others. 0x12 is disabled, expired or locked, and
does not say which."""


def sighting(event: int, at: float, computer: str, fields: Mapping[str, str]) -> Sighting | None:
    """None for an event that tells of no logon of an account: of a machine itself, of nobody."""
    kind = _KINDS.get(event)
    if kind is None:
        return None
    name = _field(fields, kind.name).partition("@")[0].rpartition("\\")[2]
    if not name or name.endswith("$") or name.upper() in ("ANONYMOUS LOGON", "SYSTEM", "LOCAL SERVICE"):
        return None
    address, machine = plain_address(_field(fields, kind.address)), _field(fields, kind.machine)
    if not address and not machine:
        machine = computer
    return Sighting(
        at=at,
        name=name,
        domain=_field(fields, kind.domain),
        machine=machine,
        address=address,
        how=kind.how or _field(fields, "AuthenticationPackageName") or _field(fields, "LogonProcessName"),
        answer=Answer.ACCEPTED if not kind.status else _answer(event, _field(fields, kind.status), fields),
    )


def _answer(event: int, status: str, fields: Mapping[str, str]) -> Answer | None:
    code = _number(status)
    if event == 4625 and code in (None, 0):
        code = _number(_field(fields, "Status"))
        return None if code in (None, 0) else _ANSWERS.get(code)
    return None if code is None else _ANSWERS.get(code)


def _number(text: str) -> int | None:
    try:
        return int(text, 0)
    except ValueError:
        return None


def _field(fields: Mapping[str, str], name: str) -> str:
    value = fields.get(name, "").strip()
    return "" if value == "-" else value
