"""What is on disk of a run, and the status files that its program leaves there."""

import os
import subprocess
import threading
from pathlib import Path

import pytest

from keyturn.adapters.runners.posix.records import Run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    run = Run(tmp_path / "run")
    run.open(os.getuid(), os.getgid())
    return run


def leave(run: Run, name: str, content: bytes, after_s: float) -> None:
    """So many seconds after the run was begun."""
    path = run.temp / name
    path.write_bytes(content)
    began = (run.temp.parent / "record.json").stat().st_mtime
    os.utime(path, (began + after_s, began + after_s))


def test_status_files_come_newest_first_and_one_that_is_older_than_the_run_not_at_all(run: Run) -> None:
    leave(run, "first.MIF", b"first", 10)
    leave(run, "last.mif", b"last", 20)
    leave(run, "unpacked.mif", b"of another run", -3600)
    leave(run, "other.txt", b"x", 5)
    assert run.mifs() == (b"last", b"first")


def test_only_a_plain_file_is_read(run: Run, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"of root")
    (run.temp / "link.mif").symlink_to(tmp_path / "secret")
    os.mkfifo(run.temp / "pipe.mif")
    (run.temp / "folder.mif").mkdir()
    assert run.mifs() == ()


def test_a_folder_is_removed_while_what_was_just_killed_still_writes_to_it(run: Run) -> None:
    program = f"cd {run.temp}; while :; do n=$((n+1)); : > $$-$n; done"
    writers = [subprocess.Popen(["sh", "-c", program], stderr=subprocess.DEVNULL) for _ in range(8)]
    kernel = threading.Timer(0.5, lambda: [writer.kill() for writer in writers])
    kernel.start()
    try:
        while len(os.listdir(run.temp)) < 1000:
            pass
        run.close()
        assert not run.temp.parent.exists()
    finally:
        kernel.join()
        for writer in writers:
            writer.wait()
