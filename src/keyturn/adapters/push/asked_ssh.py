"""OpenSSH's client with a password: it is given when ssh asks for it, through a named pipe that nothing is kept in, and
never stands in an argument, the environment or a file.

OpenSSH closes every inherited descriptor and asks a program that it is told of (ssh(1), SSH_ASKPASS). That program is
`cat` on that pipe. Nobody opens the pipe to write before ssh has opened it to read: so it is known whether the password
went out at all.
"""

import errno
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

from keyturn.model.errors import KeyturnError
from keyturn.model.secret import Secret
from keyturn.wire.ssh import Ssh

_ENVIRONMENT = ("PATH", "LANG", "HOME")
_ASKPASS = """#!/bin/sh
cat "${0%/*}/answer" && rm "${0%/*}/answer"
"""
"""Answers one question; a second one, for a code say, finds no pipe and fails at once."""
_LOOK_S = 0.02
_MOST = 64 * 1024
"""Bytes kept of what the other side says on its standard error."""


class Talk:
    """One connection, in which a program there is spoken with. `end` first, then the rest is known."""

    def __init__(self, process: "subprocess.Popen[bytes]", answering: "_Answering") -> None:
        self._process = process
        self._answering = answering
        self._said = b""
        self._listening = threading.Thread(target=self._listen, daemon=True)
        self._listening.start()

    @property
    def stdin(self) -> IO[bytes]:
        assert self._process.stdin
        return self._process.stdin

    @property
    def stdout(self) -> IO[bytes]:
        assert self._process.stdout
        return self._process.stdout

    def end(self) -> int:
        """Its exit status."""
        with suppress(OSError):
            self.stdin.close()
        os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
        status = _ended(self._process)
        self._listening.join()
        self._answering.stop()
        return status

    @property
    def said(self) -> str:
        return self._said.decode("utf-8", "replace")

    @property
    def password_went_out(self) -> bool:
        return self._answering.went_out

    @property
    def refusal(self) -> KeyturnError | None:
        """Why the password was not given although ssh asked."""
        return self._answering.refusal

    def _listen(self) -> None:
        assert self._process.stderr
        while chunk := self._process.stderr.read1(_MOST):  # type: ignore[attr-defined]
            self._said = (self._said + chunk)[:_MOST]


@contextmanager
def asked(way: Ssh, command: list[str], password: Secret, begin: Callable[[], None], within_s: float) -> Iterator[Talk]:
    """`begin` is called when ssh asks, before the password is given. The connection ends after `within_s`."""
    with TemporaryDirectory(prefix="keyturn-push-") as place:
        pipe, program = Path(place) / "answer", Path(place) / "askpass"
        os.mkfifo(pipe, 0o600)
        program.write_text(_ASKPASS)
        program.chmod(0o700)
        environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        process = subprocess.Popen(  # noqa: S603 - ssh, with words that `Ssh` has made
            way.words(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment | {"SSH_ASKPASS": str(program), "SSH_ASKPASS_REQUIRE": "force"},
            start_new_session=True,
        )
        answering = _Answering(pipe, password, begin, process)
        answering.thread.start()
        watchdog = threading.Timer(within_s, _kill, (process,))
        watchdog.start()
        try:
            yield Talk(process, answering)
        finally:
            watchdog.cancel()
            _ended(process)
            answering.stop()
            for end in (process.stdin, process.stdout, process.stderr):
                with suppress(OSError):
                    if end:
                        end.close()


def _ended(process: "subprocess.Popen[bytes]") -> int:
    """Its exit status, once nothing of it is left."""
    if process.returncode is None:
        _kill(process)
    return process.wait()


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """With the program that it has asked, which would outlive it and hold its pipes open. Until ssh is waited for, its
    group is nobody else's."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


class _Answering:
    """Waits for ssh's question, and answers it once."""

    def __init__(
        self, pipe: Path, password: Secret, begin: Callable[[], None], process: "subprocess.Popen[bytes]"
    ) -> None:
        self.thread = threading.Thread(target=self._wait, daemon=True)
        self.went_out = False
        self.refusal: KeyturnError | None = None
        self._pipe = pipe
        self._password = password
        self._begin = begin
        self._process = process
        self._stopped = threading.Event()

    def stop(self) -> None:
        self._stopped.set()
        self.thread.join()

    def _wait(self) -> None:
        while not self._stopped.wait(_LOOK_S):
            try:
                opened = os.open(self._pipe, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            except OSError as error:
                if error.errno == errno.ENXIO:  # nobody reads yet
                    continue
                return
            with open(opened, "wb", buffering=0) as asker:
                self._answer(asker)
            return

    def _answer(self, asker: IO[bytes]) -> None:
        try:
            self._begin()
        except KeyturnError as error:
            self.refusal = error
            _kill(self._process)  # before the question has an answer, even an empty one
            return
        self.went_out = True
        with suppress(BrokenPipeError):
            asker.write(self._password.reveal().encode() + b"\n")
