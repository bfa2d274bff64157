"""What a program finds in its environment: made anew for its identity, with nothing of the agent's own.

PATH holds folders of this machine's own disks that root alone can change: a network place in it lets whoever owns that
place run programs here, and hangs every program when it is away (Q239590, Q278660).
"""

import os
import re
from collections.abc import Iterable
from pathlib import Path

from keyturn.adapters.runners.posix.identities import Identity
from keyturn.adapters.runners.posix.stage_protocol import TEMP

_FOLDERS = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
_NETWORK = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre", "autofs", "davfs"}
_OTHERS_MAY_WRITE = 0o022
_NO_NAME = re.compile(r"[^A-Z0-9]+")


def fresh(identity: Identity, shares: Iterable[tuple[str, str]], added: Iterable[tuple[str, str]]) -> dict[str, str]:
    r"""`shares`: `\\host\share` and where the program finds it. Each is a variable of its own besides."""
    found = list(shares)
    environment = {
        "PATH": search_path(),
        "HOME": str(identity.home),
        "USER": identity.name,
        "LOGNAME": identity.name,
        "SHELL": "/bin/sh",
        "LANG": "C.UTF-8",
        "TMPDIR": TEMP,
        "TMP": TEMP,
        "TEMP": TEMP,
        **_session(identity),
        **{variable_of(unc): path for unc, path in found},
    }
    if found:
        environment["KEYTURN_SHARES"] = "\n".join(f"{unc}={path}" for unc, path in found)
    return environment | dict(added)


def variable_of(unc: str) -> str:
    r"""`\\files.corp\tools` is KEYTURN_SHARE_FILES_CORP_TOOLS."""
    return f"KEYTURN_SHARE_{_NO_NAME.sub('_', unc.upper().strip(chr(92)))}"


def search_path() -> str:
    network = tuple(_network_places(Path("/proc/self/mounts").read_text(encoding="utf-8", errors="surrogateescape")))
    return ":".join(folder for folder in _FOLDERS if _is_safe(Path(folder), network))


def _network_places(mounts: str) -> Iterable[str]:
    """What proc(5) says is mounted from elsewhere. A FUSE file system may be."""
    for line in mounts.splitlines():
        _, place, kind, *_ = line.split(" ")
        if kind in _NETWORK or kind.startswith("fuse"):
            yield place.encode().decode("unicode_escape")


def _is_safe(folder: Path, network: tuple[str, ...]) -> bool:
    """With every folder on the way to it."""
    real = folder.resolve()
    if not real.is_dir() or any(real.is_relative_to(place) for place in network):
        return False
    return all(_is_roots_alone(step) for step in (real, *real.parents))


def _is_roots_alone(folder: Path) -> bool:
    found = folder.stat()
    written_by_group = found.st_mode & 0o020 and found.st_gid != 0
    return found.st_uid == 0 and not found.st_mode & 0o002 and not written_by_group


def _session(identity: Identity) -> dict[str, str]:
    """What leads to the session of the user who is logged on, where the system made such a place."""
    place = Path(f"/run/user/{identity.uid}")
    if not identity.has_session or not place.is_dir() or place.stat().st_uid != identity.uid:
        return {}
    bus = {"DBUS_SESSION_BUS_ADDRESS": f"unix:path={place}/bus"} if os.path.lexists(place / "bus") else {}
    return {"XDG_RUNTIME_DIR": str(place), **bus}
