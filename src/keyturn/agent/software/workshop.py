"""What the runs of this machine have in common."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from keyturn.agent.software.history import History
from keyturn.agent.software.lending import Lending
from keyturn.agent.software.logs import Write
from keyturn.agent.software.ports import Computer, Fetch, Runner


@dataclass(frozen=True, slots=True)
class Workshop:
    """`fetch_source` takes the points of an offer for sources. `hold` keeps the content of
    that digest where it is; `empty` is the folder of a program without files."""

    runner: Runner
    computer: Computer
    fetch: Fetch
    fetch_source: Fetch
    hold: Callable[[str], AbstractContextManager[None]]
    lending: Lending
    history: History
    empty: Callable[[], Path]
    now: Callable[[], float]
    write: Write
    write_content: Write
