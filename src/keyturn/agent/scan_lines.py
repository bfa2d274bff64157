"""Where an account's name stands in a text, and what it is likely to be there for."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from keyturn.wire.scan import Use

UNIT, CRONTAB, MOUNTS, CONFIGURATION = "systemd unit", "crontab", "mount table", "configuration file"
ENVIRONMENT, CREDENTIAL = "environment file of a unit", "credential file"

_KINDS: tuple[tuple[str, str], ...] = (
    (r"(^|/)systemd/(.*/)?[^/]+\.(service|mount|automount|socket|timer)(\.d/[^/]+\.conf)?$", UNIT),
    (r"^etc/(crontab$|cron\.)|^var/spool/cron/", CRONTAB),
    (r"^etc/(fstab$|auto[._])", MOUNTS),
)
"""By the path from the root of the machine; the first that fits."""

_BEFORE = r"(?<![\w.$-])"
_AFTER = r"(?![\w$-]|\.\w)"
_NOTHING = r"(?!)"
_ASSIGNED = r"""(user|user_?name|login|logon|account|uid|cn|bind_?dn|bind_?user|principal|identity|run_?as|owner)"""

_USES: tuple[tuple[tuple[str, ...], str, Use], ...] = (
    ((), r"^\s*[#;]", Use.COMMENT),
    ((UNIT,), r"^\s*User\s*=", Use.RUNS),
    ((CRONTAB,), r"^\s*(@\w+|(\S+\s+){4}\S+)\s+(\S+\\)?$", Use.RUNS),
    ((MOUNTS, UNIT), r"(^|[,\s=])(user|username)=(\S*\\)?$", Use.MOUNTS),
    ((), rf"(?i)\b[\w.-]*{_ASSIGNED}\s*[\"']?\s*[:=]>?\s*[\"']?([\w.-]+\\+)?$", Use.LOGS_ON),
    ((), r"://$", Use.LOGS_ON),
)
"""In files of these kinds (none: of all), what stands on the line before the name. The first that fits."""

_LEADS_TO: tuple[tuple[str, str, str], ...] = (
    (UNIT, r"^\s*EnvironmentFile\s*=\s*-?(/\S+)", ENVIRONMENT),
    (UNIT, r"^\s*LoadCredential(?:Encrypted)?\s*=\s*[^:\s]+:(/\S+)", CREDENTIAL),
    (UNIT, r"(?:^|[,\s=])cred(?:ential)?s?=(/[^,\s]+)", CREDENTIAL),
    (MOUNTS, r"(?:^|[,\s])cred(?:ential)?s?=(/[^,\s]+)", CREDENTIAL),
)
"""Files that others name: of what kind, by which lines of which."""


@dataclass(frozen=True, slots=True)
class Found:
    account: str
    line: int
    use: Use


def kind_of(path: PurePosixPath) -> str:
    return next((kind for pattern, kind in _KINDS if re.search(pattern, str(path))), CONFIGURATION)


class Search:
    """For some accounts. Names are compared as directories do, without regard to case; one that two realms have could
    be either's, and is told of both."""

    def __init__(self, accounts: Sequence[str]) -> None:
        self._by_name: dict[str, list[str]] = {}
        for account in accounts:
            self._by_name.setdefault(account.rpartition("\\")[2].casefold(), []).append(account)
        longest_first = sorted(self._by_name, key=len, reverse=True)
        names = "|".join(re.escape(name) for name in longest_first)
        self._pattern = re.compile(rf"{_BEFORE}({names or _NOTHING}){_AFTER}", re.IGNORECASE)

    def named(self, name: str) -> Sequence[str]:
        """The accounts that are called so."""
        return self._by_name.get(name.casefold(), ())

    def lines(self, text: str, kind: str) -> Iterator[Found]:
        """Each account once a line, by its first use there that is more than a name."""
        for number, line in enumerate(text.splitlines(), 1):
            best: dict[str, Use] = {}
            for match in self._pattern.finditer(line):
                use = _use(kind, line[: match.start()])
                for account in self._by_name[match[1].casefold()]:
                    if best.get(account, Use.NAMES) is Use.NAMES:
                        best[account] = use
            yield from (Found(account, number, use) for account, use in best.items())


def leads_to(text: str, kind: str) -> Iterator[tuple[str, str]]:
    """Paths of other files, with their kinds."""
    for of, pattern, leads in _LEADS_TO:
        if of == kind:
            yield from ((match[1], leads) for match in re.finditer(pattern, text, re.MULTILINE))


def _use(kind: str, before: str) -> Use:
    return next(
        (use for kinds, form, use in _USES if (not kinds or kind in kinds) and re.search(form, before)), Use.NAMES
    )
