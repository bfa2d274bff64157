r"""The consumer: one line of a .pgpass, `host:port:database:user:password`, in which `\` stands before `:` and `\`.

Other lines are left as they are; a file that is replaced whole, as Keyturn's own consumer does it, would lose them.
"""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from keyturn.agent.consumers.plugins import Consumer, Health
from keyturn.model.accounts import Credential
from keyturn.model.errors import Refused
from keyturn.model.secret import Secret

_PLACE = ("host", "port", "database")


def open_consumer(settings: Mapping[str, str]) -> Consumer:
    """What the entry point names. Refused for settings that are wrong; nothing is read or written yet."""
    unknown = settings.keys() - {"path", *_PLACE}
    if unknown or not Path(settings.get("path", "")).is_absolute():
        raise Refused("the settings of acme-pgpass are path, which is absolute, and host, port and database")
    return Pgpass(Path(settings["path"]), tuple(settings.get(key, "*") for key in _PLACE))


@dataclass(frozen=True, slots=True)
class Pgpass:
    """`place` is host, port and database; `*` stands for all."""

    path: Path
    place: tuple[str, ...]

    def holds(self, credential: Credential, secret: Secret) -> bool:
        return self._beginning(credential) + _quoted(secret.reveal()) in self._lines()

    def adopt(self, credential: Credential, secret: Secret) -> Health:
        if not secret.reveal().isprintable():
            return Health("a line cannot hold this password")
        beginning = self._beginning(credential)
        try:
            others = [line for line in self._lines() if not line.startswith(beginning)]
            self._replace([beginning + _quoted(secret.reveal()), *others])
        except OSError as error:
            return Health(f"{self.path}: {error.strerror}")
        return Health()

    def verify(self, credential: Credential) -> Health:
        """libpq takes no password from a file that others may read. Whether the server takes it, the agent proves."""
        if not any(line.startswith(self._beginning(credential)) for line in self._lines()):
            return Health(f"{self.path} has no line for {credential.account.name}")
        if stat.S_IMODE(self.path.stat().st_mode) & 0o077:
            return Health(f"others can read {self.path}, so libpq leaves it aside: chmod 600")
        return Health()

    def _beginning(self, credential: Credential) -> str:
        return ":".join((*map(_quoted, self.place), _quoted(credential.account.name), ""))

    def _lines(self) -> list[str]:
        return self.path.read_text().splitlines() if self.path.exists() else []

    def _replace(self, lines: list[str]) -> None:
        """The first line that fits counts, so ours stands first. The agent may be root, and the file another's."""
        whose = (self.path if self.path.exists() else self.path.parent).stat()
        beside = self.path.with_name(f".{self.path.name}.new")
        beside.unlink(missing_ok=True)
        with open(beside, "w", opener=_private) as file:
            os.fchown(file.fileno(), whose.st_uid, whose.st_gid)
            file.write("".join(f"{line}\n" for line in lines))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.path)


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace(":", "\\:")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_EXCL | os.O_NOFOLLOW, 0o600)
