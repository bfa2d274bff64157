"""Where things stand in a site's directory. Keys and tokens are readable by their owner alone."""

import fcntl
import os
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO

from keyturn.model.errors import NotFound, Refused


@dataclass(frozen=True, slots=True)
class SiteFiles:
    root: Path

    @property
    def settings(self) -> Path:
        return self.root / "keyturn.toml"

    @property
    def authority(self) -> Path:
        """The site's certificate authority, for agents and people to pin."""
        return self.root / "site-ca.pem"

    @property
    def authority_key(self) -> Path:
        return self.root / "site-ca.key"

    @property
    def certificate(self) -> Path:
        return self.root / "server.pem"

    @property
    def certificate_key(self) -> Path:
        return self.root / "server.key"

    @property
    def seal_key(self) -> Path:
        return self.root / "seal.key"

    @property
    def store(self) -> Path:
        return self.root / "store.db"

    def store_password(self, address: str) -> Path:
        """Of the account that the store at that address is reached with. Absent where its server asks for none."""
        return self.root / f"store-{sha256(address.encode()).hexdigest()[:8]}.password"

    @property
    def admin_token(self) -> Path:
        return self.root / "admin.token"

    @property
    def recovery_key(self) -> Path:
        """The custodian's key of a site that was given none of its own."""
        return self.root / "recovery.key"

    @property
    def known_hosts(self) -> Path:
        """Host keys of the machines that clients are pushed to, in the form of sshd(8); people write it."""
        return self.root.absolute() / "known_hosts"

    @property
    def envelopes(self) -> Path:
        return self.root / "envelopes"

    @property
    def content(self) -> Path:
        """The site's own copies of what packages hold, unless its settings put them elsewhere."""
        return self.root / "content"

    def realm(self, name: str) -> Path:
        """A realm's name never becomes a path: only its bytes, in hexadecimal."""
        return self.root / f"realm-{name.casefold().encode().hex()}.db"


def existing(root: Path) -> SiteFiles:
    files = SiteFiles(root)
    if not files.settings.is_file():
        raise NotFound(f"{root} is no site's directory", hint=f"keyturn init {root}, or name another with --dir")
    return files


def fresh(root: Path) -> SiteFiles:
    """The directory made, 0700. Refused where something is in it already."""
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise Refused(f"{root} is not empty", hint="name a directory that is empty or does not exist")
    root.mkdir(parents=True, exist_ok=True)
    root.chmod(0o700)
    return SiteFiles(root)


def alone_in(files: SiteFiles) -> IO[bytes]:
    """Held open by the one process that runs the site. So a worker that finds its own name on a lease knows that the
    one before it is dead, and need not wait until the lease runs out. Refused while another process runs the site."""
    held = (files.root / "running").open("ab")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        held.close()
        raise Refused(f"the site in {files.root} is running already", hint="stop that one first") from None
    return held


def write_private(path: Path, content: bytes) -> None:
    """A new file, 0600 from its first byte, durable when this returns."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def put_in_place(path: Path, content: bytes) -> None:
    """Replaces what the file held, all or nothing, durable when this returns. 0600."""
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)
    write_private(beside, content)
    beside.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
