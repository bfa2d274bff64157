"""A site with one machine, run for the commands that are typed at it."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from keyturn.cli.demo.stage import Stage
from keyturn.wiring import _door


@contextmanager
def founded(folder: Path) -> Iterator[Stage]:
    """Its machine is not enrolled, and would contact it once an hour."""
    with closing(Stage(folder, clients=1, interval_s=3600, door=_door)) as stage:
        stage.found()
        yield stage
