"""The site control file as SMS writes it: given out, and taken in again."""

from dataclasses import dataclass

from keyturn.model.errors import Refused
from keyturn.operations.parts import Parts
from keyturn.operations.site_control import at_serial, current, propose
from keyturn.operations.site_control_records import DeltaRecord
from keyturn.site.control.text.lines import read_text
from keyturn.site.control.text.reading import compare
from keyturn.site.control.text.writing import new_text, updated


@dataclass(frozen=True, slots=True)
class TextTaken:
    """`delta` None: the text says what the document says. `left` are places that are the estate's to say."""

    delta: DeltaRecord | None
    left: tuple[str, ...]


def export_text(parts: Parts, serial: int | None = None) -> bytes:
    """Into the text that was imported last, if there is one, so that what Keyturn does not know of it is kept."""
    document = current(parts) if serial is None else at_serial(parts, serial)
    kept = parts.store.control_text()
    if kept is None:
        return new_text(document).to_bytes()
    said, text = kept
    return updated(read_text(text), parts.store.control(said), document).to_bytes()


def import_text(
    parts: Parts, content: bytes, *, base: int | None = None, leave_estate: bool = False, by: str
) -> TextTaken:
    """What it says differently becomes one delta, applied whole or refused. `base` is the serial it was made from,
    where that is not the one in it; with `leave_estate`, what is the estate's stays as the estate says.

    Refused for what is no site control file of this site.
    """
    text = read_text(content)
    with parts.store.whole():
        reading = compare(text, current(parts))
        if reading.others and not leave_estate:
            raise Refused(
                f"the file says otherwise than the estate at {len(reading.others)} places: "
                + ", ".join(reading.others[:_MOST]),
                hint="change the estate first, or leave those as they are with --leave-estate",
            )
        serial = reading.base if base is None else base
        delta = propose(parts, reading.operations, base=serial, by=by) if reading.operations else None
        if delta is None or delta.serial is not None:
            document = current(parts)
            kept = updated(text, None, document).to_bytes()
            parts.store.keep_control_text(kept, document.serial, by)
    return TextTaken(delta, reading.others)


_MOST = 10
