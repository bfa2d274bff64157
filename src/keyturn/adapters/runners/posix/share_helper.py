"""The process that holds the passwords of a run and makes its shares a folder. See `share_protocol`.

Two processes: the one that serves, first in a PID namespace of its own, and its keeper, who never sees a password and
unmounts when the other ends in whatever way.
"""

import logging
import os
import resource
import signal
import sys
from contextlib import suppress

from keyturn.adapters.runners.posix import kernel, share_serving

_IN, _OUT, _FIRST_FREE = 0, 1, 3


def main(mount_point: str) -> None:
    _harden()
    kernel.unshare(kernel.NEW_PIDS)
    serving = os.fork()
    if serving == 0:
        kernel.die_with_parent(signal.SIGTERM)
        share_serving.serve(mount_point)
    _keep(serving, mount_point)


def _harden() -> None:
    kernel.hide_memory()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.closerange(_FIRST_FREE, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    logging.disable()  # the library writes down what it sends and gets


def _keep(serving: int, mount_point: str) -> None:
    """The pipes are the other's alone, so that their ends are its end."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (_IN, _OUT):
        os.dup2(nowhere, number)
    signal.signal(signal.SIGTERM, lambda *_: os.kill(serving, signal.SIGKILL))
    os.waitpid(serving, 0)
    with suppress(OSError):
        kernel.unmount(mount_point)


if __name__ == "__main__":
    main(sys.argv[1])
