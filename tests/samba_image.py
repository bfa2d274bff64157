"""A domain as it is before a test touches it: made once by each process that runs tests, copied for each module.

Making takes most of what a domain costs: provisioning, joining, delegating. A copy only has to start.
"""

import atexit
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ADLAB = Path(__file__).parents[1] / "lab" / "adlab"
NODES = ("fs1", "dc1", "dc2")
"""In the order in which they are stopped: a file server asks its controllers."""
_GRACE_MIN = 60
_GRACE = "old password allowed period = "


@dataclass(frozen=True)
class Image:
    """The network is part of it, for names and certificates bear its addresses; so one copy runs at a time. `prefix`
    keeps the names of its interfaces apart from those of other labs."""

    home: Path
    prefix: str
    network: str

    @property
    def hosts(self) -> tuple[str, ...]:
        return (f"{self.network}.11", f"{self.network}.12")

    def environment(self, lab: Path, loud: str = "1") -> dict[str, str]:
        """What `adlab` is told: where, under which names, and what its controllers write down."""
        told = {"DIR": str(lab), "PREFIX": self.prefix, "NET": self.network, "NOTIFY": "0", "OLDPW": str(_GRACE_MIN)}
        return os.environ | {f"ADLAB_{name}": value for name, value in told.items()} | {"ADLAB_LOUD": loud}

    def copy(self, lab: Path, *, grace_min: int) -> None:
        """With every owner, access list and attribute: Samba reads them."""
        subprocess.run(["cp", "-a", self.home / "made", lab], check=True)
        for controller in NODES[1:]:
            settings = lab / controller / "etc" / "samba" / "smb.conf"
            settings.write_text(settings.read_text().replace(f"{_GRACE}{_GRACE_MIN}", f"{_GRACE}{grace_min}"))


def adlab(environment: dict[str, str], *arguments: str, given: str = "") -> str:
    done = subprocess.run(
        [ADLAB, *arguments], env=environment, input=given, capture_output=True, text=True, timeout=100
    )
    if done.returncode:
        raise RuntimeError(f"adlab {' '.join(arguments)}: {done.stdout}{done.stderr}")
    return done.stdout


def place() -> Path:
    """A new directory in memory where there is such a place, which whoever reads a share gets through to."""
    directory = Path(tempfile.mkdtemp(prefix="keyturn-ad-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None))
    directory.chmod(0o711)
    return directory


def make(populate: Callable[[dict[str, str], Path, tuple[str, ...]], None]) -> Image:
    """A new one, with two controllers and a file server; it goes when this process ends. `populate` is given what
    `adlab` is told, where the lab is, and the controllers' addresses."""
    image = Image(place(), f"k{secrets.token_hex(2)}", _network())
    atexit.register(shutil.rmtree, image.home, ignore_errors=True)
    lab = image.home / "making"
    environment = image.environment(lab)
    try:
        adlab(environment, "up", "2", "1")
        populate(environment, lab, image.hosts)
        for node in NODES:
            adlab(environment, "stop", node)
        for log in lab.glob("*/*.log"):
            log.unlink()  # a test reads what its own copy has written
        lab.rename(image.home / "made")
    finally:
        subprocess.run([ADLAB, "down"], env=environment, capture_output=True)
    return image


def _network() -> str:
    """One that no other process of tests on this machine has: each holds a name in the kernel while it lives."""
    for number in secrets.SystemRandom().sample(range(20, 220), 200):
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0keyturn-tests-10.77.{number}")
        except OSError:
            claim.close()
            continue
        atexit.register(claim.close)
        return f"10.77.{number}"
    raise RuntimeError("every network from 10.77.20 to 10.77.219 is taken by tests")
