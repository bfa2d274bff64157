"""A lab as it is written down in its directory, and what follows from that: names, addresses, files."""

import json
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

from keyturn.model.errors import NotFound, Refused

REALM, SITE = "CORP", "LAB"
BASE = "DC=corp,DC=example"
BIND_ACCOUNT, ACCOUNT = "svc-keyturn", "KtClient"
FULL_NAME = f"{REALM}\\{ACCOUNT}"
UNIT = f"OU=Keyturn,{BASE}"
FILE_SERVER = "fs1"
_WRITTEN = "lab.json"


@dataclass(frozen=True, slots=True)
class Lab:
    """`root` is absolute; `net` the first three numbers of every address."""

    root: Path
    net: str
    controllers: int
    agents: int

    @property
    def hosts(self) -> tuple[str, ...]:
        return tuple(f"{self.net}.{10 + number}" for number in range(1, self.controllers + 1))

    @property
    def nodes(self) -> tuple[str, ...]:
        return *(f"dc{number}" for number in range(1, self.controllers + 1)), FILE_SERVER

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"PC-{number:04}" for number in range(1, self.agents + 1))

    @property
    def share(self) -> str:
        return rf"\\{self.net}.21\cap"

    @property
    def shared(self) -> Path:
        """The folder that the share exports."""
        return domain_in(self.root) / FILE_SERVER / "share" / "cap"

    @property
    def site(self) -> Path:
        return self.root / "site"

    @property
    def certificate_authority(self) -> Path:
        return domain_in(self.root) / "ca" / "ca.pem"

    def password_file(self, account: str) -> Path:
        return self.root / f"{account}.password"


def keep(lab: Lab) -> None:
    """Before anything else is made, so that whatever is made can be removed."""
    if lab.root.is_dir() and any(lab.root.iterdir()):
        raise Refused(f"{lab.root} is not empty", hint=_way_out(lab.root))
    lab.root.mkdir(parents=True, exist_ok=True)
    written = asdict(lab) | {"root": str(lab.root)}
    (lab.root / _WRITTEN).write_text(json.dumps(written) + "\n")


def kept(root: Path) -> Lab:
    """Where it is now counts, not where it was made."""
    if not is_lab(root):
        raise NotFound(f"no lab in {root}", hint="keyturn lab up makes one")
    written = json.loads((root / _WRITTEN).read_text())
    return Lab(root, written["net"], written["controllers"], written["agents"])


def is_lab(root: Path) -> bool:
    return (root / _WRITTEN).is_file()


def domain_in(root: Path) -> Path:
    return root / "domain"


def prefix_of(root: Path) -> str:
    """Of the lab's network namespaces. Made from its path, so that they are found when its directory is gone."""
    return "kt" + sha256(str(root).encode()).hexdigest()[:4]


def _way_out(root: Path) -> str:
    return f"a lab is there: keyturn lab down --dir {root}" if is_lab(root) else "name another directory with --dir"
