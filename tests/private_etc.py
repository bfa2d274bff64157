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
FAILLOCK = Path("/run/keyturn-faillock")


@contextmanager
def private_etc() -> Iterator[Path]:
    """For this thread and the processes it starts. Skips, with the reason, where that cannot be."""
    if os.geteuid() != 0:
        pytest.skip("accounts of this machine are root's to change")
    libc = ctypes.CDLL(None, use_errno=True)
    working = Path.cwd()
    before = os.open("/proc/thread-self/ns/mnt", os.O_RDONLY)
    try:
        if libc.unshare(_CLONE_NEWNS):
            pytest.skip(f"no mount namespace here: {os.strerror(ctypes.get_errno())}")
        try:
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
        finally:
            assert libc.setns(before, _CLONE_NEWNS) == 0
            os.chdir(working)  # going back leads to the root directory
    finally:
        os.close(before)


def _mount(*arguments: str) -> None:
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"mount {' '.join(arguments)}: {done.stderr.strip()}")
