"""SIGTERM and Ctrl-C as an event, which what runs looks at between its steps.

A handler in Python runs between two instructions of the main thread, wherever that is: inside of `Event.wait`, or of a
handler before it, it would wait for ever for a lock that its own thread holds. So the interpreter only writes the
signal's number to a pipe (`signal.set_wakeup_fd`), and a thread that does nothing else reads it.
"""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_STOPS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def told_to_stop() -> Iterator[threading.Event]:
    """In the main thread, which runs no asyncio loop meanwhile: a process has one such pipe."""
    told = threading.Event()
    heard, said = os.pipe()
    os.set_blocking(said, False)

    def listen() -> None:
        while number := os.read(heard, 1):
            if number[0] in _STOPS:
                told.set()

    listening = threading.Thread(target=listen, name="signals", daemon=True)
    listening.start()
    before = signal.set_wakeup_fd(said, warn_on_full_buffer=False)
    handlers = {number: signal.signal(number, lambda *_: None) for number in _STOPS}
    try:
        yield told
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(before)
        os.close(said)
        listening.join()
        os.close(heard)
