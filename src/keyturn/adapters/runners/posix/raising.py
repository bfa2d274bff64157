"""Administrative rights for one run: a sudo rule for one account and one file, which nobody but the run ever sees.

The rule stands in the run's own view of `/etc/sudoers`, never on the machine's disk, and is taken away by the first
command of what it allows. So there is nothing to be lowered after a crash: with the run's processes the view is gone.
"""

import shlex
import subprocess
from pathlib import Path

from keyturn.adapters.runners.posix import kernel
from keyturn.adapters.runners.posix.stage_protocol import DESK

SUDO = "/usr/bin/sudo"
START, _RULE, _RULES = f"{DESK}/start", f"{DESK}/sudoers", "/etc/sudoers"
WORDS = ("sudo", "-n", "--", START)
_VISUDO = "/usr/sbin/visudo"
_PATIENCE_S = 60


class NotRaised(Exception):
    """In words, with the way out."""


def prepare(uid: int, words: tuple[str, ...], environment: dict[str, str]) -> None:
    """Writes both files to the run's desk. The rule is judged by sudo's own checker before anybody relies on it."""
    if not (Path(SUDO).exists() and Path(_VISUDO).exists() and Path(_RULES).exists()):
        raise NotRaised("administrative rights for one run need sudo, which is not installed here")
    _put(START, 0o555, start_script(words, environment))
    _put(_RULE, 0o440, rule(uid))
    checked = subprocess.run(  # sudo's own checker
        [_VISUDO, "-c", "-q", "-f", _RULE],
        capture_output=True,
        text=True,
        timeout=_PATIENCE_S,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"},
        check=False,
    )
    if checked.returncode:
        raise NotRaised(f"this machine's sudo does not take the rule of a run: {checked.stderr.strip()}")


def lay_rule() -> None:
    kernel.mount(_RULE, _RULES, flags=kernel.BIND)


def rule(uid: int) -> str:
    """By number, for names may hold what sudoers(5) reads otherwise. `""`: without arguments. Without a session and a
    terminal of its own sudo becomes the program, and leaves no process beside it."""
    return (
        f"Defaults:#{uid} env_reset, !requiretty, !use_pty, !pam_session, !pam_setcred, !lecture, !fqdn, !insults\n"
        f'#{uid} ALL = (root) NOPASSWD: {START} ""\n'
    )


def start_script(words: tuple[str, ...], environment: dict[str, str]) -> str:
    """Run as root by sudo, whose own environment it drops. The stop lets the first process read who it is. A name with
    a `=` in it would be a variable to env(1), hence the shell between."""
    variables = shlex.join(f"{name}={value}" for name, value in environment.items())
    return f"""#!/bin/sh
umount -l {_RULES} || exit 125
kill -STOP $$
exec env -i {variables} /bin/sh -c 'exec "$0" "$@"' {shlex.join(words)}
"""


def _put(path: str, mode: int, text: str) -> None:
    Path(path).write_text(text, encoding="utf-8", errors="surrogateescape")
    Path(path).chmod(mode)
