"""Another machine for tests: a real sshd on loopback, in whose mount namespace `/etc` is a copy of its own."""

import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import pytest

from keyturn.cli.demo.stage import free_port
from keyturn.wire.ssh import Ssh
from tests.how_to import commands
from tests.private_etc import enter, namespace_of_now, private_etc

HOST = "127.0.0.1"
USER = "keyturn"
"""Has what the how-to gives to it, by sudo, and nothing else."""
_SETTINGS = """
{first}
ListenAddress {host}
Port {port}
HostKey {folder}/host_key
PidFile none
AuthorizedKeysFile /etc/keyturn-authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
MaxStartups 100
SetEnv PATH=/etc/keyturn-programs:/usr/sbin:/usr/bin:/sbin:/bin
KexAlgorithms curve25519-sha256
LogLevel ERROR
"""


@dataclass
class Sshd:
    folder: Path
    namespace: int
    within: int
    """A process that stays in it."""
    port: int = field(default_factory=free_port)
    first: str = ""
    """Settings of its own, which hold before the others: sshd takes the first it finds."""
    _process: "subprocess.Popen[bytes] | None" = None

    @property
    def etc(self) -> Path:
        """Its own `/etc`, seen from here."""
        return Path(f"/proc/{self.within}/root/etc")

    @property
    def root(self) -> Ssh:
        return Ssh(HOST, "root", str(self.folder / "key"), str(self.folder / "known_hosts"), self.port)

    @property
    def sudo(self) -> Ssh:
        return Ssh(HOST, USER, str(self.folder / "key"), str(self.folder / "known_hosts"), self.port, sudo=True)

    @property
    def programs(self) -> Path:
        """What is put there comes before the machine's own."""
        return self.etc / "keyturn-programs"

    def idle(self) -> bool:
        """Whether nothing runs there any more that somebody began over a connection."""
        assert self._process
        return self.there() <= {self.within, self._process.pid}

    def there(self) -> set[int]:
        """Every process in it."""
        mine, found = os.fstat(self.namespace), set[int]()
        for entry in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # it ended meanwhile
                if os.path.samestat((entry / "ns/mnt").stat(), mine):
                    found.add(int(entry.name))
        return found

    def run(self, *words: str) -> None:
        """There, by nobody's leave."""
        subprocess.run(
            ["nsenter", f"--mount=/proc/self/fd/{self.namespace}", *words], check=True, pass_fds=[self.namespace]
        )

    def start(self) -> None:
        settings = self.folder / "sshd_config"
        settings.write_text(_SETTINGS.format(first=self.first, host=HOST, port=self.port, folder=self.folder))
        program = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
        assert program
        words = ["nsenter", f"--mount=/proc/self/fd/{self.namespace}", program, "-D", "-e", "-f", str(settings)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stderr=log, pass_fds=[self.namespace])
        deadline = time.monotonic() + 90
        while not _answers(self.port):
            assert self._process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def stop(self) -> None:
        """With every session, without a word."""
        assert self._process
        for pid in self.there() - {self.within}:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()

    def new_host_key(self) -> None:
        """As after somebody has installed the machine anew, or stands in its place."""
        _new_key(self.folder / "host_key")
        self.stop()
        self.start()

    def known_at(self, port: int) -> None:
        """Its present host key is the right one there too."""
        public = (self.folder / "host_key.pub").read_text()
        with (self.folder / "known_hosts").open("a") as known:
            known.write(f"[{HOST}]:{port} {public}")


@contextmanager
def sshd(folder: Path, first: str = "") -> Iterator[Sshd]:
    """`first` are settings in the form of sshd_config(5). Skips, with the reason, where it cannot be."""
    for program, package in (("sshd", "openssh-server"), ("ssh", "openssh-client"), ("sudo", "sudo")):
        if not shutil.which(program, path="/usr/bin:/usr/sbin:/bin:/sbin"):
            pytest.skip(f"{program} is not installed: apt-get install {package}")
    for name in ("host_key", "key"):
        _new_key(folder / name)
    with namespace_of_now() as outside, private_etc() as etc, namespace_of_now() as inside:
        (etc / "machine-id").write_text(f"{uuid4().hex}\n")
        shutil.copy(folder / "key.pub", etc / "keyturn-authorized_keys")
        (etc / "keyturn-programs").mkdir()
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        words = [
            "useradd",
            "--system",
            "--no-create-home",
            "--home-dir",
            "/",
            "--shell",
            "/bin/sh",
            "--password",
            "*",
            USER,
        ]
        subprocess.run(words, check=True)
        (etc / "sudoers.d/keyturn").write_text("\n".join(commands("realm-local-accounts", "sudoers")) + "\n")
        staying = subprocess.Popen(["sleep", "infinity"])
        enter(outside)
        server = Sshd(folder, inside, staying.pid, first=first)
        server.known_at(server.port)
        server.start()
        try:
            yield server
        finally:
            server.stop()
            staying.kill()
            staying.wait()
            enter(inside)


@contextmanager
def cut_after(server: Sshd, sent: int) -> Iterator[int]:
    """A port that leads to it, until so many bytes have gone there: then the connection is cut."""
    with socket.create_server((HOST, 0)) as listener:
        port = int(listener.getsockname()[1])
        server.known_at(port)
        relay = threading.Thread(target=_relay, args=(listener, server.port, sent), daemon=True)
        relay.start()
        yield port
        listener.shutdown(socket.SHUT_RDWR)
        relay.join(60)


def _relay(listener: socket.socket, port: int, sent: int) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            there = socket.create_connection((HOST, port))
            threading.Thread(target=_carry, args=(there, client, None), daemon=True).start()
            _carry(client, there, sent)


def _carry(source: socket.socket, sink: socket.socket, most: int | None) -> None:
    with closing(source), closing(sink), suppress(OSError):
        while chunk := source.recv(1024):
            sink.sendall(chunk)
            if most is not None and (most := most - len(chunk)) <= 0:
                break
        for end in (source, sink):
            end.shutdown(socket.SHUT_RDWR)


def _new_key(path: Path) -> None:
    path.unlink(missing_ok=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0
