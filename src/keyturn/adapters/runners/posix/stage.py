"""The process that holds a run's namespaces: a program of its own, started by the runner, with one thread.

It builds what the program will see, starts the program's own first process (`first_process`), passes on what that says,
and ends the whole tree when it is told to or when the runner is gone. Were it killed itself, the kernel ends the first
process, and with it every other one of the run.
"""

import os
import selectors
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

from keyturn.adapters.runners.posix import first_process, kernel, raising
from keyturn.adapters.runners.posix.stage_protocol import (
    CONTENT,
    DESK,
    SHARES,
    TEMP,
    NotStarted,
    Over,
    Staged,
    StageOrder,
    Word,
    read_order,
    write,
)

MODULE = "keyturn.adapters.runners.posix.stage"
_IN, _OUT = 0, 1
_PIECE = 64 * 1024


def main() -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # it ends with its runner, whoever else is told to end
    os.umask(0o022)
    kernel.hide_memory()
    line = sys.stdin.buffer.readline()
    if not line.endswith(b"\n"):
        return  # the runner ended before it said what to do
    order = read_order(line)
    try:
        _build(order)
    except OSError as error:
        _say(write(NotStarted(f"this machine does not give the run a view of its own: {_words_of(error)}")))
        return
    except raising.NotRaised as refused:
        _say(write(NotStarted(str(refused))))
        return
    _say(write(Staged()))
    if _next_word() is Word.GO:
        _perform(order)


def _build(order: StageOrder) -> None:
    """What is mounted elsewhere later is seen here; what is mounted here is seen nowhere else."""
    kernel.unshare(kernel.NEW_MOUNTS)
    kernel.mount("none", "/", flags=kernel.RECEIVE_ONLY | kernel.EVERYTHING_BELOW)
    Path(DESK).mkdir(mode=0o755, exist_ok=True)
    kernel.mount("keyturn", DESK, "tmpfs", kernel.NO_SUID | kernel.NO_DEVICES, "mode=0755")
    for place in (CONTENT, SHARES, TEMP):
        Path(place).mkdir(mode=0o755)
    kernel.show_read_only(order.folder, CONTENT)
    kernel.mount(order.temp, TEMP, flags=kernel.BIND)
    if order.raised:
        raising.prepare(order.uid, order.words, order.environment)


def _perform(order: StageOrder) -> None:
    heard, said = os.pipe()
    kernel.unshare(kernel.NEW_PIDS)
    first = os.fork()
    if first == 0:
        first_process.become(order, said)
    os.close(said)
    os.close(order.output)
    if not _watch(first, heard, order):
        os.kill(first, signal.SIGKILL)
    _, status = os.waitpid(first, 0)  # returns when every process of its namespace is gone
    if status == 0:
        _say(write(Over()))


def _watch(first: int, heard: int, order: StageOrder) -> bool:
    """Until the first process has ended, which it does after all others: its end of the pipe is the only one. False
    where it was asked to and takes too long."""
    ends_at: float | None = None
    with selectors.DefaultSelector() as ready:
        ready.register(heard, selectors.EVENT_READ)
        ready.register(_IN, selectors.EVENT_READ)
        while ends_at is None or time.monotonic() < ends_at:
            wait_s = None if ends_at is None else max(0.0, ends_at - time.monotonic())
            for key, _ in ready.select(wait_s):
                if key.fd == heard:
                    said = os.read(heard, _PIECE)
                    if not said:
                        return True
                    _say(said)
                elif key.fd == order.unread:
                    if not os.read(order.unread, _PIECE):
                        ready.unregister(order.unread)
                else:
                    ready.unregister(_IN)
                    if _next_word() is Word.LEAVE:
                        ready.register(order.unread, selectors.EVENT_READ)
                    else:
                        ends_at = time.monotonic() + order.grace_s
                        os.kill(first, signal.SIGTERM)
    return False


def _next_word() -> Word | None:
    """None at the end of the pipe."""
    line = bytearray()
    while not line.endswith(b"\n"):
        byte = os.read(_IN, 1)
        if not byte:
            return None
        line += byte
    return Word(line.decode("ascii").strip())


def _say(line: bytes) -> None:
    """Whole lines of a few hundred bytes: a pipe takes each at once."""
    with suppress(BrokenPipeError):  # the runner is gone, and its pipe to here says so too
        os.write(_OUT, line)


def _words_of(error: OSError) -> str:
    return f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror)


if __name__ == "__main__":
    main()
