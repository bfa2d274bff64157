"""Programs of this machine's administrator, run without a shell, with nothing secret in arguments or environment."""

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from keyturn.model.secret import Secret

_ENVIRONMENT = ("PATH", "LANG", "HOME", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS")
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Ran:
    """`said` is why it failed, in one line; never what a password was."""

    ok: bool
    said: str = ""


def run(command: Sequence[str], *, timeout_s: float, stdin: Secret | None = None, hide: Secret | None = None) -> Ran:
    environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    try:
        done = subprocess.run(
            command,
            input=stdin.reveal().encode() if stdin else b"",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout_s,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Ran(False, f"{command[0]} did not end within {timeout_s:.0f} s")
    except OSError as error:
        return Ran(False, f"{command[0]}: {error.strerror}")
    if done.returncode == 0:
        return Ran(True)
    return Ran(False, f"{command[0]} ended with {done.returncode}: {_line(done.stdout, hide)}".rstrip(": "))


def _line(output: bytes, hide: Secret | None) -> str:
    """The last line it printed, unless the password is in it."""
    text = output.decode("utf-8", "replace")
    if hide is not None and hide.reveal() in text:
        return "what it printed is left out, for the password is in it"
    last = next((line for line in reversed(text.splitlines()) if line.strip()), "")
    return "".join(character for character in last if character.isprintable())[:_LONGEST]
