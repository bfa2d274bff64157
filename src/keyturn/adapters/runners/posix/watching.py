"""The runner's side of a run: starts the stage, hears what it says, passes output on, and says when it is enough."""

import os
import selectors
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType

from keyturn.adapters.runners.posix.own_process import words_for
from keyturn.adapters.runners.posix.stage import MODULE
from keyturn.adapters.runners.posix.stage_protocol import (
    Exited,
    NotStarted,
    Over,
    Said,
    Staged,
    StageOrder,
    Started,
    Word,
    read_said,
    write,
)
from keyturn.distribution.running import HowEnded
from keyturn.model.software import Overrun

GRACE_S = 10.0
_AFTER_S = 20.0
"""Beyond the grace: for the kernel to end processes. One that waits for a dead disk is not waited for."""
_LOOK_S = 0.2
_KEPT = 64 * 1024
_PIECE = 64 * 1024


class Stage:
    """A context manager. Once it is left, no process of the run is there, unless it was left to itself."""

    def __init__(self, tell: Callable[[bytes], None], pause: Callable[[str], None]) -> None:
        self._tell = tell
        self._pause = pause
        self._rest = b""
        self._left = False
        self._kept = b""
        self.started: Started | None = None
        self.exit_code: int | None = None
        self.not_started = ""
        self.over = False

    def __enter__(self) -> "Stage":
        self.unread, self.output = os.pipe()
        self._process = subprocess.Popen(  # this program itself
            words_for(MODULE),
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=(self.output, self.unread),
            cwd="/",
            bufsize=0,
            start_new_session=True,
        )
        os.close(self.output)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._words, self._said = self._process.stdin, self._process.stdout
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """A stage that waits for a word ends with that pipe, and one whose processes do not end is ended."""
        for file in (self._words, self._said):
            file.close()
        os.close(self.unread)
        if not self._left:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_AFTER_S)
            self._process.kill()
            self._process.wait()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def kept(self) -> bytes:
        """The end of the output."""
        return self._kept

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

    def build(self, order: StageOrder) -> bool:
        """Until what comes from elsewhere may be mounted in the run's view. False: see `not_started`."""
        self._send(write(order))
        while piece := self._said.read(_PIECE):
            if Staged() in self._read(piece):
                self._pause("built")
                return True
        self.not_started = self.not_started or "the process that holds the run's view of the machine ended at once"
        return False

    def watch(self, max_run_s: float, overrun: Overrun, grace_s: float, stop: Callable[[], bool]) -> HowEnded:
        """`NOT_STARTED` and `EXITED` are told apart by what was heard."""
        self._send_word(Word.GO)
        how, until = HowEnded.EXITED, time.monotonic() + max_run_s
        with selectors.DefaultSelector() as ready:
            for file in (self._said.fileno(), self.unread):
                ready.register(file, selectors.EVENT_READ)
            while self._hear(ready):
                late = time.monotonic() > until
                if how is not HowEnded.EXITED:
                    if late:
                        return how
                elif late and overrun is Overrun.STOP_WATCHING:
                    return HowEnded.STILL_RUNS
                elif late or stop():
                    how = HowEnded.ENDED if late else HowEnded.STOPPED
                    until = time.monotonic() + grace_s + _AFTER_S
                    self._send_word(Word.END)
        self._drain()
        return how

    def leave(self) -> None:
        self._left = True
        self._send_word(Word.LEAVE)

    def _hear(self, ready: selectors.BaseSelector) -> bool:
        """False once the stage says no more: it has ended, and everything of the run before it."""
        for key, _ in ready.select(_LOOK_S):
            piece = os.read(key.fd, _PIECE)
            if key.fd == self.unread:
                self._pass_on(piece)
                if not piece:
                    ready.unregister(self.unread)
            elif piece:
                self._read(piece)
            else:
                return False
        return True

    def _drain(self) -> None:
        """What is still in the pipe. Somebody whom the program handed its end to is not waited for."""
        os.set_blocking(self.unread, False)
        with suppress(BlockingIOError):
            while piece := os.read(self.unread, _PIECE):
                self._pass_on(piece)

    def _pass_on(self, piece: bytes) -> None:
        self._kept = (self._kept + piece)[-_KEPT:]
        if piece:
            self._tell(piece)

    def _read(self, piece: bytes) -> list[Said]:
        *lines, self._rest = (self._rest + piece).split(b"\n")
        heard = [read_said(line) for line in lines]
        for said in heard:
            self._note(said)
        return heard

    def _note(self, said: Said) -> None:
        match said:
            case Staged():
                pass
            case Over():
                self.over = True
            case Started():
                self.started = said
                self._pause("started")
            case Exited(code):
                self.exit_code = code
                self._pause("exited")
            case NotStarted(reason):
                self.not_started = self.not_started or reason

    def _send_word(self, word: Word) -> None:
        self._send(f"{word}\n".encode())

    def _send(self, line: bytes) -> None:
        with suppress(BrokenPipeError):  # it has ended, and its own pipe says so
            self._words.write(line)
