"""Programs that the administrator of this machine wrote down, run without a shell of ours, here or over SSH on another
machine, with nothing secret in arguments or environment."""

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field

from keyturn.model.secret import Secret
from keyturn.wire.ssh import Ssh

_ENVIRONMENT = ("PATH", "LANG", "HOME", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS")
_LONGEST = 200
_HIDDEN = "what it printed is left out, for the password is in it"


@dataclass(frozen=True, slots=True)
class Ran:
    """`said` is why it failed, in one line; never what a password was. `printed` is empty where it failed."""

    ok: bool
    said: str = ""
    printed: Secret = field(default_factory=lambda: Secret(""))


def run(
    command: Sequence[str],
    *,
    timeout_s: float,
    stdin: Secret | None = None,
    hide: Secret | None = None,
    on: Ssh | None = None,
) -> Ran:
    """`on` None: on this machine. Bytes in and out are Latin-1 in a Secret: one character each, whatever they mean."""
    where = f"{on.host}: " if on else ""
    try:
        done = _ended(on.words(command) if on else command, timeout_s, stdin)
    except subprocess.TimeoutExpired:
        return Ran(False, f"{where}{command[0]} did not end within {timeout_s:.0f} s")
    except OSError as error:
        return Ran(False, f"{'ssh' if on else command[0]}: {error.strerror}")
    if done.returncode == 0:
        return Ran(True, printed=Secret(done.stdout.decode("latin-1")))
    if on and (trouble := on.trouble(done.returncode, _text(done.stderr, hide))):
        return Ran(False, trouble.message)
    said = _line(done.stderr, hide) or _line(done.stdout, hide)
    return Ran(False, f"{where}{command[0]} ended with {done.returncode}: {said}".rstrip(": "))


def _ended(words: Sequence[str], timeout_s: float, stdin: Secret | None) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        words,
        input=stdin.reveal().encode("latin-1") if stdin else b"",
        capture_output=True,
        timeout=timeout_s,
        env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
        check=False,
    )


def _line(output: bytes, hide: Secret | None) -> str:
    last = next((line for line in reversed(_text(output, hide).splitlines()) if line.strip()), "")
    return "".join(character for character in last if character.isprintable())[:_LONGEST]


def _text(output: bytes, hide: Secret | None) -> str:
    """What it printed, unless the password is in it."""
    text = output.decode("utf-8", "replace")
    return text if hide is None or hide.reveal() not in text else _HIDDEN
