"""Samba's audit of authentications in JSON (`log level = auth_json_audit:3`), one object a line, alone or in a log.

Format: wiki.samba.org, Interpreting JSON Audit Logs; measured with Samba 4.17.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from keyturn.model.logon import Answer
from keyturn.wire.evidence.sightings import Sighting, plain_address

_ANSWERS = {
    "NT_STATUS_OK": Answer.ACCEPTED,
    "NT_STATUS_WRONG_PASSWORD": Answer.WRONG_PASSWORD,
    "NT_STATUS_ACCOUNT_LOCKED_OUT": Answer.LOCKED,
    "NT_STATUS_ACCOUNT_DISABLED": Answer.DISABLED,
    "NT_STATUS_ACCOUNT_EXPIRED": Answer.ACCOUNT_EXPIRED,
    "NT_STATUS_PASSWORD_EXPIRED": Answer.PASSWORD_EXPIRED,
    "NT_STATUS_PASSWORD_MUST_CHANGE": Answer.MUST_CHANGE,
    "NT_STATUS_NO_SUCH_USER": Answer.UNKNOWN_ACCOUNT,
}


def is_it(line: str) -> bool:
    return '"type": "Authentication"' in line


def read(line: str) -> Iterator[Sighting]:
    """Nothing for a line that is cut short, or of another kind."""
    start = line.find("{")
    try:
        record = json.loads(line[start:]) if start >= 0 else None
        if isinstance(record, dict) and record.get("type") == "Authentication":
            yield _sighting(record["timestamp"], record["Authentication"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return


def _sighting(timestamp: str, found: dict[str, Any]) -> Sighting:
    became = found.get("becameAccount") if found["status"] == "NT_STATUS_OK" else None
    name = became or found.get("mappedAccount") or found.get("clientAccount") or ""
    return Sighting(
        at=datetime.fromisoformat(timestamp).timestamp(),
        name=name.partition("@")[0],
        domain=found.get("becameDomain") or found.get("clientDomain") or "",
        machine=found.get("workstation") or "",
        address=_address(found.get("remoteAddress") or ""),
        how=_how(found),
        answer=_ANSWERS.get(found["status"]),
    )


def _address(text: str) -> str:
    """`ipv4:10.0.0.5:51234`, `ipv6:fe80::1:51234`, `unix:/path`."""
    kind, _, rest = text.partition(":")
    return plain_address(rest.rpartition(":")[0]) if kind in ("ipv4", "ipv6") else ""


def _how(found: dict[str, Any]) -> str:
    service = found.get("serviceDescription") or ""
    return "Kerberos" if "Kerberos" in service else found.get("passwordType") or service
