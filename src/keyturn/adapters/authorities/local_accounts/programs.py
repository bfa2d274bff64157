"""The machine's own programs change its accounts: they lock the files, and tell whoever else must know.

Nothing secret is ever an argument: a hash goes in on standard input, and the clear password leaves this process never.
"""

import subprocess

from keyturn.model.errors import AuthorityError

_PATIENCE_S = 20
"""They wait up to 15 s themselves for whoever holds the files."""
_PASSING = frozenset({1, 8, 10})
"""useradd(8), usermod(8), userdel(8), chpasswd(8): the files are locked or cannot be written; the account is in use."""
_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC0"}


def run(program: str, *arguments: str, entered: str = "") -> str:
    """What it prints. AuthorityError with its own words when it fails."""
    try:
        done = subprocess.run(
            (program, *arguments),
            input=entered,
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
            env=_ENVIRONMENT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise AuthorityError(f"{program} has not ended after {_PATIENCE_S} s", permanent=False) from None
    except OSError as error:
        raise AuthorityError(f"{program} cannot be started: {error.strerror}", permanent=True) from None
    if done.returncode:
        raise AuthorityError(f"{program}: {done.stderr.strip()}", permanent=done.returncode not in _PASSING)
    return done.stdout
