"""A real MariaDB server for tests: on a socket of its own, in a directory of its own, as an ordinary user."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pymysql
import pytest
from pymysql.connections import Connection
from pymysql.cursors import Cursor

_PATIENCE_S = 90


@dataclass
class Server:
    programs: dict[str, str]
    directory: Path
    settings: tuple[str, ...]
    runs_as: str
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def socket(self) -> Path:
        return self.directory / "socket"

    @property
    def written(self) -> bytes:
        """Everything that the server has written but its tables' files of accounts: logs and binary logs."""
        files = [path for path in self.directory.iterdir() if path.is_file()]
        return b"".join(path.read_bytes() for path in files)

    def install(self) -> None:
        command = [self.programs["mariadb-install-db"], "--no-defaults", f"--user={self.runs_as}"]
        command += [f"--datadir={self.directory / 'data'}", "--auth-root-authentication-method=normal"]
        done = subprocess.run([*command, "--skip-test-db"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            raise RuntimeError(f"mariadb-install-db: {done.stdout}")

    def start(self) -> None:
        """Returns when it answers."""
        command = [self.programs["mariadbd"], "--no-defaults", f"--user={self.runs_as}"]
        places = (
            ("datadir", "data"),
            ("socket", "socket"),
            ("pid-file", "pid"),
            ("log-error", "errors"),
            ("general-log-file", "general"),
            ("slow-query-log-file", "slow"),
            ("log-bin", "binary"),
        )
        command += [f"--{name}={self.directory / place}" for name, place in places]
        small = ("--innodb-buffer-pool-size=8M", "--innodb-log-file-size=4M", "--server-id=1", "--skip-name-resolve")
        command += [*small, "--skip-networking", *self.settings]  # what comes last wins
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        for _ in range(_PATIENCE_S * 20):
            if self._answers():
                return
            try:
                self.process.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
            raise RuntimeError(f"mariadbd: {(self.directory / 'errors').read_text()}")
        raise RuntimeError("mariadbd does not answer")

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as link:
            return link.connect_ex(str(self.socket)) == 0

    def stop(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()

    def administer(self) -> "Connection[Cursor]":
        return pymysql.connect(unix_socket=str(self.socket), user="root", autocommit=True, charset="utf8mb4")


@contextmanager
def running(*settings: str) -> Iterator[Server]:
    """Skips the test, with the reason, where no server can be started. `settings` as `--name=value`."""
    programs = {name: shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin") for name in _PROGRAMS}
    found = {name: place for name, place in programs.items() if place}
    if len(found) < len(_PROGRAMS):
        pytest.skip("MariaDB is not installed (apt-get install mariadb-server)")
    # In memory where that can be: what is flushed there costs nothing.
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    directory = Path(tempfile.mkdtemp(prefix="keyturn-maria-", dir=place))
    try:
        server = Server(found, directory, settings, ordinary_user())
        shutil.chown(directory, server.runs_as)
        try:
            server.install()
            server.start()
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


_PROGRAMS = ("mariadbd", "mariadb-install-db")


def ordinary_user() -> str:
    """The server does not run as root unless told to; whoever else runs the tests runs the server."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid()).pw_name
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "mysql" if "mysql" in names else "nobody"
