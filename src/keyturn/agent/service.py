"""The agent as something that runs: a unit of systemd where there is one, else a process of its own.

Without systemd nothing starts it again when the machine has started: `keyturn logon-install` does at the next logon.
A machine has one such unit, and so one agent that is it: others there are run by whoever set them up.
"""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import keyturn
from keyturn.agent.disk import PosixDisk, show
from keyturn.model.errors import KeyturnError

UNIT = "keyturn-agent.service"
PID = "pid"
"""In the agent's folder: the process and when it began, in clock ticks since the machine did (proc(5), field 22)."""
STARTING = "starting"
"""In the agent's folder: held by whoever starts or stops it, for two people may log on at once."""
STOPPED_WITHIN_S = 30.0
_UNITS = Path("/etc/systemd/system")
_TEXT = """[Unit]
Description=Keyturn agent
Wants=network-online.target
After=network-online.target

[Service]
ExecStart={program} agent run --dir {home}
Restart=always
RestartSec=10
UMask=0077

[Install]
WantedBy=multi-user.target
"""


class NotStarted(KeyturnError):
    """The machine would not start or stop the agent."""


@dataclass(frozen=True, slots=True)
class Service:
    """Of the agent in the folder `home`. Each call may be repeated."""

    home: Path
    systemd: bool

    def start(self) -> str:
        """Also with what was installed anew. How it runs, in words."""
        with self._alone():
            self._stop()
            return self._start_unit() if self.systemd else self._start_process()

    def stop(self) -> None:
        with self._alone():
            self._stop()

    def forget(self) -> None:
        """Stop it, and leave nothing that would start it."""
        self.stop()
        if self._has_unit:
            (_UNITS / UNIT).unlink()
            _systemctl("daemon-reload")

    @property
    def known(self) -> bool:
        """Whether it was started in this way, and may be again."""
        return (self.home / PID).exists() or self._has_unit

    @property
    def running(self) -> bool:
        if self._has_unit:
            return _systemctl("is-active", "--quiet", UNIT, must=False) == 0
        return self._pid() is not None

    @property
    def _has_unit(self) -> bool:
        return self.systemd and f" --dir {self.home}\n" in _unit()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if not self.home.is_dir():
            yield  # there is no agent, and nobody to wait for
            return
        with (self.home / STARTING).open("ab") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            yield

    def _stop(self) -> None:
        if self._has_unit:
            _systemctl("disable", "--now", UNIT)
        pid = self._pid()
        if pid is not None:
            _end(pid)
        (self.home / PID).unlink(missing_ok=True)

    def _start_unit(self) -> str:
        if _unit() and not self._has_unit:
            other = _unit().partition(" --dir ")[2].partition("\n")[0]
            raise NotStarted(
                f"{UNIT} is the agent in {other}",
                hint=f"keyturn agent uninstall --dir {other}, or a unit of your own with keyturn agent run",
            )
        (_UNITS / UNIT).write_text(_TEXT.format(program=" ".join(program()), home=self.home))
        _systemctl("daemon-reload")
        _systemctl("enable", "--now", UNIT)
        return f"{UNIT} is started"

    def _start_process(self) -> str:
        started = subprocess.Popen(  # noqa: S603 - this very program
            [*program(), "agent", "run", "--dir", str(self.home)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
        )
        show(PosixDisk(), self.home / PID, f"{started.pid} {_began(started.pid)}".encode())
        return "its agent runs; this machine has no systemd, so nothing but a logon script starts it again"

    def _pid(self) -> int | None:
        """None where the number is by now another process's, or nobody's."""
        try:
            pid, began = (self.home / PID).read_text().split()
        except (OSError, ValueError):
            return None
        return int(pid) if pid.isdecimal() and _began(int(pid)) == began else None


def service(home: Path) -> Service:
    return Service(home.absolute(), Path("/run/systemd/system").is_dir() and os.geteuid() == 0)


def program() -> tuple[str, ...]:
    """What runs this very Keyturn: the folder it was unpacked to, or the environment it was installed in."""
    if own_folder() is not None:
        return (sys.executable, "-I", str(own_folder()))
    return (sys.executable, "-m", "keyturn")


def own_folder() -> Path | None:
    """The folder that is this program, where it was unpacked and not installed."""
    folder = Path(keyturn.__file__).parent.parent
    return folder if (folder / "__main__.py").is_file() else None


def _unit() -> str:
    """Empty where there is none."""
    with suppress(FileNotFoundError):
        return (_UNITS / UNIT).read_text()
    return ""


def _end(pid: int) -> None:
    """A contact under way comes to its end first. It is gone when this returns, for it has locks that the next one
    needs; its number may be somebody else's by then."""
    began = _began(pid)
    for number in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + STOPPED_WITHIN_S
        if _began(pid) == began:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        while _began(pid) == began and time.monotonic() < deadline:
            time.sleep(0.05)


def _began(pid: int) -> str:
    """Empty for a process that is not there, or has ended and is only not fetched yet."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]


def _systemctl(*words: str, must: bool = True) -> int:
    done = subprocess.run(["systemctl", *words], capture_output=True, text=True, check=False)  # noqa: S603, S607
    if done.returncode and must:
        raise NotStarted(f"systemctl {' '.join(words)}: {done.stderr.strip()[:200]}")
    return done.returncode
