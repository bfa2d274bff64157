"""A real PostgreSQL server for tests: on a socket of its own, in a directory of its own, as an ordinary user."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

OWNER = "keyturn"
"""The role that stores belong to: no superuser."""


@dataclass(frozen=True)
class Server:
    programs: Path
    directory: Path
    runs_as: str | None
    names: Iterator[int]
    port: int = 5432
    settings: str = ""

    @property
    def socket(self) -> Path:
        return self.directory

    def start(self) -> None:
        settings = f"-c listen_addresses='' -c unix_socket_directories={self.socket} -c port={self.port}"
        settings += f" -c max_connections=200 {self.settings}"
        log = self.directory / "log"
        self.run("pg_ctl", "-w", "-D", self.data, "-l", log, "-o", settings, "start")

    def stop(self, how: str = "immediate") -> None:
        self.run("pg_ctl", "-w", "-D", self.data, "-m", how, "stop")

    def demand_passwords(self) -> None:
        """By SCRAM, of everybody but `postgres`."""
        trusted = ("local all postgres trust", "local replication postgres trust")
        rules = (*trusted, "local all all scram-sha-256", "hostssl all all all scram-sha-256")
        (self.data / "pg_hba.conf").write_text("\n".join(rules) + "\n")
        self.run("pg_ctl", "-D", self.data, "reload")

    @contextmanager
    def standby(self) -> Iterator["Server"]:
        """A copy that follows, on a socket of its own and the same port."""
        with _directory(self.runs_as) as directory:
            copy = replace(self, directory=directory, settings="")
            self.run(
                "pg_basebackup", "-h", self.socket, "-p", self.port, "-U", "postgres", "-D", copy.data, "-R", "-cfast"
            )
            copy.start()
            try:
                yield copy
            finally:
                copy.stop()

    @property
    def log(self) -> str:
        return (self.directory / "log").read_text()

    @property
    def data(self) -> Path:
        return self.directory / "data"

    def run(self, program: str, *arguments: object) -> None:
        command = [str(self.programs / program), *map(str, arguments)]
        done = subprocess.run(
            command, user=self.runs_as, cwd=self.directory, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr}")

    def url(self, database: str, user: str = OWNER) -> str:
        return f"postgresql://{user}@/{database}?host={self.socket}"

    def administer(self, database: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(host=str(self.socket), port=self.port, user="postgres", dbname=database, autocommit=True)

    def database(self, like: str = "template0") -> str:
        """A new one, empty or a copy; its name."""
        name = f"store_{next(self.names)}"
        made = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {} ENCODING UTF8 STRATEGY FILE_COPY")
        with self.administer() as connection:
            connection.execute(made.format(*map(sql.Identifier, (name, OWNER, like))))
        return name

    def drop(self, name: str) -> None:
        with self.administer() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def running(settings: str = "", port: int = 5432) -> Iterator[Server]:
    """Skips the test, with the reason, where no server can be started. `settings` as `-c name=value`, after our own."""
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (apt-get install postgresql)")
    runs_as = ordinary_user() if os.geteuid() == 0 else None
    with _directory(runs_as) as directory:
        server = Server(programs, directory, runs_as, count(1), port, settings)
        server.run("initdb", "-D", server.data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "-N")
        server.start()
        try:
            with server.administer() as connection:
                connection.execute(f"CREATE ROLE {OWNER} LOGIN")
            yield server
        finally:
            server.stop()


@contextmanager
def _directory(owner: str | None) -> Iterator[Path]:
    """In memory where that can be: what is flushed there costs nothing, and fsync stays on."""
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    directory = Path(tempfile.mkdtemp(prefix="keyturn-pg-", dir=place))
    try:
        if owner:
            shutil.chown(directory, owner)
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _programs() -> Path | None:
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return debian[-1].parent if debian else None


def ordinary_user() -> str:
    """The server refuses to run as root."""
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"
