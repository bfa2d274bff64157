"""The agent's folder: who may read it, one process at a time in it, and its files by name."""

import contextlib
import fcntl
import os
import stat
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from keyturn.agent import keys as key_file
from keyturn.agent.disk import Disk, PosixDisk, keep, show
from keyturn.agent.keys import Keys
from keyturn.agent.records import Installation, State, decode, encode
from keyturn.model.errors import NotFound, Refused

INSTALLATION, KEYS, STATE, STATUS, LOCK = "agent.json", "keys", "state.json", "status.json", "lock"
CONSUMERS, PREVIOUS = "consumers.toml", "previous"


class Home:
    def __init__(self, path: Path, disk: Disk | None = None) -> None:
        self.path = path
        self._disk = disk or PosixDisk()

    def make(self) -> None:
        """A folder that is there already is taken only if it is private; its mode is not ours to change."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if _open_to_others(self.path):
            raise Refused(f"others can look into {self.path}", hint=f"chmod 700 {self.path}, or another --dir")

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Waits for the other process of this agent, if one is at work (`run` and a logon script, say)."""
        try:
            opened = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:
            raise self._nobody() from None
        except PermissionError:
            raise self._foreign() from None
        try:
            fcntl.flock(opened, fcntl.LOCK_EX)
            yield
        finally:
            os.close(opened)

    def installation(self) -> Installation:
        data = self._read(INSTALLATION)
        if data is None:
            raise self._nobody()
        return decode(Installation, data, INSTALLATION, "keyturn agent enrol, with a new token")

    def keys(self) -> Keys:
        """Refused while others can read the file: such keys are taken for stolen."""
        data = self._read(KEYS)
        if data is None:
            raise self._nobody()
        if _open_to_others(self.path / KEYS):
            raise Refused("others can read the agent's keys", "keyturn agent enrol, with a new token")
        return key_file.from_file(data)

    def state(self) -> State | None:
        data = self._read(STATE)
        return None if data is None else decode(State, data, STATE, "keyturn agent reinstall")

    def status(self) -> bytes | None:
        return self._read(STATUS)

    def keep_installation(self, installation: Installation) -> None:
        keep(self._disk, self.path / INSTALLATION, encode(installation))

    def keep_keys(self, keys: Keys) -> None:
        keep(self._disk, self.path / KEYS, key_file.to_file(keys))

    def keep_state(self, state: State) -> None:
        keep(self._disk, self.path / STATE, encode(state))

    def consumers(self) -> str:
        """Empty where nobody but the agent uses its accounts. Refused where others may write what is run here."""
        data = self._read(CONSUMERS)
        if data is None:
            return ""
        if stat.S_IMODE((self.path / CONSUMERS).stat().st_mode) & 0o022:
            raise Refused(f"others can write {self.path / CONSUMERS}", hint=f"chmod 600 {self.path / CONSUMERS}")
        try:
            return data.decode()
        except UnicodeDecodeError:
            raise Refused(f"{CONSUMERS} is not UTF-8") from None

    def keep_previous(self, path: Path, sealed: bytes) -> None:
        (self.path / PREVIOUS).mkdir(mode=0o700, exist_ok=True)
        keep(self._disk, self._previous(path), sealed)

    def previous(self, path: Path) -> bytes:
        """What a consumer's file held before it was last changed, sealed to this agent."""
        try:
            return self._previous(path).read_bytes()
        except FileNotFoundError:
            raise NotFound(f"nothing is kept that {path} held before", hint="keyturn agent consumers") from None

    def show_status(self, status: bytes) -> None:
        show(self._disk, self.path / STATUS, status)

    def clear(self) -> None:
        """Forget everything, the keys first: without them nothing else here is of use to anybody. A policy
        belongs to the enrolment that goes with them."""
        for name in (KEYS, STATE, STATUS, INSTALLATION):
            self._disk.remove(self.path / name)
            self._disk.remove(self.path / f".{name}.new")
        self._disk.sync(self.path)

    def _previous(self, path: Path) -> Path:
        return self.path / PREVIOUS / f"{sha256(str(path).encode()).hexdigest()[:32]}.age"

    def _read(self, name: str) -> bytes | None:
        try:
            return (self.path / name).read_bytes()
        except FileNotFoundError:
            return None
        except PermissionError:
            raise self._foreign() from None

    def _nobody(self) -> NotFound:
        return NotFound(f"no agent is enrolled in {self.path}", hint="keyturn agent enrol")

    def _foreign(self) -> Refused:
        return Refused(f"{self.path} is another user's", hint="run as the user of the agent")


def _open_to_others(path: Path) -> bool:
    return bool(stat.S_IMODE(path.stat().st_mode) & 0o077)
