"""A real file server for tests that keeps its own accounts: smbd on a loopback address, up in a second."""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from keyturn.distribution.presenting import Presentable
from keyturn.distribution.run_context import RealmAccount
from keyturn.model.secret import Secret

RIGHT = Secret("Turn-the-key-0001")
WRONG = Secret("Never-was-a-key-0")
READER = "kt-reader"
PEOPLE = (READER, "kt-second", "kt-wrong", "kt-locked", "kt-expired", "kt-disabled", "kt-stranger")
"""`kt-stranger` may not enter the share."""
LOCKS_AFTER = 3
_FIRST_UID = 61_000
_OF_ETC = ("passwd", "group", "hosts", "nsswitch.conf", "ld.so.cache")
_STARTS_S = 60

_SETTINGS = """\
[global]
  workgroup = FILES
  netbios name = FILES
  server role = standalone server
  security = user
  interfaces = {address}/8
  bind interfaces only = yes
  smb ports = 445
  disable netbios = yes
  disable spoolss = yes
  private dir = {folder}/private
  state directory = {folder}/state
  cache directory = {folder}/cache
  lock directory = {folder}/lock
  pid directory = {folder}/pid
  ncalrpc dir = {folder}/ncalrpc
  log file = {folder}/log
  load printers = no
  server smb encrypt = required
[apps]
  path = {folder}/share
  read only = no
  invalid users = kt-stranger
[fixed]
  path = {folder}/share
  read only = yes
"""


@dataclass(frozen=True)
class FileServer:
    address: str
    folder: Path
    _started: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    @property
    def share(self) -> str:
        return rf"\\{self.address}\apps"

    @property
    def shared(self) -> Path:
        """The folder that the shares export. Everybody may write to it."""
        return self.folder / "share"

    def bad_count(self, name: str) -> int:
        told = self._run("pdbedit", "-v", "-u", name)
        return int(next(line for line in told.splitlines() if line.startswith("Bad password count")).split(":")[1])

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """It takes connections, by its kernel, and answers nothing."""
        self._signal("STOP")
        try:
            yield
        finally:
            self._signal("CONT")

    def drop_sessions(self) -> None:
        """As a server that starts anew: what was open is gone."""
        first = (self.folder / "pid" / "smbd.pid").read_text().strip()
        for pid in self._processes():
            if pid != first:
                subprocess.run(["kill", "-KILL", pid], capture_output=True)

    def set_password(self, name: str, secret: Secret) -> None:
        self._run("smbpasswd", "-s", name, given=f"{secret.reveal()}\n" * 2)

    def start(self) -> None:
        command = ["smbd", "-F", "--no-process-group", "-s", self._settings]
        with (self.folder / "smbd.out").open("ab") as told:
            started = subprocess.Popen([*self._inside, *command], stdin=subprocess.DEVNULL, stdout=told, stderr=told)
        self._started.append(started)
        until = time.monotonic() + _STARTS_S
        while not _listens(self.address):
            assert started.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < until, "smbd does not listen"
            time.sleep(0.05)  # it tells nobody when it listens

    def stop(self) -> None:
        until = time.monotonic() + _STARTS_S
        while found := self._processes():
            assert time.monotonic() < until, "the file server does not end"
            subprocess.run(["kill", "-KILL", *found], capture_output=True)
            time.sleep(0.05)
        for started in self._started:
            started.wait()

    def prepare(self) -> None:
        for name in ("private", "state", "cache", "lock", "pid", "ncalrpc", "share"):
            (self.folder / name).mkdir()
        self.folder.chmod(0o711)
        self.shared.chmod(0o777)
        Path(self._settings).write_text(_SETTINGS.format(address=self.address, folder=self.folder))
        people = "".join(
            f"{name}:x:{_FIRST_UID + number}:{_FIRST_UID}::/nonexistent:/usr/sbin/nologin\n"
            for number, name in enumerate(PEOPLE)
        )
        etc = self.folder / "etc"
        etc.mkdir()
        for name in _OF_ETC:
            shutil.copy(f"/etc/{name}", etc)
        with (etc / "passwd").open("a") as passwd, (etc / "group").open("a") as group:
            passwd.write(people)
            group.write(f"kt-people:x:{_FIRST_UID}:\n")
        for name in PEOPLE:
            self._run("smbpasswd", "-a", "-s", name, given=f"{RIGHT.reveal()}\n" * 2)
        self._run("pdbedit", "-P", "bad lockout attempt", "-C", str(LOCKS_AFTER))
        self._run("pdbedit", "-u", "kt-disabled", "-c", "[D]")
        self._run("pdbedit", "-u", "kt-locked", "-c", "[L]")
        self._run("pdbedit", "-u", "kt-expired", "-K", "1000000")

    @property
    def _settings(self) -> str:
        return str(self.folder / "smb.conf")

    @property
    def _inside(self) -> list[str]:
        """smbd wants every account to be one of the system as well. The whole folder is another one: a mount over a
        file goes when that file is replaced, as by a test that makes an account of the machine."""
        return ["unshare", "-m", "sh", "-c", f'mount --bind {self.folder}/etc /etc && exec "$@"', "sh"]

    def _run(self, program: str, *arguments: str, given: str = "") -> str:
        settings = ["-c", self._settings] if program == "smbpasswd" else ["-s", self._settings]
        command = [*self._inside, program, *settings, *arguments]
        done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"
        return done.stdout

    def _processes(self) -> list[str]:
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                words = (folder / "cmdline").read_bytes().split(b"\0")
                if words[0].endswith(b"smbd") and self._settings.encode() in words:
                    found.append(folder.name)
        return found

    def _signal(self, name: str) -> None:
        subprocess.run(["kill", f"-{name}", *self._processes()], check=True)


@contextmanager
def serving() -> Iterator[FileServer]:
    """Skips the test, with the reason, where there can be none."""
    for program in ("smbd", "pdbedit", "smbpasswd", "unshare"):
        if shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None:
            pytest.skip(f"{program} is not installed (scripts/system-packages)")
    if os.geteuid() or subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode:
        pytest.skip("no right to make mount namespaces and to listen on port 445 (root with CAP_SYS_ADMIN)")
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="keyturn-files-", dir=place))
    server = FileServer(".".join(["127", *(str(secrets.randbelow(250) + 2) for _ in range(3))]), folder)
    try:
        server.prepare()
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def account(name: str, secret: Secret = RIGHT) -> Presentable:
    return Presentable(RealmAccount(f"FILES\\{name}"), secret)


def _listens(address: str) -> bool:
    """At that very address: another server of this machine may listen at all of them."""
    number = int.from_bytes(socket.inet_aton(address), sys.byteorder)
    wanted = f" {number:08X}:01BD 00000000:0000 0A "
    return wanted in Path("/proc/net/tcp").read_text()
