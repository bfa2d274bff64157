"""Windows security events as CSV: what the viewer saves, or `Get-WinEvent | Export-Csv` writes; in English.

The fields of an event stand in its message. Other languages, and the columns of other tools, are not read: XML is.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from keyturn.wire.evidence import windows
from keyturn.wire.evidence.sightings import Sighting

_ID, _TIME, _COMPUTER = ("Event ID", "Id", "EventID"), ("Date and Time", "TimeCreated"), ("MachineName", "Computer")
_TIMES = ("%m/%d/%Y %I:%M:%S %p", "%Y-%m-%d %H:%M:%S", "%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S")

_LABELS = {
    "Account Name": "TargetUserName",
    "Logon Account": "TargetUserName",
    "Account Domain": "TargetDomainName",
    "Supplied Realm Name": "TargetDomainName",
    "Workstation Name": "WorkstationName",
    "Source Workstation": "Workstation",
    "Source Network Address": "IpAddress",
    "Client Address": "IpAddress",
    "Status": "Status",
    "Sub Status": "SubStatus",
    "Failure Code": "Status",
    "Result Code": "Status",
    "Error Code": "Status",
    "Authentication Package": "AuthenticationPackageName",
}
_LINE = re.compile(r"^[ \t]*([A-Z][A-Za-z ]{2,40}):[ \t]*(\S.*)?$", re.MULTILINE)


def is_it(header: str) -> bool:
    columns = next(_rows(iter([header.lstrip("\ufeff")])), [])
    return any(name in columns for name in _ID) and any(name in columns for name in _TIME)


def read(lines: Iterator[str]) -> Iterator[Sighting | None]:
    """None for each row that tells of no logon, or cannot be read."""
    rows = _rows(lines)
    header = [name.lstrip("\ufeff") for name in next(rows, [])]
    for row in rows:
        yield _sighting(dict(zip(header, row, strict=False)), row[-1] if row else "")


def _rows(lines: Iterator[str]) -> Iterator[list[str]]:
    """An empty row for one that is no CSV."""
    rows = csv.reader(lines)
    while True:
        try:
            yield next(rows)
        except csv.Error:
            yield []
        except StopIteration:
            return


def _sighting(row: Mapping[str, str], last: str) -> Sighting | None:
    number, at = _first(row, _ID), _moment(_first(row, _TIME))
    if not number.isdecimal() or at is None:
        return None
    return windows.sighting(int(number), at, _first(row, _COMPUTER), _fields(row.get("Message") or last))


def _fields(message: str) -> dict[str, str]:
    """A label may come twice, as the subject's and then as the new logon's: the later one is meant."""
    found: dict[str, str] = {}
    for match in _LINE.finditer(message):
        label = _LABELS.get(match[1].strip())
        if label and match[2]:
            found[label] = match[2].strip()
    return found


def _moment(text: str) -> float | None:
    """Such files say no zone: it is taken for UTC."""
    for form in _TIMES:
        try:
            return datetime.strptime(text.strip(), form).replace(tzinfo=UTC).timestamp()
        except ValueError:
            continue
    return None


def _first(row: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((row[name].strip() for name in names if row.get(name)), "")
