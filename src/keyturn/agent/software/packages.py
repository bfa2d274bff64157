"""Whether the machine's own package system has a package: dpkg or rpm, whichever there is."""

import re
import shutil
import subprocess

from keyturn.agent.software import rpm_versions

TIMEOUT_S = 60
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._:-]{0,199}")
VERSION = re.compile(r"[A-Za-z0-9.+:~^_-]{1,200}")


def installed(name: str, wanted: str) -> bool:
    """`wanted` is empty for any version, a version, or `>=` and one. False where there is no package system, too."""
    if not NAME.fullmatch(name):
        return False
    found = _version(name)
    if found is None or not wanted:
        return found is not None
    least = wanted.removeprefix(">=").strip()
    return _at_least(found, least) if wanted.startswith(">=") else found == least


def _version(name: str) -> str | None:
    if shutil.which("dpkg-query"):
        status, _, version = _said("dpkg-query", "-W", "-f=${db:Status-Status} ${Version}", name).partition(" ")
        return version if status == "installed" else None
    if shutil.which("rpm"):
        return _said("rpm", "-q", "--qf", "%{EVR}\n", name).partition("\n")[0] or None
    return None


def _at_least(found: str, least: str) -> bool:
    if not VERSION.fullmatch(least):
        return False
    if shutil.which("dpkg"):
        return _ran("dpkg", "--compare-versions", found, "ge", least).returncode == 0
    return rpm_versions.at_least(found, least)


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
