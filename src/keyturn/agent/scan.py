"""The agent's look at its own machine: where accounts are named in units, crontabs, mounts and configuration."""

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from keyturn.agent.scan_files import Text, read_below
from keyturn.agent.scan_lines import CRONTAB, Search, kind_of, leads_to
from keyturn.wire.scan import Mention, NotRead, Scan, Use

PLACES = (
    "etc",
    "opt/*/etc",
    "srv",
    "usr/lib/systemd/system",
    "usr/local/lib/systemd/system",
    "run/systemd/system",
    "var/spool/cron",
)
MOST_FILES = 50_000
"""Of one place: where there are more, it is no configuration."""
_ACCOUNT_FILES = frozenset({"passwd", "shadow", "group", "gshadow", "subuid", "subgid"})
"""They list who there is, not who is used; and their copies, which end with a dash."""


def scan(
    accounts: Sequence[str], *, machine: str, now: float, more: Sequence[Path] = (), top: Path = Path("/")
) -> Scan:
    """`more` are further folders. `top` is where the machine's own root lies."""
    looked_at = _Looked(Search(accounts), top)
    for pattern in PLACES:
        for place in sorted(top.glob(pattern)):
            looked_at.at(place)
    for place in more:
        looked_at.at(place)
    looked_at.at_what_others_name()
    return Scan(
        machine=machine,
        at=now,
        accounts=tuple(accounts),
        files=len(looked_at.found),
        mentions=tuple(sorted(looked_at.mentions(), key=lambda mention: (mention.path, mention.line, mention.account))),
        not_read=tuple(looked_at.not_read.values()),
    )


class _Looked:
    """Of each file only its mentions are kept. A file that another one names is looked at once more as what it is."""

    def __init__(self, search: Search, top: Path) -> None:
        self._search = search
        self._top = top
        self.found: dict[Path, tuple[Mention, ...]] = {}
        self.not_read: dict[str, NotRead] = {}
        self._leads: dict[Path, str] = {}

    def at(self, place: Path) -> None:
        before = len(self.found)
        for found in read_below(place):
            if isinstance(found, NotRead):
                self.not_read[found.path] = found
            elif not self._lists_accounts(found.path):
                self._look(found, kind_of(self._inside(found.path)))
            if len(self.found) - before >= MOST_FILES:
                self.not_read[str(place)] = NotRead(str(place), f"more than {MOST_FILES} files: the rest was left")
                return

    def at_what_others_name(self) -> None:
        for path, kind in self._leads.items():
            for found in read_below(path):
                if isinstance(found, NotRead):
                    self.not_read[found.path] = found
                else:
                    self._look(found, kind)

    def mentions(self) -> Iterator[Mention]:
        return (mention for mentions in self.found.values() for mention in mentions)

    def _look(self, file: Text, kind: str) -> None:
        self.found[file.path] = tuple(self._mentions(file, kind))
        for path, leads in leads_to(file.text, kind):
            self._leads[(self._top / path.lstrip("/")).resolve()] = leads

    def _mentions(self, file: Text, kind: str) -> Iterator[Mention]:
        shown = str(PurePosixPath("/") / self._inside(file.path))
        for account in self._search.named(file.path.name) if kind == CRONTAB else ():
            yield Mention(account, shown, 0, kind, Use.RUNS)
        for found in self._search.lines(file.text, kind):
            yield Mention(found.account, shown, found.line, kind, found.use)

    def _lists_accounts(self, path: Path) -> bool:
        return path.parent == self._top / "etc" and path.name.rstrip("-") in _ACCOUNT_FILES

    def _inside(self, path: Path) -> PurePosixPath:
        return PurePosixPath(path.relative_to(self._top) if path.is_relative_to(self._top) else path)
