"""A site with a fleet that has enrolled and is current with both accounts of the site."""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from keyturn.model.accounts import Credential
from keyturn.model.estate import Proof
from keyturn.operations.client_ports import EnrolledClient
from tests.estates import ADDITIONAL, account
from tests.inner_site import RECIPIENT, InnerSite, site_in

ESTATE = ADDITIONAL.replace("lockout_threshold = 5", "lockout_threshold = 0") + account(
    "KtClient2", "client-connection-additional"
)
ACCOUNTS = ("KtClient", "KtClient2")
TOKEN = bytes(32)


@dataclass(frozen=True)
class Member:
    name: str
    key: Ed25519PrivateKey


def furnish(folder: Path, count: int) -> list[Member]:
    """Leaves the site's files in `folder`. Made in memory first: it takes six commits a client."""
    fleet = [Member(f"PC-{number:04d}", Ed25519PrivateKey.generate()) for number in range(1, count + 1)]
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as quick:
        site = site_in(Path(quick), ESTATE.replace("count = 3", f"count = {count}"))
        for name in ACCOUNTS:
            site.create(name)
        for member in fleet:
            _enrol(site, member)
        for name in ACCOUNTS:
            _all_have(site, name, [member.name for member in fleet])
        site.close()
        shutil.copytree(quick, folder, dirs_exist_ok=True)
    return fleet


def _enrol(site: InnerSite, member: Member) -> None:
    """Past the use case, which reads the whole estate for each machine."""
    site.store.invite(member.name, TOKEN, site.clock() + 60, by="bench")
    key = member.key.public_key().public_bytes_raw()
    site.store.enrol(TOKEN, EnrolledClient(member.name, key, RECIPIENT, site.clock()))


def _all_have(site: InnerSite, name: str, machines: list[str]) -> None:
    managed = site.store.named(f"CORP\\{name}")
    assert managed.generation is not None
    credential = Credential(managed.account, managed.generation)
    site.store.offer(credential, machines, len(machines))
    for machine in machines:
        site.store.prove(machine, credential, Proof.REPORTED, site.clock())
