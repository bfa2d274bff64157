r"""A program's command line as words, without a shell: POSIX quoting, and `\\host\share\path` as a path here.

A program is looked for in the package's folder first, as on the systems the command line was written for, then in the
run's PATH. A script that is not marked as executable, as those that come from Windows shares are not, runs by the
`#!` of its first line.
"""

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

_MARK = "\ue000"
"""A private character: stands for a share until the quotes are gone, so that no path has to be quoted."""
_QUOTES = ("'", '"')
_ENDS_NAME = ("", "\\", " ", "\t", *_QUOTES)
_FIRST_LINE = 256


class NoProgram(Exception):
    """In words."""


def words_of(command_line: str, shares: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    r"""`shares`: `\\host\share` and where it is on this machine. Whatever stands below one is a path with slashes."""
    for number, (unc, _) in enumerate(shares):
        command_line = _marked(command_line, unc, number)
    try:
        words = shlex.split(command_line)
    except ValueError as error:
        raise NoProgram(f"the command line cannot be read: {error}") from None
    if not words:
        raise NoProgram("the command line is empty")
    for number, (_, path) in enumerate(shares):
        words = [word.replace(f"{_MARK}{number}{_MARK}", path) for word in words]
    return tuple(words)


def _marked(command_line: str, unc: str, number: int) -> str:
    r"""`\\HOST\share` is the same share. What is below it goes as far as the quote around it, which may be one that is
    itself quoted, or the next space where there is none."""
    done, quote, at = "", "", 0
    while at < len(command_line):
        after = at + len(unc)
        escaped = command_line[at] == "\\" and command_line[at + 1 : at + 2] in _QUOTES
        if command_line[at:after].lower() == unc.lower() and command_line[after : after + 1] in _ENDS_NAME:
            around = '\\"' if command_line[:at].endswith('\\"') else quote
            end = _end_of_path(command_line, after, around)
            done += f"{_MARK}{number}{_MARK}" + command_line[after:end].replace("\\", "/")
        else:
            end = at + (2 if escaped else 1)
            done += command_line[at:end]
            if command_line[at] in _QUOTES and quote in ("", command_line[at]):
                quote = "" if quote else command_line[at]
        at = end
    return done


def _end_of_path(text: str, start: int, around: str) -> int:
    if around:
        end = text.find(around, start)
        return len(text) if end < 0 else end
    return next((at for at in range(start, len(text)) if text[at].isspace() or text[at] in _QUOTES), len(text))


def program_of(words: Sequence[str], folder: Path, shown_at: str, path: str) -> tuple[str, ...]:
    """The words with the program's own path in front. `shown_at` is where the run sees `folder`."""
    name, *rest = words
    if name.startswith("/"):
        return (name, *rest)
    inside = folder / name
    if inside.is_file() and inside.resolve().is_relative_to(folder.resolve()):
        return (*_started_by(inside), f"{shown_at}/{name}", *rest)
    if "/" not in name:
        for place in path.split(":"):
            if os.access(f"{place}/{name}", os.X_OK) and Path(place, name).is_file():
                return (f"{place}/{name}", *rest)
    raise NoProgram(f"there is no program {name}, neither in the package nor in {path}")


def _started_by(script: Path) -> tuple[str, ...]:
    """Nothing, for what starts by itself."""
    if script.stat().st_mode & 0o111:
        return ()
    with script.open("rb") as opened:
        first = opened.readline(_FIRST_LINE)
    if not first.startswith(b"#!") or not first[2:].strip():
        raise NoProgram(f"{script.name} in the package is no program: it is not executable and names no interpreter")
    return tuple(first[2:].decode("utf-8", "surrogateescape").strip().split(maxsplit=1))
