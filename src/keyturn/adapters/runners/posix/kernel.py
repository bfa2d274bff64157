"""Calls of the Linux kernel that Python 3.11 has no words for. OSError where it says no.

Each is made by a process with one thread: namespaces belong to threads.
"""

import ctypes
import os
from contextlib import suppress
from pathlib import Path

NEW_MOUNTS, NEW_PIDS = 0x00020000, 0x20000000
READ_ONLY, NO_SUID, NO_DEVICES, REMOUNT, BIND, EVERYTHING_BELOW, RECEIVE_ONLY = 1, 2, 4, 32, 4096, 0x4000, 1 << 19
_DETACH = 2
_SIGNAL_AT_PARENT_DEATH, _DUMPABLE = 1, 4
_NOBODY = 0xFFFFFFFF
_LIBC = ctypes.CDLL(None, use_errno=True)


def unshare(what: int) -> None:
    _check(_LIBC.unshare(what), "unshare")


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    names = [os.fsencode(text) if text else None for text in (source, target, kind)]
    _check(_LIBC.mount(*names, ctypes.c_ulong(flags), options.encode() if options else None), target)


def unmount(target: str) -> None:
    """From now on nobody finds it; it goes when the last file of it is closed."""
    _check(_LIBC.umount2(os.fsencode(target), _DETACH), target)


def show_read_only(source: str, target: str) -> None:
    """A folder at another place. What is mounted below it does not come along."""
    mount(source, target, flags=BIND)
    mount(source, target, flags=BIND | REMOUNT | READ_ONLY | NO_SUID | NO_DEVICES)


def die_with_parent(signal_number: int) -> None:
    _check(_LIBC.prctl(_SIGNAL_AT_PARENT_DEATH, signal_number, 0, 0, 0), "prctl")


def hide_memory() -> None:
    """From tracers that are not root, and from core files."""
    _check(_LIBC.prctl(_DUMPABLE, 0, 0, 0, 0), "prctl")


def set_login(uid: int) -> bool:
    """The user to whose logon this process, and all that it starts, belongs (audit(7) calls it the login uid). False
    where the kernel keeps none, or keeps the one that there is."""
    with suppress(OSError):
        Path("/proc/self/loginuid").write_text(str(uid), encoding="ascii")
        return True
    return False


def login_of(pid: int | str) -> int | None:
    with suppress(OSError, ValueError):
        found = int(Path(f"/proc/{pid}/loginuid").read_text(encoding="ascii"))
        return None if found == _NOBODY else found
    return None


def user_of(pid: int) -> int:
    """Its effective one."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("Uid:"):
            return int(line.split()[2])
    raise ProcessLookupError(pid)


def started_at(pid: int) -> int | None:
    """In the kernel's ticks since it started; with the number it names a process until the next start of the machine.
    None: there is no such process, or it has ended."""
    with suppress(OSError, ValueError, IndexError):
        state, *fields = (
            Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        )
        return None if state in "ZX" else int(fields[18])
    return None


def boot() -> str:
    """Another one after each start of the machine."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def _check(result: int, subject: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), subject)
