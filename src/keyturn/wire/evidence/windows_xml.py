"""Windows security events as XML: what `wevtutil qe Security /f:xml` prints, or the viewer saves as XML."""

import xml.etree.ElementTree as ET  # no entities: a document that declares any is refused
from collections.abc import Iterator
from datetime import datetime

from keyturn.wire.evidence import windows
from keyturn.wire.evidence.sightings import Sighting

_NAMESPACE = "{http://schemas.microsoft.com/win/2004/08/events/event}"
_END = "</Event>"


def is_it(text: str) -> bool:
    return "<Event " in text or "<Events" in text or "<Event>" in text


def events(text: str) -> Iterator[str]:
    """Each event by itself, so that one that is damaged spoils no other."""
    start = 0
    while (end := text.find(_END, start)) >= 0:
        begin = max(text.rfind("<Event ", start, end), text.rfind("<Event>", start, end))
        start, cut = end + len(_END), begin
        if cut >= 0:
            yield text[cut:start]


def read(event: str) -> Iterator[Sighting]:
    """Nothing for a damaged event, or one that tells of no logon."""
    if "<!" in event.replace("<![CDATA[", ""):
        return
    try:
        root = ET.fromstring(event)  # noqa: S314 - one small element without declarations
        system = root.find(f"{_NAMESPACE}System")
        data = root.find(f"{_NAMESPACE}EventData")
        if system is None or data is None:
            return
        number = int(system.findtext(f"{_NAMESPACE}EventID", ""))
        created = system.find(f"{_NAMESPACE}TimeCreated")
        at = datetime.fromisoformat(created.attrib["SystemTime"]).timestamp() if created is not None else 0.0
    except (ET.ParseError, ValueError, KeyError):
        return
    fields = {each.get("Name", ""): each.text or "" for each in data}
    found = windows.sighting(number, at, system.findtext(f"{_NAMESPACE}Computer", ""), fields)
    if found is not None:
        yield found
