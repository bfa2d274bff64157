"""Number 1 of a run's own process namespace: starts the program, buries whoever ends, and ends after all others.

A process that a wrapper leaves behind becomes its child, so a run ends with the last of them and not with the wrapper.
A program sees this process and its memory: nothing secret has ever been in it.
"""

import os
import resource
import signal
from contextlib import suppress
from typing import NoReturn

from keyturn.adapters.runners.posix import kernel, raising
from keyturn.adapters.runners.posix.stage_protocol import (
    CONTENT,
    Exited,
    NotStarted,
    Said,
    StageOrder,
    Started,
    write,
)

_CANNOT_START = 127
_OPEN_FILES = 1024
_ENDED_EARLY = "sudo did not give administrative rights; what it said is in the output"
"""Only sudo comes between an account and the program's first instruction."""


def become(order: StageOrder, said: int) -> NoReturn:
    """In the child of a fork; comes back never. `said` is the pipe to the stage."""
    try:
        kernel.die_with_parent(signal.SIGKILL)
        _keep_only(order.output, said)
        _see_own_processes_only()
        if order.raised:
            raising.lay_rule()
        program = os.fork()
        if program == 0:
            _start(order, said)
        os.close(order.output)
        signal.signal(signal.SIGTERM, _ask_all_to_end)
        _bury_all(program, said)
    except OSError as error:
        _say(said, NotStarted(f"this machine does not give the run its own processes: {error.strerror}"))
    finally:
        os._exit(0)


def _keep_only(*kept: int) -> None:
    before = 3
    for file in sorted(kept):
        os.closerange(before, file)
        before = file + 1
    os.closerange(before, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    os.close(nothing)


def _see_own_processes_only() -> None:
    """The list of all processes of the machine is taken away and not only covered."""
    kernel.unshare(kernel.NEW_MOUNTS)
    kernel.mount("none", "/", flags=kernel.RECEIVE_ONLY | kernel.EVERYTHING_BELOW)
    kernel.unmount("/proc")
    kernel.mount("proc", "/proc", "proc", kernel.NO_SUID | kernel.NO_DEVICES)


def _ask_all_to_end(*_: object) -> None:
    for number in (signal.SIGTERM, signal.SIGCONT):
        with suppress(ProcessLookupError):
            os.kill(-1, number)  # all of this namespace but this process


def _start(order: StageOrder, said: int) -> NoReturn:
    """In the program's own process. The stop lets the first process read who it is before it does anything."""
    try:
        _become_user(order)
        if order.raised:
            os.execve(raising.SUDO, raising.WORDS, {})  # noqa: S606
        os.kill(os.getpid(), signal.SIGSTOP)
        os.execve(order.words[0], order.words, order.environment)  # noqa: S606  # it is what this is for
    except OSError as error:
        _say(said, NotStarted(f"{error.filename or order.words[0]}: {error.strerror}"))
    finally:
        os._exit(_CANNOT_START)


def _become_user(order: StageOrder) -> None:
    for standard in (1, 2):
        os.dup2(order.output, standard)
    os.close(order.output)
    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    os.setsid()
    os.umask(0o022)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(_OPEN_FILES, most), most))
    if order.login is not None:
        kernel.set_login(order.login)
    os.setgroups(order.groups)
    os.setresgid(order.gid, order.gid, order.gid)
    os.setresuid(order.uid, order.uid, order.uid)
    os.chdir(CONTENT)


def _bury_all(program: int, said: int) -> None:
    begun = False
    while True:
        try:
            ended, status = os.waitpid(-1, 0 if begun else os.WUNTRACED)
        except ChildProcessError:
            return
        if ended != program:
            continue
        if os.WIFSTOPPED(status):
            begun = True
            _say(said, Started(kernel.user_of(program), kernel.login_of(program)))
            os.kill(program, signal.SIGCONT)
        elif begun:
            _say(said, Exited(_exit_code(status)))
        else:
            _say(said, NotStarted(_ENDED_EARLY))


def _exit_code(status: int) -> int:
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


def _say(said: int, what: Said) -> None:
    os.write(said, write(what))
