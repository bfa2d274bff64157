"""Serves the shares of one run, from the order to the end of the pipe it came by."""

import os
import selectors
import signal
import sys
import threading
from contextlib import suppress
from ctypes.util import find_library
from pathlib import Path
from typing import NoReturn

from keyturn.adapters.runners.posix import kernel
from keyturn.adapters.runners.posix.share_asking import Asking
from keyturn.adapters.runners.posix.share_protocol import (
    Failed,
    Line,
    Order,
    OrderedShare,
    Ready,
    read_order,
    told,
    write_line,
)
from keyturn.adapters.runners.posix.share_telling import Telling
from keyturn.distribution.presenting import Presentable

_IN, _OUT = 0, 1
_WITHOUT = "shares can be no folders on this machine: pip install 'keyturn[software]', and libfuse of the system"


def serve(mount_point: str) -> NoReturn:
    """Until the pipe is closed, this process is told to end, or the folder is taken away by others."""
    woken, wake = os.pipe()
    signal.signal(signal.SIGTERM, lambda *_: os.write(wake, b"."))
    speaking = _Speaking()
    telling, asking = Telling(lambda access: speaking.say(told(access))), Asking(speaking.say)
    try:
        order = read_order(sys.stdin.buffer.readline())
    except ValueError:
        os._exit(1)  # cut off on the way: whoever sent it is gone
    threading.Thread(target=_mount, args=(order, mount_point, telling, asking, speaking, wake), daemon=True).start()
    _wait(woken, asking)
    telling.end()
    with suppress(OSError):
        kernel.unmount(mount_point)
    os._exit(0)  # the threads of libfuse end with it, whatever they wait for


def _mount(order: Order, mount_point: str, telling: Telling, asking: Asking, speaking: "_Speaking", wake: int) -> None:
    if find_library("fuse3"):
        os.environ["FUSE_LIBRARY_NAME"] = "fuse3"  # else the older one is taken, which reads an eighth at once
    try:
        import mfusepy

        from keyturn.adapters.runners.posix.share_link import Link
        from keyturn.adapters.runners.posix.share_tree import READ_AHEAD, SharedTree
    except (ImportError, OSError):
        speaking.say(Failed(_WITHOUT))
        os.write(wake, b".")
        return
    spoiled: set[str] = set()
    links = {
        _key(share.share): Link(share.share, _identities(share, asking), telling, spoiled, order.protocol)
        for share in order.shares
    }

    def ready() -> None:
        _read_ahead(mount_point, READ_AHEAD)
        speaking.say(Ready())

    older = {"big_writes": True} if mfusepy.fuse_version_major < 3 else {}
    try:
        mfusepy.FUSE(
            SharedTree(links, ready),
            mount_point,
            foreground=True,
            fsname="keyturn-shares",
            allow_other=True,
            nosuid=True,
            nodev=True,
            hard_remove=True,
            attr_timeout=1,
            entry_timeout=1,
            **older,
        )
    except RuntimeError:
        speaking.say(Failed(f"{mount_point} could not be made a folder of shares by FUSE"))
    os.write(wake, b".")


def _identities(share: OrderedShare, asking: Asking) -> tuple[Presentable, ...]:
    return tuple(asking.first(one.presentable()) for one in share.identities)


def _read_ahead(mount_point: str, ahead: int) -> None:
    """The kernel asks for 128 KiB ahead unless it is told. Slower, where it cannot be."""
    with suppress(OSError):
        for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape").splitlines():
            _, _, device, _, place, *_ = line.split()
            if place == mount_point:
                Path(f"/sys/class/bdi/{device}/read_ahead_kb").write_text(str(ahead // 1024), encoding="ascii")


def _key(unc: str) -> tuple[str, str]:
    host, share = unc.removeprefix("\\\\").split("\\")[:2]
    return host.casefold(), share.casefold()


def _wait(woken: int, asking: Asking) -> None:
    with selectors.DefaultSelector() as ready:
        ready.register(_IN, selectors.EVENT_READ)
        ready.register(woken, selectors.EVENT_READ)
        while True:
            for key, _ in ready.select():
                if key.fd == woken or not (line := os.read(_IN, 4096)):
                    return
                asking.heard(line)


class _Speaking:
    """Used by many threads. Whoever hears may have ended."""

    def __init__(self) -> None:
        self._turn = threading.Lock()

    def say(self, line: Line) -> None:
        left = write_line(line)
        with self._turn, suppress(BrokenPipeError):
            while left:
                left = left[os.write(_OUT, left) :]
