"""A command run on the machine of another site, by ssh: its own server does the work and keeps the record."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from keyturn.cli.api import revealed
from keyturn.model.errors import KeyturnError, Refused
from keyturn.wire.ssh import Ssh, way


@dataclass(frozen=True, slots=True)
class Far:
    """A machine, and the directory of the site on it."""

    way: Ssh
    directory: str

    def keyturn(self, words: Sequence[str], entered: object) -> int:
        """Its exit status. What it prints is printed here; `entered` goes in as JSON, secrets in it in clear."""
        command = self.way.words(["keyturn", "--dir", self.directory, *words])
        try:
            run = subprocess.Popen(  # noqa: S603  # ssh, with words that `way` has looked at
                command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
        except OSError as error:
            raise Refused(f"ssh cannot be started: {error.strerror}", hint="apt install openssh-client") from None
        with run:
            assert run.stdin
            assert run.stderr
            try:
                run.stdin.write(json.dumps(entered, default=revealed) + "\n")
                run.stdin.close()
            except BrokenPipeError:
                pass  # it ended before it read anything, and says why
            said = [_passed_on(line) for line in run.stderr]
        if trouble := self.way.trouble(run.returncode, "".join(said)):
            raise KeyturnError(trouble.message, trouble.hint)
        return run.returncode


def far(host: str, directory: str, user: str, identity: Path | None, known_hosts: Path | None) -> Far:
    """Refused by the word that is wrong."""
    home = Path.home() / ".ssh"
    settings = {
        "host": host,
        "user": user,
        "identity_file": str(identity or home / "id_ed25519"),
        "known_hosts": str(known_hosts or home / "known_hosts"),
    }
    name, colon, port = host.rpartition(":")
    if colon and port.isdecimal() and ":" not in name:
        settings |= {"host": name, "port": port}
    return Far(way(settings, "--over-ssh"), directory)


def _passed_on(line: str) -> str:
    click.echo(line, nl=False, err=True)
    return line
