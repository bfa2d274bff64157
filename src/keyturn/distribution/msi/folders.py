"""Where the directories of a package lie: each leads to a folder that Windows Installer knows by name.

Source: Windows Installer reference, "System Folder Properties" and "Installation Context".
"""

from collections.abc import Mapping

PROFILE = frozenset({
    "AppDataFolder",
    "FavoritesFolder",
    "LocalAppDataFolder",
    "MyPicturesFolder",
    "NetHoodFolder",
    "PersonalFolder",
    "PrintHoodFolder",
    "RecentFolder",
    "SendToFolder",
})  # fmt: skip
"""Of whoever installs, per machine too. Desktop, start menu and templates move to all users instead."""

PROGRAMS = frozenset({
    "CommonFiles64Folder",
    "CommonFilesFolder",
    "ProgramFiles64Folder",
    "ProgramFilesFolder",
})  # fmt: skip
"""Closed to plain users; for a dual package that installs per user they lie in the profile, from Windows 7 on."""

PROTECTED = frozenset({
    "FontsFolder",
    "System16Folder",
    "System64Folder",
    "SystemFolder",
    "WindowsFolder",
})  # fmt: skip
"""Closed to plain users, and never moved."""

_KNOWN = PROFILE | PROGRAMS | PROTECTED


def known_folders(parents: Mapping[str, str]) -> dict[str, str]:
    """For each directory, given with its parent, the known folder it lies in; "" for elsewhere and for loops."""
    found: dict[str, str] = {"": ""}
    for directory in parents:
        path: dict[str, None] = {}
        while directory not in found and directory not in path and not _known(directory):
            path[directory] = None
            directory = parents.get(directory, "")
        answer = _known(directory) or found.get(directory, "")
        found.update(dict.fromkeys([*path, directory], answer))
    return found


def _known(directory: str) -> str:
    """Merge modules append their number to the name: `SystemFolder.3643236F_FC70_11D3_A536_0090278A1BB8`."""
    name = directory.partition(".")[0]
    return name if name in _KNOWN else ""
