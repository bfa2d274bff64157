r"""What may be authored besides programs: packages and advertisements."""

import re
from collections.abc import Callable

from keyturn.distribution.findings import LONGEST_LINE, Finding, Rule, found, is_line, warning
from keyturn.distribution.shares import share_of
from keyturn.model.names import LONGEST_NAME
from keyturn.model.software import Advertisement, At, Event, LoggedOn, Package, Program

SHORTEST_INTERVAL_S, LONGEST_INTERVAL_S = 60.0, 3660 * 86400.0
MOST_ASSIGNMENTS = 32
LAST_MOMENT = 2.0**40


def findings_of_package(package: Package) -> tuple[Finding, ...]:
    return found(PACKAGE_RULES, package)


def findings_of_advertisement(advertisement: Advertisement, program: Program) -> tuple[Finding, ...]:
    return (
        *found(ADVERTISEMENT_RULES, advertisement),
        *(finding for holds, finding in OF_BOTH if holds(advertisement, program)),
    )


def _is_text(text: str) -> bool:
    return not text or is_line(text, LONGEST_NAME)


def _is_source(source: str) -> bool:
    return is_line(source, LONGEST_LINE) and (source[0] == "/" or bool(share_of(source)))


def _firsts(advertisement: Advertisement) -> tuple[float, ...]:
    return tuple(each.first_at for each in advertisement.assignments if isinstance(each, At))


def _moments(advertisement: Advertisement) -> tuple[float, ...]:
    ends = () if advertisement.expires_at is None else (advertisement.expires_at,)
    return (advertisement.available_at, *ends, *_firsts(advertisement))


def _intervals(advertisement: Advertisement) -> tuple[float, ...]:
    times = (each for each in advertisement.assignments if isinstance(each, At))
    return tuple(each.every_s for each in times if each.every_s is not None)


PACKAGE_RULES: tuple[Rule[Package], ...] = (
    (
        lambda p: not is_line(p.name, LONGEST_NAME),
        Finding("name", f"a package's name is printable and has 1 to {LONGEST_NAME} characters"),
    ),
    (
        lambda p: not all(map(_is_text, (p.publisher, p.product_version, p.language))),
        Finding("text", f"publisher, version and language are printable, with at most {LONGEST_NAME} characters"),
    ),
    (
        lambda p: bool(p.source) and not _is_source(p.source),
        Finding(
            "source",
            r"a source is a folder of the site server from its root, or \\host\share\folder",
            hint="--source /srv/packages/NAME",
        ),
    ),
    (
        lambda p: not all(re.fullmatch(r"[^\\]+\\[^\\]+", name) and name.isprintable() for name in p.access),
        Finding("access", r"an account that may read a package is written REALM\name", hint="keyturn account list"),
    ),
)

ADVERTISEMENT_RULES: tuple[Rule[Advertisement], ...] = (
    (
        lambda a: not _is_text(a.name),
        Finding("name", f"an advertisement's name is printable, with at most {LONGEST_NAME} characters"),
    ),
    (
        lambda a: not all(0 <= moment <= LAST_MOMENT for moment in _moments(a)),
        Finding("moments", "a moment is a number of seconds since 1970"),
    ),
    (
        lambda a: a.expires_at is not None and a.expires_at <= a.available_at,
        Finding("expires", "it expires before it is available", hint="--expires later"),
    ),
    (
        lambda a: len(a.assignments) > MOST_ASSIGNMENTS,
        Finding("assignments", f"an advertisement has at most {MOST_ASSIGNMENTS} assignments", hint="--every"),
    ),
    (
        lambda a: not all(SHORTEST_INTERVAL_S <= interval <= LONGEST_INTERVAL_S for interval in _intervals(a)),
        Finding("every", "an assignment comes round after a minute at least, and after ten years at most"),
    ),
    (
        lambda a: a.expires_at is not None and any(first >= a.expires_at for first in _firsts(a)),
        Finding("never-due", "an assignment begins after the advertisement has expired", hint="--expires later"),
    ),
    (
        lambda a: not a.mandatory,
        warning("optional", "it is optional: a person starts it on each client", hint="--mandatory"),
    ),
)

OF_BOTH: tuple[tuple[Callable[[Advertisement, Program], bool], Finding], ...] = (
    (
        lambda a, p: p.logged_on is LoggedOn.NO_USER and bool({Event.LOGON, Event.LOGOFF} & set(a.assignments)),
        Finding(
            "logon-without-a-user",
            "it is due when a user logs on or off, and its program runs only while no user is logged on",
            hint="--mandatory as-soon-as-possible",
        ),
    ),
    (
        lambda a, p: p.logged_on is LoggedOn.NO_USER and not a.mandatory,
        Finding(
            "optional-without-a-user",
            "nobody could start it: its program runs only while no user is logged on",
            hint="--mandatory as-soon-as-possible",
        ),
    ),
)
