"""Whether a lab can stand on this machine: rights, packages, a range of addresses that nobody uses."""

import errno
import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from ipaddress import IPv4Network
from pathlib import Path

from keyturn.model.errors import Refused

PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
_PROGRAMS = {
    "samba": "samba",
    "samba-tool": "samba-common-bin",
    "net": "samba-common-bin",
    "winbindd": "winbind",
    "wbinfo": "winbind",
    "smbclient": "smbclient",
    "kinit": "krb5-user",
    "ldapmodify": "ldap-utils",
    "ip": "iproute2",
    "nft": "nftables",
    "openssl": "openssl",
}
_FILES = {
    "/usr/share/doc/samba-ad-dc": "samba-ad-dc",
    "/usr/share/samba/setup/provision.ldif": "samba-ad-provision",
    "/usr/lib/*/samba/ldb/acl.so": "samba-dsdb-modules",
    "/usr/lib/*/samba/vfs/acl_xattr.so": "samba-vfs-modules",
    "/usr/lib/python3/dist-packages/samba": "python3-samba",
    "/usr/lib/*/libnss_winbind.so.2": "libnss-winbind",
}
"""What is no program, and the Debian package that brings it."""
_MODULES = ("ldap", "smbprotocol")
_NETS = tuple(f"10.77.{number}" for number in range(1, 20))


def refuse_without_root() -> None:
    if os.geteuid():
        raise Refused("a lab needs root: it makes network namespaces and runs domain controllers", hint="sudo")


def refuse_unfit() -> None:
    """Refused with everything that is lacking, before anything is made."""
    refuse_without_root()
    if packages := sorted(set(_missing_packages())):
        raise Refused(
            f"not installed: {', '.join(packages)}",
            hint=f"apt-get install --no-install-recommends {' '.join(packages)}",
        )
    modules = [name for name in _MODULES if find_spec(name) is None]
    if modules:
        raise Refused(f"Python modules not installed: {', '.join(modules)}", hint="pip install 'keyturn[directory]'")
    if subprocess.run(["unshare", "-nm", "true"], capture_output=True, check=False).returncode:  # noqa: S607
        raise Refused(
            "no right to make network and mount namespaces here",
            hint="in a container: give it CAP_SYS_ADMIN and CAP_NET_ADMIN, or take a virtual machine",
        )


@contextmanager
def claimed_net(wanted: str | None) -> Iterator[str]:
    """The first three numbers of a range that this machine has no route to. Until the block ends, and by then a lab has
    its route, no other lab gets it."""
    users = []
    for net in _NETS if wanted is None else (wanted,):
        with _claim(net) as is_ours:
            user = _user_of(net, _routes()) if is_ours else "by a lab that is being raised"
            if user is None:
                yield net
                return
        users.append(user)
    if wanted is not None:
        raise Refused(f"{wanted}.0/24 is in use on this machine: {users[0]}", hint="choose another one with --net")
    raise Refused(
        f"no range of {_NETS[0]}.0/24 to {_NETS[-1]}.0/24 is free on this machine: {users[0]}",
        hint="name the first three numbers of a range that nobody uses, with --net",
    )


def _missing_packages() -> Iterator[str]:
    yield from (package for program, package in _PROGRAMS.items() if shutil.which(program, path=PATH) is None)
    yield from (package for file, package in _FILES.items() if not any(Path("/").glob(file[1:])))


@contextmanager
def _claim(net: str) -> Iterator[bool]:
    """Whether nobody else has it. An abstract socket is known where routes are, in one network namespace, and is gone
    with its process."""
    with socket.socket(socket.AF_UNIX) as claim:
        try:
            claim.bind(f"\0keyturn-lab-{net}")
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            is_ours = False
        else:
            is_ours = True
        yield is_ours


def _user_of(net: str, routes: dict[IPv4Network, str]) -> str | None:
    asked = IPv4Network(f"{net}.0/24")
    return next((f"{there} on {device}" for there, device in routes.items() if there.overlaps(asked)), None)


def _routes() -> dict[IPv4Network, str]:
    """Every route but the default one, with its device."""
    shown = subprocess.run(
        ["ip", "-j", "-4", "route"],  # noqa: S607
        env=os.environ | {"PATH": PATH},
        capture_output=True,
        text=True,
        check=True,
    )
    routes = json.loads(shown.stdout)
    return {IPv4Network(route["dst"]): route.get("dev", "?") for route in routes if route["dst"] != "default"}
