"""What an installer says of its own success in a status MIF (Q216744; DMTF DMI 2.0, chapter 3)."""

import codecs
import re
from collections.abc import Iterable
from dataclasses import dataclass

MAX_BYTES = 64 * 1024

_GROUP_CLASS = re.compile(r'^Class\s*=\s*"([^"\r\n]*)"', re.I)
_NAME = re.compile(r'^Name\s*=\s*"([^"\r\n]*)"', re.I)
_VALUE = re.compile(r'^Value\s*=\s*"([^"\r\n]*)"', re.I)
_JOB_STATUS = "microsoft|jobstatus|"


@dataclass(frozen=True, slots=True)
class JobStatus:
    succeeded: bool
    description: str = ""


def first_status(mifs: Iterable[bytes]) -> JobStatus | None:
    """Of the files of one run, the first that is a status MIF. An inventory MIF (`noidmif`) has no job status."""
    return next((found for found in map(read_status_mif, mifs) if found is not None), None)


def read_status_mif(content: bytes) -> JobStatus | None:
    """None for what says neither success nor failure."""
    if len(content) > MAX_BYTES:
        return None
    said = _attributes(_text(content))
    status = said.get("status", "").strip().lower()
    if status not in ("success", "failed"):
        return None
    return JobStatus(status == "success", _one_line(said.get("description", "")))


def _text(content: bytes) -> str:
    """In whichever encoding it was written: the resource kit's ISMIF32 writes the machine's own, a script what it
    likes."""
    for mark, encoding in _MARKS.items():
        if content.startswith(mark):
            return content.decode(encoding, errors="replace")
    if content[1:2] == b"\0":
        return content.decode("utf-16-le", errors="replace")
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def _attributes(text: str) -> dict[str, str]:
    """Of the job status group, name to value, names in lower case."""
    said: dict[str, str] = {}
    inside, name = False, ""
    for line in map(str.strip, text.splitlines()):
        words = line.lower().split()
        if words[:2] == ["start", "group"]:
            inside = False
        elif words[:2] == ["start", "attribute"]:
            name = ""
        elif found := _GROUP_CLASS.match(line):
            inside = found[1].lower().startswith(_JOB_STATUS)
        elif found := _NAME.match(line):
            name = found[1].lower()
        elif inside and (found := _VALUE.match(line)):
            said.setdefault(name, found[1])
    return said


def _one_line(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)[:200].strip()
