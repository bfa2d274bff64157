"""`consumers.toml` in the agent's folder, written by this machine's administrator: the site never says what to run."""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from keyturn.model.accounts import canonical
from keyturn.model.errors import Refused
from keyturn.wire.ssh import Ssh, way

NAME = "consumers.toml"

THE_PASSWORD = "{password}\n"
_LONGEST_S = 600.0
LONGEST = 32 * 1024
"""Bytes of a file that holds a password."""


@dataclass(frozen=True, slots=True)
class FileConsumer:
    """A file that holds the password. `content` has the fields `{password}`, `{account}` and `{name}`; owner, group and
    mode None: as the file has them now. After a change `restart` is run, then `check`, which must succeed; where
    `check_proves`, that shows the password in the file to be in use. `on` None: on this machine."""

    account: str
    path: Path
    content: str = THE_PASSWORD
    owner: str | None = None
    group: str | None = None
    mode: int | None = None
    restart: tuple[str, ...] = ()
    check: tuple[str, ...] = ()
    check_proves: bool = False
    timeout_s: float = 60
    on: Ssh | None = None

    @property
    def title(self) -> str:
        return _title(self.on, str(self.path))


@dataclass(frozen=True, slots=True)
class HookConsumer:
    """A program that is called with one of the verbs `holds`, `adopt` and `verify`, and JSON on its standard input."""

    account: str
    command: tuple[str, ...]
    timeout_s: float = 60
    on: Ssh | None = None

    @property
    def title(self) -> str:
        return _title(self.on, self.command[0])


@dataclass(frozen=True, slots=True)
class PluginConsumer:
    """One of a kind that another package brings; what may stand in its settings is for that package to say."""

    account: str
    kind: str
    settings: tuple[tuple[str, str], ...] = ()

    @property
    def title(self) -> str:
        return " ".join((self.kind, *(f"{key}={value}" for key, value in self.settings)))


@dataclass(frozen=True, slots=True)
class ServiceConsumer:
    """A service of the Windows machine `host`. `manage_as` is another account of this agent; `runs_as` is how the
    machine spells the account, where that is not REALM\\name. A service that runs is restarted."""

    account: str
    host: str
    name: str
    manage_as: str
    runs_as: str | None = None
    restart: bool = True
    timeout_s: float = 60

    @property
    def title(self) -> str:
        return f"{self.host}, service {self.name}"


@dataclass(frozen=True, slots=True)
class TaskConsumer:
    """A scheduled task of a Windows machine; see `ServiceConsumer`."""

    account: str
    host: str
    path: str
    manage_as: str
    runs_as: str | None = None

    @property
    def title(self) -> str:
        return f"{self.host}, task {self.path}"


WindowsConsumer: TypeAlias = ServiceConsumer | TaskConsumer
Consumer: TypeAlias = FileConsumer | HookConsumer | PluginConsumer | WindowsConsumer


def _title(on: Ssh | None, name: str) -> str:
    return f"{on.host}:{name}" if on else name


def read_consumers(text: str) -> tuple[Consumer, ...]:
    """Refused by the number of the table and the name of the key that is wrong."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Refused(f"{NAME}: {error}") from None
    tables, ssh = document.pop("consumer", []), document.pop("ssh", {})
    if document or not isinstance(tables, list) or not isinstance(ssh, dict):
        raise Refused(f"{NAME}: it has tables [[consumer]], one [ssh] for all of them, and nothing else")
    return tuple(_consumer(_Taking(number, table, ssh)) for number, table in enumerate(tables, start=1))


def find_file(consumers: Sequence[Consumer], title: str) -> FileConsumer | None:
    return next((found for found in consumers if isinstance(found, FileConsumer) and found.title == title), None)


def of_accounts(consumers: Sequence[Consumer], accounts: Sequence[str]) -> tuple[Consumer, ...]:
    wanted = {canonical(account) for account in accounts}
    return tuple(consumer for consumer in consumers if canonical(consumer.account) in wanted)


def _consumer(taking: "_Taking") -> Consumer:
    account = taking.text("account").replace("/", "\\")
    if "\\" not in account:
        raise taking.wrong("account", "must be REALM\\name")
    consumer = next((read for key, read in _FORMS.items() if taking.has(key)), _file)(taking, account)
    taking.refuse_rest()
    return consumer


def _plugin(taking: "_Taking", account: str) -> PluginConsumer:
    return PluginConsumer(account, taking.text("kind"), taking.texts("settings"))


def _hook(taking: "_Taking", account: str) -> HookConsumer:
    command = taking.words("command")
    if not command or not Path(command[0]).is_absolute():
        raise taking.wrong("command", "must begin with the absolute path of a program")
    return HookConsumer(account, command, taking.timeout_s(), taking.on())


def _service(taking: "_Taking", account: str) -> ServiceConsumer:
    name, host = taking.text("service"), taking.text("host")
    manage_as, runs_as = taking.other_account("manage_as", account), taking.optional_text("runs_as")
    return ServiceConsumer(account, host, name, manage_as, runs_as, taking.truth("restart", True), taking.timeout_s())


def _task(taking: "_Taking", account: str) -> TaskConsumer:
    path, host = taking.text("task"), taking.text("host")
    if not path.startswith("\\"):
        raise taking.wrong("task", "must be the path of a task, such as '\\Backup\\Nightly'")
    return TaskConsumer(
        account, host, path, taking.other_account("manage_as", account), taking.optional_text("runs_as")
    )


def _file(taking: "_Taking", account: str) -> FileConsumer:
    path = Path(taking.text("path"))
    if not path.is_absolute():
        raise taking.wrong("path", "must be absolute")
    unit = taking.optional_text("unit")
    restart = taking.words("restart") or (("systemctl", "restart", unit) if unit else ())
    proof = taking.words("check")
    check = proof or (("systemctl", "is-active", "--quiet", unit) if unit else ())
    content = taking.optional_text("content") or THE_PASSWORD
    if "{password}" not in content:
        raise taking.wrong("content", "must have the field {password}")
    return FileConsumer(
        account,
        path,
        content,
        taking.optional_text("owner"),
        taking.optional_text("group"),
        taking.mode(),
        restart,
        check,
        bool(proof),
        taking.timeout_s(),
        taking.on(),
    )


_FORMS: Mapping[str, Callable[["_Taking", str], Consumer]] = {
    "command": _hook,
    "kind": _plugin,
    "service": _service,
    "task": _task,
}
"""By the key that only this form has. Without one of them it is a file."""


_SSH_KEYS = frozenset({"user", "identity_file", "known_hosts", "port", "sudo"})


class _Taking:
    def __init__(self, number: int, table: Mapping[str, Any], ssh: Mapping[str, Any]) -> None:
        self._left = dict(table)
        self._number = number
        self._ssh = ssh

    def has(self, key: str) -> bool:
        return key in self._left

    def text(self, key: str) -> str:
        found = self.optional_text(key)
        if not found:
            raise self.wrong(key, "is missing")
        return found

    def optional_text(self, key: str) -> str | None:
        value = self._left.pop(key, None)
        if value is not None and not isinstance(value, str):
            raise self.wrong(key, "must be text in quotes")
        return value

    def other_account(self, key: str, account: str) -> str:
        value = self.text(key).replace("/", "\\")
        if "\\" not in value or canonical(value) == canonical(account):
            raise self.wrong(key, "must be REALM\\name of another account")
        return value

    def truth(self, key: str, usual: bool) -> bool:
        value = self._left.pop(key, usual)
        if not isinstance(value, bool):
            raise self.wrong(key, "must be true or false")
        return value

    def words(self, key: str) -> tuple[str, ...]:
        value = self._left.pop(key, [])
        if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
            raise self.wrong(key, "must be a list of words, the program first")
        return tuple(value)

    def texts(self, key: str) -> tuple[tuple[str, str], ...]:
        value = self._left.pop(key, {})
        if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
            raise self.wrong(key, "must be a table of texts in quotes")
        return tuple(sorted(value.items()))

    def timeout_s(self) -> float:
        value = self._left.pop("timeout_s", 60.0)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= _LONGEST_S:
            raise self.wrong("timeout_s", f"must be a number of seconds up to {_LONGEST_S:.0f}")
        return float(value)

    def mode(self) -> int | None:
        text = self.optional_text("mode")
        if text is None:
            return None
        try:
            mode = int(text, 8)
        except ValueError:
            mode = -1
        if not 0 <= mode <= 0o777:
            raise self.wrong("mode", 'must be octal, such as "0640"')
        return mode

    def on(self) -> Ssh | None:
        """The machine of its `host`, reached as [ssh] says; None for this one."""
        host = self.optional_text("host")
        if host is None:
            return None
        if unknown := next((key for key in self._ssh if key not in _SSH_KEYS), None):
            raise Refused(f"{NAME}: [ssh]: {unknown} is no key of it")
        settings = {key: str(value) for key, value in self._ssh.items()} | {"host": host}
        return way(settings, f"{NAME}: consumer {self._number}, [ssh]")

    def refuse_rest(self) -> None:
        if self._left:
            raise self.wrong(next(iter(self._left)), "is no key of it")

    def wrong(self, key: str, what: str) -> Refused:
        return Refused(f"{NAME}: consumer {self._number}: {key} {what}")
