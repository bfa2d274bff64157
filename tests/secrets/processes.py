"""Keyturn's own processes, started as a person starts them, and everything of them that others can see."""

import os
import resource
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

LOUD = Path(__file__).with_name("loud.py")
LOOK_S = 0.01
"""How often `/proc` is read: a command lives thirty times as long."""


@dataclass
class Processes:
    """`said` holds what came out of each command, by its words; `seen` what `/proc` showed of any of them.

    Below `folder`, which is theirs alone: `home`, `tmp`, and in `evidence` the logs and the audited events.
    """

    folder: Path
    said: dict[str, bytes] = field(default_factory=dict)
    seen: dict[str, bytes] = field(default_factory=dict)
    _running: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    _ended: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        for name in ("home", "tmp", "evidence"):
            (self.folder / name).mkdir()

    def run(self, *arguments: str, stdin: str | bytes = "", status: int = 0) -> str:
        """A command to its end. Returns its stdout; AssertionError, without it, for another exit status."""
        name = f"{len(self.said) // 2 + 1} keyturn {' '.join(a for a in arguments[:4] if not a.startswith('-'))}"
        with self._popen(name, arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
            out, err = run.communicate(stdin.encode() if isinstance(stdin, str) else stdin, timeout=30)
        self.said[f"stdout of {name}"], self.said[f"stderr of {name}"] = out, err
        assert run.returncode == status, f"{name} ended with {run.returncode}"
        return out.decode()

    def start(self, name: str, *arguments: str) -> "subprocess.Popen[bytes]":
        """One that stays, its output in `evidence/NAME.log`."""
        with (self.folder / "evidence" / f"{name}.log").open("ab") as log:
            self._running[name] = self._popen(name, arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self._running[name]

    def log(self, name: str) -> str:
        return (self.folder / "evidence" / f"{name}.log").read_text()

    @contextmanager
    def watched(self) -> Iterator["Processes"]:
        """While it lasts, `/proc` is read all the time; at its end nothing is left running."""
        watch = threading.Thread(target=self._watch)
        watch.start()
        try:
            yield self
        finally:
            for process in self._running.values():
                if process.poll() is None:
                    process.kill()
                process.wait()
            self._ended.set()
            watch.join()

    def _popen(self, name: str, arguments: tuple[str, ...], **streams: object) -> "subprocess.Popen[bytes]":
        seen = self.folder / "evidence" / f"{len(list((self.folder / 'evidence').iterdir()))} {name.replace('/', '_')}"
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder / "home"), "COLUMNS": "80"}
        environment |= {"TMPDIR": str(self.folder / "tmp"), "LANG": "C.UTF-8"}
        command = [sys.executable, "-P", str(LOUD), str(seen), *arguments]
        return subprocess.Popen(command, env=environment, cwd=self.folder, preexec_fn=_cores_allowed, **streams)  # type: ignore[call-overload, no-any-return]

    def _watch(self) -> None:
        while not self._ended.wait(LOOK_S):
            for process in _family(os.getpid()):
                for kind in ("cmdline", "environ"):
                    with suppress(OSError):
                        content = Path(f"/proc/{process}/{kind}").read_bytes()
                        self.seen[f"{kind} of process {process}: {len(content)} bytes"] = content


def until_said(text: str, log: Path, within_s: float = 30) -> None:
    """Polls a log that a process writes."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _cores_allowed() -> None:
    """As on a machine whose owner wants core dumps: what then does not dump has refused by itself."""
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (most, most))


def _family(pid: int) -> Iterator[int]:
    """The children of a process, and theirs."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):
            for child in map(int, (task / "children").read_text().split()):
                yield child
                yield from _family(child)
