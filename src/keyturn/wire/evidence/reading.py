"""A file of evidence, whatever kind it is."""

import io
from collections.abc import Iterator
from dataclasses import dataclass

from keyturn.model.errors import Refused
from keyturn.wire.evidence import machine_scan, samba_json, windows_csv, windows_xml
from keyturn.wire.evidence.sightings import Sighting

_BEGINNING = 64 * 1024


@dataclass(frozen=True, slots=True)
class Evidence:
    """`skipped` records are of a known kind and tell of no logon, or are damaged."""

    kind: str
    sightings: tuple[Sighting, ...]
    skipped: int


def read_evidence(data: bytes, name: str) -> Evidence:
    """Refused for a file in which nothing of a known kind is found; `name` is the file's."""
    text = _text(data)
    beginning = text[:_BEGINNING]
    if machine_scan.is_it(beginning):
        return _counted("scan of a machine", machine_scan.read(text))
    if windows_csv.is_it(beginning.partition("\n")[0]):
        return _counted("Windows events, CSV", windows_csv.read(io.StringIO(text, newline="")))
    if windows_xml.is_it(beginning):
        return _counted("Windows events, XML", _xml(text))
    if any(samba_json.is_it(line) for line in text.splitlines()):
        return _counted("Samba audit, JSON", _samba(text))
    raise Refused(
        f"{name} is no evidence of a known kind",
        hint="Samba's audit in JSON, Windows security events saved as XML or as CSV in English, or what "
        "`keyturn agent scan --json` printed",
    )


def _text(data: bytes) -> str:
    """wevtutil redirected by PowerShell writes UTF-16."""
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
    return data.decode(encoding, "replace")


def _xml(text: str) -> Iterator[Sighting | None]:
    for event in windows_xml.events(text):
        yield next(windows_xml.read(event), None)


def _samba(text: str) -> Iterator[Sighting | None]:
    for line in text.splitlines():
        if samba_json.is_it(line):
            yield next(samba_json.read(line), None)


def _counted(kind: str, found: Iterator[Sighting | None]) -> Evidence:
    sightings, skipped = [], 0
    for sighting in found:
        if sighting is None:
            skipped += 1
        else:
            sightings.append(sighting)
    return Evidence(kind, tuple(sightings), skipped)
