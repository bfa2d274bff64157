"""SMSAccountSetup.ini: accounts that setup and every later site reset use instead of making their own (Q235169).

Read line by line and not by a general INI reader, so that each problem has its line and no password is ever
interpolated or repeated.
"""

import codecs
from dataclasses import dataclass
from enum import StrEnum

from keyturn.model.errors import Refused
from keyturn.model.secret import Secret
from keyturn.model.setup import SetupAccount, SetupAccounts

LONGEST_PASSWORD = 14
"""Characters. What SMS of the day encrypted was cut off there, and the failure showed as lockouts (Q318396)."""

SERVER, CLIENT = "ServerAccount", "ClientAccount"
_KEYS = ("name", "password")


class Weight(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """`line` counts from 1; 0: about the file as a whole. `said` never repeats what stands on the line."""

    line: int
    weight: Weight
    said: str


@dataclass(frozen=True, slots=True)
class SetupFile:
    """`accounts` is what could be read, whole only where no finding is an error."""

    accounts: SetupAccounts
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.weight is Weight.ERROR)


def read_setup_accounts(content: bytes, name: str) -> SetupAccounts:
    """What a site reset works with. `name` is the file's, for the error. Refused, by line, where anything is wrong."""
    read = inspect(content)
    if read.errors:
        told = "\n".join(f"{name}:{f.line}: {f.said}" for f in read.errors)
        raise Refused(f"{name} is no account setup file\n{told}", hint=f"keyturn site setup-file check {name}")
    return read.accounts


def inspect(content: bytes) -> SetupFile:
    """Everything that is wrong with it, in the order of its lines."""
    text = _decoded(content)
    if text is None:
        problem = Finding(
            0, Weight.ERROR, "it is not text: neither UTF-8, UTF-16 with its mark, nor one byte a character"
        )
        return SetupFile(SetupAccounts(), (problem,))
    reading = _Reading()
    for number, line in enumerate(text.splitlines(), 1):
        reading.take(number, line)
    return reading.done()


def written(accounts: SetupAccounts) -> Secret:
    """The file's whole text, CRLF as setup reads it. Refused for what cannot stand on one line of it."""
    lines: list[str] = []
    for section, account in ((SERVER, accounts.server), (CLIENT, accounts.client)):
        if account is None:
            continue
        for what, value in (("name", account.name), ("password", account.password.reveal())):
            if value != value.strip() or not value.isprintable() or not value:
                raise Refused(
                    f"the {what} of [{section}] is empty, or has a space at its end or a character unprintable"
                )
        lines += [f"[{section}]", f"Name={account.name}", f"Password={account.password.reveal()}", ""]
    return Secret("\r\n".join(lines))


class _Reading:
    """Where the reading stands: which section, and what each has said so far."""

    def __init__(self) -> None:
        self._section: str | None = None
        self._headed = False
        self._seen: dict[str, int] = {}
        self._values: dict[tuple[str, str], Secret] = {}
        self._lines: dict[tuple[str, str], int] = {}
        self._findings: list[Finding] = []

    def take(self, number: int, line: str) -> None:
        stripped = line.strip()
        if not stripped or stripped.startswith(";"):
            return
        if stripped.startswith("["):
            self._open(number, stripped)
        else:
            self._value(number, line)

    def _open(self, number: int, heading: str) -> None:
        name = heading.removeprefix("[").removesuffix("]").strip()
        known = next((one for one in (SERVER, CLIENT) if one.casefold() == name.casefold()), None)
        self._section, self._headed = known, True
        if known is None or not heading.endswith("]"):
            self._section = None
            self._error(number, f"an unknown section: there are [{SERVER}] and [{CLIENT}]")
        elif known in self._seen:
            self._error(number, f"[{known}] is there already, in line {self._seen[known]}")
        else:
            self._seen[known] = number

    def _value(self, number: int, line: str) -> None:
        if self._section is None:
            if not self._headed:
                self._error(number, "this stands in no section")
            return  # an unknown section is named once
        key, equals, value = line.partition("=")
        known = key.strip().casefold()
        if not equals or known not in _KEYS:
            self._error(number, "neither Name= nor Password=")
            return
        place = (self._section, known)
        if place in self._values:
            self._error(number, f"{known.title()}= is there already, in line {self._lines[place]}")
            return
        self._values[place], self._lines[place] = Secret(value.strip()), number

    def done(self) -> SetupFile:
        accounts = SetupAccounts(server=self._account(SERVER), client=self._account(CLIENT))
        if not self._seen:
            self._error(0, f"neither [{SERVER}] nor [{CLIENT}] is in it")
        return SetupFile(accounts, tuple(sorted(self._findings, key=lambda finding: finding.line)))

    def _account(self, section: str) -> SetupAccount | None:
        if section not in self._seen:
            return None
        name, password = (self._values.get((section, key), Secret("")) for key in _KEYS)
        for key, value in (("Name", name), ("Password", password)):
            if not value.reveal():
                self._error(self._seen[section], f"[{section}] has no {key}=, or an empty one")
        if len(password.reveal()) > LONGEST_PASSWORD:
            self._findings.append(Finding(self._lines[section, "password"], Weight.WARNING, _TOO_LONG))
        return SetupAccount(name.reveal(), password)

    def _error(self, line: int, said: str) -> None:
        self._findings.append(Finding(line, Weight.ERROR, said))


_TOO_LONG = (
    f"the password is longer than {LONGEST_PASSWORD} characters: SMS 2.0 and 2003 without a service pack store it cut "
    "off, log on with the rest of it missing, and lock the account (Q318396). Keyturn itself holds it whole"
)

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def _decoded(content: bytes) -> str | None:
    """UTF-16 by its mark, else UTF-8, else the Windows code page of Western Europe, as editors of the day wrote it."""
    marked = next((encoding for mark, encoding in _MARKS if content.startswith(mark)), None)
    for encoding in (marked,) if marked else ("utf-8", "cp1252"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return None if "\0" in text else text
    return None
