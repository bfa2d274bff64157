"""Shares as a folder for as long as a program runs: starts the helper, hands it the order, hears what it says."""

import subprocess
import threading
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType

from keyturn.adapters.runners.posix.own_process import words_for
from keyturn.adapters.runners.posix.share_protocol import (
    GO,
    MODULE,
    NO,
    Accessed,
    Asks,
    Failed,
    Presented,
    Ready,
    mounted_path,
    order_of,
    read_line,
    write_order,
)
from keyturn.distribution.accesses import Access
from keyturn.distribution.presenting import Note, Presentable, SharePath
from keyturn.model.logon import Answer, LogonProtocol

READY_S = 60
"""A Python starts in it, on a machine that has other things to do."""
END_S = 10

_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}


class NotMounted(Exception):
    """There is no folder, for a reason of this machine. That a share lets nobody in is none: see the accesses."""


class Mounted:
    """A context manager. `through` is a command line that is put in front of the helper's and brings it to where the
    folder is to be, such as `nsenter --mount=…`; the helper itself stays outside of the program's PID namespace.

    `note` is told of each access as it happens, on a thread of its own.
    """

    def __init__(
        self,
        mount_point: Path,
        shares: tuple[SharePath, ...],
        *,
        protocol: LogonProtocol = LogonProtocol.NTLM,
        through: tuple[str, ...] = (),
        environment: Mapping[str, str] | None = None,
        note: Note = lambda _: None,
    ) -> None:
        """`environment`: what the helper gets besides a path, such as KRB5_CONFIG. Never a secret."""
        self._mount_point = mount_point
        self._shares = shares
        self._protocol = protocol
        self._command = (*through, *words_for(MODULE, str(mount_point)))
        self._environment = {**_ENVIRONMENT, **(environment or {})}
        self._note = note
        self._accesses: list[Access] = []
        self._reason = "the helper ended without a word"
        self._there = False
        self._heard = threading.Event()
        self._turn = ExitStack()

    def __enter__(self) -> "Mounted":
        """Raises NotMounted."""
        self._process = subprocess.Popen(
            self._command,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )
        self._hearing = threading.Thread(target=self._hear, name="shares of a run", daemon=True)
        self._hearing.start()
        self._hand_over()
        if not self._heard.wait(READY_S):
            self._reason = f"the helper was not ready within {READY_S} s"
        if not self._there:
            self._end()
            raise NotMounted(self._reason)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end()

    @property
    def accesses(self) -> tuple[Access, ...]:
        """Whole once the `with` is left."""
        return tuple(self._accesses)

    @property
    def helper(self) -> int:
        """Its process id, or that of `through`."""
        return self._process.pid

    def path(self, unc: str) -> Path:
        return mounted_path(self._mount_point, unc)

    def _hand_over(self) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # it has ended: the thread that hears says why
            self._process.stdin.write(write_order(order_of(self._shares, self._protocol)))
            self._process.stdin.flush()

    def _hear(self) -> None:
        """A helper that ends has presented what it was about to."""
        assert self._process.stdout is not None
        with self._turn:
            for text in self._process.stdout:
                match read_line(text):
                    case Ready():
                        self._there = True
                        self._heard.set()
                    case Accessed() as accessed:
                        self._heard_of(accessed.access())
                    case Asks(identity):
                        self._answer(identity)
                    case Presented():
                        self._turn.close()
                    case Failed(reason):
                        self._reason = reason
        self._heard.set()

    def _answer(self, identity: str) -> None:
        """Once it is this run's turn with that account."""
        good = [self._turn.enter_context(one.turn()) for one in self._standing_for(identity)]
        assert self._process.stdin is not None
        with suppress(BrokenPipeError, ValueError):  # ValueError: the run is over, and the pipe closed
            self._process.stdin.write(GO if all(good) else NO)
            self._process.stdin.flush()

    def _heard_of(self, access: Access) -> None:
        """The password is called spoiled before anybody can say that it was presented again."""
        if access.answer is Answer.WRONG_PASSWORD:
            for presentable in self._standing_for(access.identity):
                presentable.spoiled()
        self._accesses.append(access)
        self._note(access)

    def _standing_for(self, identity: str) -> tuple[Presentable, ...]:
        """Once for each identity, however many shares it is for."""
        found = {str(one.identity): one for share in self._shares for one in share.identities}
        return (found[identity],) if identity in found else ()

    def _end(self) -> None:
        """Closing the pipe asks it to unmount. One that hangs is ended by its keeper, who then unmounts; the keeper too
        in the end."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        for harder in (self._process.terminate, self._process.kill):
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(END_S)
                break
            harder()
        self._process.wait()
        self._hearing.join(END_S)
        if self._process.stdout is not None and not self._hearing.is_alive():
            self._process.stdout.close()
