"""Whether what a program says it installed is there, and there for whom it was meant."""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from keyturn.agent.software.packages import installed
from keyturn.distribution.causes import Cause
from keyturn.model.errors import NotFound
from keyturn.model.software import Detection, DetectionKind


@dataclass(frozen=True, slots=True)
class Homes:
    """`wanted` is of whom it is installed for; None where nobody is logged on whom it could be for. `of_the_run` is
    the home of the identity that ran it."""

    wanted: Path | None
    of_the_run: Path | None


@dataclass(frozen=True, slots=True)
class Missing:
    cause: Cause
    reason: str


def missing(rules: tuple[Detection, ...], homes: Homes, command: Callable[[str], bool]) -> Missing | None:
    """The first rule that does not hold. `command` runs a command line in the program's own run context, and says
    whether it ended with 0."""
    return next((found for rule in rules if (found := _one(rule, homes, command)) is not None), None)


def _one(rule: Detection, homes: Homes, command: Callable[[str], bool]) -> Missing | None:
    match rule.kind:
        case DetectionKind.FILE:
            return _file(rule, homes)
        case DetectionKind.PACKAGE if installed(rule.subject, rule.value):
            return None
        case DetectionKind.COMMAND if command(rule.subject):
            return None
        case _:
            return Missing(Cause.NOT_DETECTED, f"{rule.kind} {rule.subject} {rule.value}".rstrip())


def _file(rule: Detection, homes: Homes) -> Missing | None:
    if not rule.subject.startswith("~"):
        path = Path(rule.subject)
        return None if _is_there(path, rule.value) else Missing(Cause.NOT_DETECTED, f"file {path}")
    below = rule.subject.removeprefix("~").lstrip("/")
    if homes.wanted is not None and _is_there(homes.wanted / below, rule.value):
        return None
    meant = str(homes.wanted / below) if homes.wanted else f"{rule.subject} of a user"
    elsewhere = homes.of_the_run / below if homes.of_the_run else None
    if elsewhere is not None and homes.of_the_run != homes.wanted and _is_there(elsewhere, rule.value):
        return Missing(Cause.WRONG_IDENTITY, f"it is {elsewhere}, and should be {meant}")
    return Missing(Cause.NOT_DETECTED, f"file {meant}")


def _is_there(path: Path, sha256: str) -> bool:
    """A file that cannot be read is not there."""
    with suppress(OSError):
        if not path.is_file() or not sha256:
            return path.is_file()
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256.lower()
    return False


def home_or_none(home: Callable[[], Path]) -> Path | None:
    with suppress(NotFound):
        return home()
    return None
