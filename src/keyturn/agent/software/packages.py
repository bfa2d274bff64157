"""Whether a package system of the machine has a package: dpkg or rpm, or both, as where one builds for the other."""

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

from keyturn.agent.software import rpm_versions
from keyturn.distribution.installed_package import could_be_installed, version_of

TIMEOUT_S = 60


def installed(name: str, wanted: str) -> bool:
    """`wanted` is empty for any version, a version, or `>=` and one. False where there is no package system, too."""
    if not could_be_installed(name, wanted):
        return False
    least = version_of(wanted)
    return any(
        not wanted or (system.at_least(found, least) if wanted.startswith(">=") else system.same(found, least))
        for system in _SYSTEMS
        if shutil.which(system.asks)
        for found in system.versions(name)
    )


@dataclass(frozen=True, slots=True)
class _System:
    """`versions` are all that are installed: kernels and libraries of two architectures may be there several times."""

    asks: str
    versions: Callable[[str], list[str]]
    same: Callable[[str, str], bool]
    at_least: Callable[[str, str], bool]


def _dpkg_versions(name: str) -> list[str]:
    lines = _said("dpkg-query", "-W", "-f=${db:Status-Status} ${Version}\n", name).splitlines()
    return [version for status, _, version in (line.partition(" ") for line in lines) if status == "installed"]


def _dpkg_at_least(found: str, least: str) -> bool:
    return _ran("dpkg", "--compare-versions", found, "ge", least).returncode == 0


def _rpm_versions(name: str) -> list[str]:
    return _said("rpm", "-q", "--qf", "%{EVR}\n", name).splitlines()


_SYSTEMS = (
    _System("dpkg-query", _dpkg_versions, str.__eq__, _dpkg_at_least),
    _System("rpm", _rpm_versions, rpm_versions.same, rpm_versions.at_least),
)


def _said(*words: str) -> str:
    """Empty where it failed."""
    done = _ran(*words)
    return "" if done.returncode else done.stdout


def _ran(*words: str) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(  # noqa: S603 - the machine's own package system
            words,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TIMEOUT_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return subprocess.CompletedProcess(words, 1, "", "")
