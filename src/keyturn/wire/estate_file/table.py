"""One table of the file, read key by key; every mistake is noted and the reading goes on."""

from collections.abc import Iterator, Mapping
from typing import TypeVar

from keyturn.model.spelling import nearest, shown
from keyturn.wire.estate_file.document import Document
from keyturn.wire.estate_file.positions import Path
from keyturn.wire.estate_file.problems import Findings, Problem
from keyturn.wire.estate_file.values import TEXT, Kind, Wrong

T = TypeVar("T")
D = TypeVar("D")

_NO_PASSWORDS = "no password belongs into this file: keyturn account adopt ACCOUNT --password-stdin"
_HINTS: Mapping[str, str] = {"password": _NO_PASSWORDS, "secret": _NO_PASSWORDS, "passphrase": _NO_PASSWORDS}


class Table:
    """The keys that were asked for by the time of `close` are the ones this table may have."""

    def __init__(
        self, values: Mapping[str, object], document: Document, findings: Findings, path: Path, title: str
    ) -> None:
        self._values = values
        self._document = document
        self._findings = findings
        self._path = path
        self._keys: list[str] = []
        self.title = title

    @classmethod
    def outermost(cls, document: Document, findings: Findings) -> "Table":
        return cls(document.values, document, findings, (), "the file")

    def text(self, key: str) -> str:
        """A text that must be there; empty, which no text may be, when it is not."""
        return self.required(key, TEXT, stand_in="")

    def required(self, key: str, kind: Kind[T], stand_in: T) -> T:
        """`stand_in` is what the checks see when the key is missing or wrong."""
        if key not in self._values:
            self._findings.add(self.problem(key, f"{self.title} has no {key}", hint=f"{key} is {kind.expected}"))
        return self.optional(key, kind, stand_in)

    def optional(self, key: str, kind: Kind[T], default: D) -> T | D:
        self._keys.append(key)
        if key not in self._values:
            return default
        try:
            return kind.read(self._values[key])
        except Wrong as wrong:
            message = f"{self.title}: {key} must be {wrong.message}"
            self._findings.add(Problem(self.line(key, *wrong.at), message, wrong.hint))
            return default

    def table(self, key: str) -> "Table | None":
        self._keys.append(key)
        value = self._values.get(key)
        if isinstance(value, dict):
            return self._inner(value, f"the {key} of {self.title}", key)
        if value is not None:
            self._findings.add(self.problem(key, f"{self.title}: {key} must be a table"))
        return None

    def tables(self, key: str, named_by: str = "name") -> Iterator["Table"]:
        """The tables written `[[key]]`, each titled by what stands under `named_by`."""
        self._keys.append(key)
        value = self._values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(element, dict) for element in value):
            message = f"{key} must be written as tables, each under the header [[{key}]]"
            self._findings.add(self.problem(key, message))
            return
        thing = key.replace("_", " ")
        for index, element in enumerate(value):
            name = element.get(named_by)
            title = f"{thing} {shown(name)}" if isinstance(name, str) else f"the {thing}"
            yield self._inner(element, title, key, index)

    def texts(self) -> dict[str, str]:
        """Every key that is there and holds text; but none that would hold a password."""
        keys = [key for key in self._values if key not in _HINTS]
        found = {key: self.optional(key, TEXT, "") for key in keys}
        self.close()
        return {key: text for key, text in found.items() if text}

    def close(self) -> None:
        """Note every key that nobody asked for."""
        for key in self._values:
            if key not in self._keys:
                hint = _HINTS.get(key) or nearest(key, self._keys, otherwise="it may have " + ", ".join(self._keys))
                self._findings.add(self.problem(key, f"{self.title}: unknown key {shown(key)}", hint))

    def line(self, *steps: str | int) -> int:
        """The line of what `steps` lead to, or of this table where there is no such thing."""
        return self._document.line((*self._path, *steps))

    def problem(self, key: str, message: str, hint: str = "") -> Problem:
        """On the line of `key`."""
        return Problem(self.line(key), message, hint)

    def _inner(self, values: Mapping[str, object], title: str, *steps: str | int) -> "Table":
        return Table(values, self._document, self._findings, (*self._path, *steps), title)
