"""The command line of `msiexec`: which package it installs, and with which properties.

Source: Windows Installer reference, "Command-Line Options" and "Setting Public Property Values on the Command Line".
Names of properties are read as capitals. A value is bare up to the next space, or stands in quotes, in which "" is
one quote. A backslash escapes nothing.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from keyturn.model.errors import Refused

_WORD = re.compile(r'(?:[^\s"]|"(?:[^"]|"")*")+')
_PROPERTY = re.compile(r"([A-Za-z_][A-Za-z0-9_.]*)=(.*)", re.DOTALL)
_PROGRAM = re.compile(r"(?:.*[\\/])?msiexec(?:\.exe)?", re.IGNORECASE | re.DOTALL)
_INSTALLS = {"/i", "-i", "/package", "-package", "/a", "-a", "/j", "-j", "/jm", "-jm", "/ju", "-ju"}


@dataclass(frozen=True, slots=True)
class Call:
    package: str | None
    """None where it installs none, as `/x` and `/p` do."""
    properties: Mapping[str, str]

    @property
    def transforms(self) -> tuple[str, ...]:
        """As named, in their order."""
        return tuple(name for name in self.properties.get("TRANSFORMS", "").split(";") if name)


def read_command_line(text: str) -> Call | None:
    """None where no word of it is msiexec. Refused where msiexec would not read it, or Keyturn could misread it."""
    words = [match.group() for match in _words(text)]
    for at, word in enumerate(words):
        if _PROGRAM.fullmatch(_bare(word)):
            return _call(words[at + 1 :])
    return None


def add_properties(text: str, properties: Mapping[str, str]) -> str:
    """The command line with each of `properties`, instead of its present value where it has one."""
    kept = [match for match in _words(text) if _name(match.group()) not in properties]
    added = [f"{name}={_quoted(value)}" for name, value in properties.items()]
    return " ".join([*(match.group() for match in kept), *added])


def _words(text: str) -> Iterator[re.Match[str]]:
    at = 0
    for match in _WORD.finditer(text):
        if text[at : match.start()].strip():
            break
        at = match.end()
        yield match
    if text[at:].strip():
        raise Refused("the command line has a quote without its other half", hint=f"look at: {text[at:].strip()[:60]}")


def _call(words: list[str]) -> Call:
    package, properties = None, dict[str, str]()
    rest = iter(words)
    for word in rest:
        if _bare(word).lower() in _INSTALLS:
            package = _bare(next(rest, ""))
        elif word.startswith('"') and _PROPERTY.fullmatch(_bare(word)):
            raise Refused(f"{word} is in quotes as a whole", hint='only the value goes into quotes: NAME="a value"')
        elif (name := _name(word)) is not None:
            value = _value(word.partition("=")[2])
            if properties.setdefault(name, value) != value:
                raise Refused(f"{name} is given twice, with two values", hint="leave one of them")
    return Call(package or None, properties)


def _name(word: str) -> str | None:
    match = _PROPERTY.fullmatch(word)
    return match[1].upper() if match else None


def _value(written: str) -> str:
    if len(written) >= 2 and written[0] == written[-1] == '"':
        return written[1:-1].replace('""', '"')
    return written


def _bare(word: str) -> str:
    return word.replace('"', "")


def _quoted(value: str) -> str:
    return '"' + value.replace('"', '""') + '"' if not value or re.search(r'[\s"]', value) else value
