r"""Shares by their names, `\\host\share`, as a command line and the site's distribution points have them."""

import re
from collections.abc import Iterable

from keyturn.model.software import DistributionPoint, Program

UNC = re.compile(r"(?<![\\\w])\\\\([A-Za-z0-9._-]{1,255})\\([^\s\\/:*?\"'<>|,;=()]{1,80})")
r"""A share anywhere in a text. One with a space in its name is found in `program.shares` alone."""


def share_of(place: str) -> str:
    r"""`\\host\share` of a place on it; empty for a place that is on none."""
    host, _, rest = place.removeprefix("\\\\").partition("\\")
    share = rest.partition("\\")[0]
    return rf"\\{host}\{share}" if place.startswith("\\\\") and host and share else ""


def reached_by(program: Program) -> tuple[str, ...]:
    """The shares that it names, each once, in the order in which they are named."""
    named = [found[0] for found in UNC.finditer(program.command_line)]
    shares: dict[str, str] = {}
    for share in (*named, *map(share_of, program.shares)):
        shares.setdefault(share.lower(), share)
    return tuple(share for share in shares.values() if share)


def is_point(share: str, points: Iterable[DistributionPoint]) -> bool:
    return share.lower() in {share_of(point.place).lower() for point in points}
