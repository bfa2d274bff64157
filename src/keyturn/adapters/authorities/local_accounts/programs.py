"""The machine's own programs read and change its accounts: they lock the files, and tell whoever else must know.

Nothing secret is ever an argument: a hash goes in on standard input, and the clear password leaves this process never.
"""

import subprocess
from dataclasses import dataclass

from keyturn.model.errors import AuthorityError
from keyturn.wire.ssh import CONNECT_S, Ssh

_PATIENCE_S = 20 + CONNECT_S
"""They wait up to 15 s themselves for whoever holds the files."""
_PASSING = {"grep": frozenset({2})}
_PASSING_ELSE = frozenset({1, 8, 10})
"""useradd(8), usermod(8), userdel(8), chpasswd(8): the files are locked or cannot be written; the account is in use.
grep(1): a file is away, as it is while somebody replaces it by hand."""
_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC0"}


@dataclass(frozen=True, slots=True)
class Machine:
    """Whose accounts they are. `way` None: of the machine on which this runs."""

    way: Ssh | None = None

    def run(self, program: str, *arguments: str, entered: str = "", fine: frozenset[int] = frozenset({0})) -> str:
        """What it prints. AuthorityError with its own words when it ends otherwise than is `fine`."""
        words = (program, *arguments)
        done = _ended(self.way.words(words, _ENVIRONMENT) if self.way else words, entered)
        if done.returncode in fine:
            return done.stdout
        if self.way and (trouble := self.way.trouble(done.returncode, done.stderr)):
            raise AuthorityError(trouble.message, permanent=trouble.permanent, hint=trouble.hint)
        raise _failure(program, done, f"{self.way.host}: " if self.way else "")


def _ended(words: tuple[str, ...], entered: str) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(
            words,
            input=entered,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            timeout=_PATIENCE_S,
            env=_ENVIRONMENT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise AuthorityError(f"{words[0]} has not ended after {_PATIENCE_S} s", permanent=False) from None
    except OSError as error:
        raise AuthorityError(f"{words[0]} cannot be started: {error.strerror}", permanent=True) from None


def _failure(program: str, done: "subprocess.CompletedProcess[str]", where: str) -> AuthorityError:
    said = done.stderr.strip()
    if "Permission denied" in said:
        return AuthorityError(f"{where}{said}", permanent=True, hint="root alone may do this: be root, or use sudo")
    # A program that says its own name is not named twice.
    named = said if said.startswith(f"{program}:") else f"{program}: {said}"
    passes = done.returncode in _PASSING.get(program, _PASSING_ELSE)
    return AuthorityError(f"{where}{named}", permanent=not passes)
