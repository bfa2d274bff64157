"""A reading of a package's source, asked for and watched: the site reads, the command line tells how far it is."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager, suppress
from typing import Any, TypeAlias

import click

from keyturn.cli.api import Api, NoAnswer, ServerFailed, segment

READING_S = 4 * 3600.0
"""How long the site may take to read a source."""
LOOK_S = 0.5
LINE_S = 15.0
"""Between two lines where nobody looks at a terminal."""

Show: TypeAlias = Callable[[dict[str, Any]], None]


def read(api: Api, package_id: str, wanted: dict[str, object], *, quiet: bool) -> Any:
    """The site's answer. Whoever is interrupted leaves the site reading."""
    path = f"/packages/{segment(package_id)}"
    answer = _meanwhile(lambda: api.post(f"{path}/update", wanted, within_s=READING_S))
    again = "--all begins again" if wanted.get("every_file") else "goes on with what was read"
    try:
        with _shown(package_id, quiet=quiet) as show:
            while not wait((answer,), LOOK_S).done:
                with suppress(ServerFailed):
                    show(api.get(f"{path}/reading") or {})
        return answer.result()
    except KeyboardInterrupt:
        click.echo(f"the site reads on: keyturn package show {package_id} tells how far it is", err=True)
        sys.exit(1)
    except NoAnswer as error:
        raise NoAnswer(error.message, hint=f"{error.hint}; then keyturn package update {package_id} {again}") from None


def how_far(reading: dict[str, Any]) -> str:
    """How far it is, in one line."""
    if not reading["of_files"] and not reading["unchanged"]:
        return "its files are being listed"
    files = f"{reading['files']:,} of {reading['of_files']:,} files"
    done = f"{files}, {_mb(reading['size'])} of {_mb(reading['of_size'])} MB"
    return done + (f"; {reading['unchanged']:,} more have not changed" if reading["unchanged"] else "")


def _meanwhile(ask: Callable[[], Any]) -> Future[Any]:
    """In a thread that the process does not wait for when it ends."""
    answer: Future[Any] = Future()

    def run() -> None:
        try:
            answer.set_result(ask())
        except Exception as error:
            answer.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return answer


@contextmanager
def _shown(package_id: str, *, quiet: bool) -> Iterator[Show]:
    if quiet:
        yield lambda _: None
    elif sys.stderr.isatty():
        with _bar() as show:
            yield show
    else:
        yield lines(package_id, time.monotonic)


@contextmanager
def _bar() -> Iterator[Show]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("its files are being listed", total=None)

        def show(reading: dict[str, Any]) -> None:
            if reading.get("of_files"):
                files = f"{reading['files']:,} of {reading['of_files']:,} files"
                progress.update(task, completed=reading["size"], total=reading["of_size"], description=files)

        yield show


def lines(package_id: str, clock: Callable[[], float]) -> Show:
    """One now and then, on stderr."""
    told_at, told = clock(), 0

    def show(reading: dict[str, Any]) -> None:
        nonlocal told_at, told
        now = clock()
        if not reading or now - told_at < LINE_S:
            return
        rate = _mb(max(0, reading["size"] - told) / (now - told_at))
        click.echo(f"package {package_id}: {how_far(reading)}, {rate} MB/s", err=True)
        told_at, told = now, reading["size"]

    return show


def _mb(size: float) -> str:
    return f"{size / 1e6:,.1f}"
