"""A copy of `/etc` in a mount namespace of its own, so that accounts made by a test are not the machine's."""

import ctypes
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

_CLONE_NEWNS = 0x00020000
_LIBC = ctypes.CDLL(None, use_errno=True)


@contextmanager
def private_etc() -> Iterator[Path]:
    """For this thread and the processes it starts. Skips, with the reason, where that cannot be."""
    if os.geteuid() != 0:
        pytest.skip("accounts of this machine are root's to change")
    with namespace_of_now():
        if _LIBC.unshare(_CLONE_NEWNS):
            pytest.skip(f"no mount namespace here: {os.strerror(ctypes.get_errno())}")
        _mount("--make-rprivate", "/")
        place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        folder = Path(tempfile.mkdtemp(prefix="keyturn-etc-", dir=place))
        try:
            shutil.copytree("/etc", folder / "etc", symlinks=True, ignore_dangling_symlinks=True)
            if not (folder / "etc" / "machine-id").is_file():  # as on a machine that never started systemd
                (folder / "etc" / "machine-id").write_text(f"{uuid4().hex}\n")
            _mount("--bind", str(folder / "etc"), "/etc")
            yield Path("/etc")
        finally:
            subprocess.run(["umount", "--lazy", "/etc"], check=False)
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def namespace_of_now() -> Iterator[int]:
    """This thread's mount namespace, as an open file, to which the thread returns at the end."""
    working = Path.cwd()
    now = os.open("/proc/thread-self/ns/mnt", os.O_RDONLY)
    try:
        yield now
    finally:
        enter(now)
        os.close(now)
        os.chdir(working)  # going back leads to the root directory


def enter(namespace: int) -> None:
    assert _LIBC.setns(namespace, _CLONE_NEWNS) == 0, os.strerror(ctypes.get_errno())


def _mount(*arguments: str) -> None:
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"mount {' '.join(arguments)}: {done.stderr.strip()}")
