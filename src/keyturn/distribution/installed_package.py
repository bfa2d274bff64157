"""How a package of dpkg or rpm is named where a program is detected by it."""

import re

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._:-]{0,199}")
_VERSION = re.compile(r"[A-Za-z0-9.+:~^_-]{1,200}")
_AT_LEAST = ">="


def could_be_installed(name: str, wanted: str) -> bool:
    """`wanted` is empty for any version, a version, or `>=` and one."""
    return bool(_NAME.fullmatch(name) and (not wanted or _VERSION.fullmatch(version_of(wanted))))


def version_of(wanted: str) -> str:
    return wanted.removeprefix(_AT_LEAST).strip()
