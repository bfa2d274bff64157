"""The client's own logs, in the form that SMS 2003 clients write and its tools read.

`<![LOG[text]LOG]!><time="14:07:22.105-060" date="11-21-2026" component="execmgr" context="" type="1" thread="4711"
file="running.py:83">`. The number behind the time is the bias as Windows has it: UTC is the local time plus so many
minutes. Level, size and history are settings of the site (KB 833417). No secret ever reaches a line: whoever writes one
has none at hand but as a `Secret`.
"""

import logging
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from logging.handlers import RotatingFileHandler
from pathlib import Path

from keyturn.model.software import ClientKind, LogSettings

POLICY, CONTENT = "PolicyAgent", "CAS"
RUNS = {ClientKind.ADVANCED: "execmgr", ClientKind.LEGACY: "SMSAPM32"}

INFO, WARNING, ERROR, VERBOSE = logging.INFO, logging.WARNING, logging.ERROR, logging.DEBUG
_TYPES = {ERROR: 3, WARNING: 2}
_LEVELS = (VERBOSE, INFO, WARNING, ERROR)
_OPENS, _CLOSES = "<![LOG[", "]LOG]!>"

Write = Callable[[str, int], None]
"""One record: its text, and INFO, WARNING, ERROR or VERBOSE."""


class Logs:
    """`zone` None: the machine's own. A log that cannot be written stops nothing."""

    def __init__(self, folder: Path, now: Callable[[], float], zone: tzinfo | None = None) -> None:
        self._folder = folder
        self._now = now
        self._zone = zone
        self._lock = threading.Lock()
        self._handlers: dict[str, RotatingFileHandler] = {}
        self._settings = LogSettings()

    def configure(self, settings: LogSettings) -> None:
        with self._lock:
            self._settings = settings
            for handler in self._handlers.values():
                _configure(handler, settings)

    def write(self, component: str, text: str, level: int = INFO) -> None:
        """Into `<component>.log`."""
        with self._lock:
            if level < _LEVELS[min(max(self._settings.level, 0), 3)]:
                return
            self._append(component, text, level, _caller())

    def writer(self, component: str) -> Write:
        return lambda text, level: self.write(component, text, level)

    def _append(self, component: str, text: str, level: int, source: str) -> None:
        """The file is closed again: another process of this agent may put it aside."""
        line = record(component, text, level, self._local(), threading.get_native_id(), source)
        handler = self._handlers.get(component) or self._opened(component)
        handler.emit(logging.LogRecord(component, level, source, 0, line, None, None))
        handler.close()

    def _opened(self, component: str) -> RotatingFileHandler:
        handler = _Quiet(self._folder / f"{component}.log", encoding="utf-8", delay=True)
        handler.namer = _older
        _configure(handler, self._settings)
        self._handlers[component] = handler
        return handler

    def _local(self) -> datetime:
        return datetime.fromtimestamp(self._now(), UTC).astimezone(self._zone)


def record(component: str, text: str, level: int, local: datetime, thread: int, source: str) -> str:
    """A text that bears the marks of a record cannot end it, or begin another."""
    safe = "".join(character for character in text if character.isprintable() or character in "\n\t")
    safe = safe.replace(_CLOSES, "]LOG] !>").replace(_OPENS, "<! [LOG[")
    offset = local.utcoffset()
    bias = -int(offset.total_seconds() // 60) if offset else 0
    time = f"{local:%H:%M:%S}.{local.microsecond // 1000:03}{'-' if bias < 0 else '+'}{abs(bias):03}"
    return (
        f'{_OPENS}{safe}{_CLOSES}<time="{time}" date="{local:%m-%d-%Y}" component="{component}" context=""'
        f' type="{_TYPES.get(level, 1)}" thread="{thread}" file="{source}">'
    )


class _Quiet(RotatingFileHandler):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        """A full disk must not stop a run, nor reach stderr for each line."""


def _configure(handler: RotatingFileHandler, settings: LogSettings) -> None:
    """At least one older file stays, for a log is put aside in the middle of a run."""
    handler.maxBytes = max(settings.max_bytes, 10_000)
    handler.backupCount = max(settings.history, 1)


def _older(name: str) -> str:
    """`execmgr.log.1` is called `execmgr.lo_`, as SMS does; those before it `execmgr.lo_.2` and on."""
    stem, _, number = name.rpartition(".log.")
    return f"{stem}.lo_" if number == "1" else f"{stem}.lo_.{number}"


def _caller() -> str:
    """The line that writes, outside this module."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename == __file__:
        frame = frame.f_back
    return f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"
