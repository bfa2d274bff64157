"""Keyturn's own processes, started as a person starts them, and everything of them that others can see."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LOUD = Path(__file__).with_name("loud.py")
LONGEST_S = 90
"""No command takes so long unless something is wrong."""

LOOK_S = 0.01
"""How often `/proc` is read. The shortest command lives ten times as long."""


@dataclass
class Processes:
    """`said` holds what came out of each command, by its words; `seen` what `/proc` showed of any process.

    Below `folder`, which is theirs alone: `home`, `tmp`, and in `evidence` the logs and the audited events.
    """

    folder: Path
    said: dict[str, bytes] = field(default_factory=dict)
    seen: dict[str, bytes] = field(default_factory=dict)
    _running: "dict[str, subprocess.Popen[bytes]]" = field(default_factory=dict)
    _ended: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        for name in ("home", "tmp", "evidence"):
            (self.folder / name).mkdir()

    def run(self, *arguments: str, stdin: str | bytes = "", status: int = 0) -> "Output":
        """A command to its end. AssertionError with its last words for another exit status."""
        words = " ".join(word for word in arguments[:5] if not word.startswith("-") and "/" not in word)
        name = f"{len(self.said) // 2 + 1:02} {words}"
        pipe = subprocess.PIPE
        with self._popen(name, arguments, stdin=pipe, stdout=pipe, stderr=pipe) as run:
            self._running[name] = run
            impatient = threading.Timer(LONGEST_S, run.kill)
            impatient.start()
            out, err = run.communicate(stdin.encode() if isinstance(stdin, str) else stdin)
            impatient.cancel()
        output = Output(f"stdout of {name}", out.decode())
        self.said[output.name], self.said[f"stderr of {name}"] = out, err
        assert run.returncode == status, f"{name} ended with {run.returncode}: {err[-300:].decode()}"
        return output

    def start(self, name: str, *arguments: str, stdin: str = "") -> "subprocess.Popen[bytes]":
        """One that stays, its output in `evidence/NAME.log`."""
        with (self.folder / "evidence" / f"{name}.log").open("ab") as log:
            process = self._popen(name, arguments, stdin=subprocess.PIPE, stdout=log, stderr=log)
        self._running[name] = process
        assert process.stdin
        with process.stdin as pipe:
            pipe.write(stdin.encode())
        return process

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

    def _popen(self, name: str, arguments: tuple[str, ...], **streams: Any) -> "subprocess.Popen[bytes]":
        seen = self.folder / "evidence" / f"{name.replace(chr(92), '-')}.seen"
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder / "home"), "COLUMNS": "80"}
        environment |= {"TMPDIR": str(self.folder / "tmp"), "LANG": "C.UTF-8"}
        command = [sys.executable, "-P", str(LOUD), str(seen), *arguments]
        return subprocess.Popen(command, env=environment, cwd=self.folder, **streams)

    def _watch(self) -> None:
        while not self._ended.wait(LOOK_S):
            for process in _family(os.getpid()):
                for kind in ("cmdline", "environ"):
                    with suppress(OSError):
                        self._look(f"{kind} of process {process}", Path(f"/proc/{process}/{kind}").read_bytes())

    def _look(self, place: str, content: bytes) -> None:
        before = self.seen.get(place, b"")
        if content not in before:
            self.seen[place] = before + content


@dataclass(frozen=True)
class Output:
    """`name` is how `Processes.said` calls it."""

    name: str
    text: str = field(repr=False)


def _family(pid: int) -> Iterator[int]:
    """The children of a process, and theirs."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):
            for child in map(int, (task / "children").read_text().split()):
                yield child
                yield from _family(child)
