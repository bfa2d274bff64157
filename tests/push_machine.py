"""A machine to which clients are pushed: a real sshd that takes passwords, and `/opt` and `/var/lib` of its own."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.sshd import Sshd, sshd

_BY_PASSWORD = "PasswordAuthentication yes\nAuthenticationMethods password"
_PATH = "/etc/keyturn-programs:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class PushMachine:
    sshd: Sshd

    @property
    def root(self) -> Path:
        """Its files, seen from here."""
        return Path(f"/proc/{self.sshd.within}/root")

    @property
    def program(self) -> Path:
        return self.root / "opt/keyturn-agent"

    @property
    def agent(self) -> Path:
        return self.root / "var/lib/keyturn-agent"

    def add_user(self, name: str, password: str, *, sudo: bool = True) -> None:
        """As an account of a directory that the machine asks, from the machine's side."""
        self.sshd.run("useradd", "--no-create-home", "--home-dir", "/", "--shell", "/bin/sh", name)
        self.set_password(name, password)
        if sudo:
            (self.sshd.etc / f"sudoers.d/{name}").write_text(f"{name} ALL=(root) NOPASSWD: ALL\n")

    def set_password(self, name: str, password: str) -> None:
        hashed = subprocess.run(
            ["openssl", "passwd", "-6", "-stdin"], input=password, capture_output=True, text=True, check=True
        )
        self.sshd.run("usermod", "--password", hashed.stdout.strip(), name)

    def refusals(self) -> int:
        """Logons with a wrong password, as the machine's own log has them."""
        return (self.sshd.folder / "log").read_text().count("Failed password")

    def kill_agents(self) -> None:
        for pid in self.sshd.there():
            words = Path(f"/proc/{pid}/cmdline").read_bytes() if Path(f"/proc/{pid}").exists() else b""
            if b"/opt/keyturn-agent" in words:
                subprocess.run(["kill", "-9", str(pid)], check=False)


@contextmanager
def push_machine(folder: Path, first: str = _BY_PASSWORD) -> Iterator[PushMachine]:
    """`python3` there is the one that runs this. Skips, with the reason, where it cannot be."""
    folder.mkdir(exist_ok=True)
    with sshd(folder, f"{first}\nLogLevel INFO") as server:
        machine = PushMachine(server)
        _own_folders(server)
        (server.etc / "sudoers.d/paths").write_text(f"Defaults secure_path={_PATH}\n")
        (server.programs / "python3").write_text(f'#!/bin/sh\nexec {sys.base_prefix}/bin/python3 "$@"\n')
        (server.programs / "python3").chmod(0o755)
        try:
            yield machine
        finally:
            machine.kill_agents()


def _own_folders(server: Sshd) -> None:
    """Python may itself be below `/opt`, so it is kept there; and no systemd of this machine is asked."""
    kept = server.etc / "keyturn-python"
    kept.mkdir()
    server.run("mount", "--bind", sys.base_prefix, "/etc/keyturn-python")
    for place in ("/opt", "/var/lib", "/run/systemd"):
        if Path(place).is_dir():
            server.run("mount", "-t", "tmpfs", "tmpfs", place)
    if not (Path(f"/proc/{server.within}/root") / sys.base_prefix.lstrip("/")).exists():
        server.run("mkdir", "-p", sys.base_prefix)
        server.run("mount", "--bind", "/etc/keyturn-python", sys.base_prefix)
