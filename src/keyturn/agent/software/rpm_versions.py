"""Which of two versions of an rpm package is the later one, as rpm itself orders them (rpm.org, rpm-version(7)).

rpm's own command line compares whole versions, epoch and release included, only since 4.17.
"""

import re

_SEGMENT = re.compile(r"[~^]|[0-9]+|[A-Za-z]+")
"""Everything else only separates."""
_VERSION = re.compile(r"(?:(?P<epoch>[0-9]+):)?(?P<version>[^-]*)(?:-(?P<release>.*))?", re.S)


def at_least(found: str, least: str) -> bool:
    """Versions are `[EPOCH:]VERSION[-RELEASE]`. A release counts where both have one, as in a package's `Requires`."""
    return _order_of(found, least) >= 0


def same(found: str, wanted: str) -> bool:
    """By the same rule: `1.2` is every release of it."""
    return _order_of(found, wanted) == 0


def compared(one: str, other: str) -> int:
    """-1, 0 or 1, for a version or a release alone. `~` comes before everything, the end included; `^` after the end
    and before everything else; a number after letters."""
    return _order(_weights(one), _weights(other))


def _order_of(found: str, wanted: str) -> int:
    one, other = _parts(found), _parts(wanted)
    order = compared(one["epoch"] or "0", other["epoch"] or "0") or compared(one["version"], other["version"])
    if order == 0 and one["release"] and other["release"]:
        return compared(one["release"], other["release"])
    return order


def _parts(text: str) -> dict[str, str]:
    found = _VERSION.fullmatch(text)
    assert found is not None  # every text is one
    return found.groupdict(default="")


_Weight = tuple[int, int, str]
_END: _Weight = (1, 0, "")


def _weights(text: str) -> list[_Weight]:
    return [*map(_weight, _SEGMENT.findall(text)), _END]


def _weight(segment: str) -> _Weight:
    if segment in "~^":
        return (0 if segment == "~" else 2, 0, "")
    return (4, int(segment), "") if segment.isdigit() else (3, 0, segment)


def _order(one: list[_Weight], other: list[_Weight]) -> int:
    return (one > other) - (one < other)
