r"""Whom this machine knows, and whether a realm told it: the name service, with a realm's ways to write a name.

winbind writes `CORP\name`, sssd `name@corp.example`, and each the bare name where it is told to.
"""

import configparser
import pwd
import re
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_LOCAL = frozenset({"files", "compat", "db", "systemd"})
"""Services of nsswitch.conf(5) that ask nobody beyond this machine."""
_SWITCH, _SSSD = Path("/etc/nsswitch.conf"), Path("/etc/sssd/sssd.conf")
_PATIENCE_S = 60
_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}


def find(name: str) -> pwd.struct_passwd | None:
    with suppress(KeyError):
        return pwd.getpwnam(name)
    return None


def is_local(name: str) -> bool:
    return _knows("files", name)


def has_password_entry(name: str) -> bool:
    """Of this machine: in /etc/shadow, with a password or without."""
    return bool(run("getent", "--service", "files", "shadow", name).stdout)


def in_own_realm(name: str) -> pwd.struct_passwd | None:
    """Whom the realm that this machine is joined to calls so. One that does not answer now knows nobody."""
    for service in realm_services():
        for written in _written_in(service, name):
            if _knows(service, written):
                return find(written)
    return None


def in_realm(account: str) -> pwd.struct_passwd | None:
    r"""`CORP\name`. The bare name counts where this machine's own realm answers for it."""
    realm, _, name = account.rpartition("\\")
    named = (account, f"{name}@{realm}", f"{name}@{realm.lower()}") if realm and realm_services() else ()
    return next((found for written in named if (found := find(written))), None) or in_own_realm(name)


def realm_services() -> tuple[str, ...]:
    for line in _text(_SWITCH).splitlines():
        database, _, services = line.partition("#")[0].partition(":")
        if database.strip() == "passwd":
            return tuple(service for service in re.sub(r"\[.*?\]", "", services).split() if service not in _LOCAL)
    return ()


def run(*words: str, say: str = "") -> "subprocess.CompletedProcess[str]":
    """One of the machine's own programs; ends with 127 where it is not there or does not end. `say`: to its standard
    input."""
    try:
        return subprocess.run(  # getent, wbinfo, useradd and chpasswd
            words,
            input=say,
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
            env=_ENVIRONMENT,
            check=False,
            cwd="/",
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(words, 127, "", str(error))


def _written_in(service: str, name: str) -> Iterator[str]:
    yield name
    if service == "winbind" and (domain := run("wbinfo", "--own-domain").stdout.strip()):
        yield f"{domain}\\{name}"
    if service == "sss":
        settings = configparser.ConfigParser(interpolation=None, strict=False)
        settings.read_string(_text(_SSSD))
        for domain in settings.get("sssd", "domains", fallback="").split(","):
            yield f"{name}@{domain.strip()}"


def _knows(service: str, name: str) -> bool:
    return bool(run("getent", "--service", service, "passwd", name).stdout)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
