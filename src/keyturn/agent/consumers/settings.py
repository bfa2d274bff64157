"""`consumers.toml` in the agent's folder, written by this machine's administrator: the site never says what to run."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from keyturn.model.accounts import canonical
from keyturn.model.errors import Refused

NAME = "consumers.toml"

THE_PASSWORD = "{password}\n"
_LONGEST_S = 600.0


@dataclass(frozen=True, slots=True)
class FileConsumer:
    """A file that holds the password. `content` has the fields `{password}`, `{account}` and `{name}`; owner, group and
    mode None: as the file has them now. After a change `restart` is run, then `check`, which must succeed."""

    account: str
    path: Path
    content: str = THE_PASSWORD
    owner: str | None = None
    group: str | None = None
    mode: int | None = None
    restart: tuple[str, ...] = ()
    check: tuple[str, ...] = ()
    timeout_s: float = 60

    @property
    def title(self) -> str:
        return str(self.path)


@dataclass(frozen=True, slots=True)
class HookConsumer:
    """A program that is called with one of the verbs `holds`, `adopt` and `verify`, and JSON on its standard input."""

    account: str
    command: tuple[str, ...]
    timeout_s: float = 60

    @property
    def title(self) -> str:
        return self.command[0]


Consumer: TypeAlias = FileConsumer | HookConsumer


def read_consumers(text: str) -> tuple[Consumer, ...]:
    """Refused by the number of the table and the name of the key that is wrong."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Refused(f"{NAME}: {error}") from None
    tables = document.pop("consumer", [])
    if document or not isinstance(tables, list):
        raise Refused(f"{NAME}: it has tables [[consumer]] and nothing else")
    return tuple(_consumer(number, table) for number, table in enumerate(tables, start=1))


def of_account(consumers: Sequence[Consumer], account: str) -> tuple[Consumer, ...]:
    return tuple(consumer for consumer in consumers if canonical(consumer.account) == canonical(account))


def _consumer(number: int, table: Mapping[str, Any]) -> Consumer:
    taking = _Taking(number, table)
    account = taking.text("account").replace("/", "\\")
    if "\\" not in account:
        raise taking.wrong("account", "must be REALM\\name")
    timeout_s = taking.seconds("timeout_s", 60.0)
    consumer = _hook(taking, account, timeout_s) if "command" in table else _file(taking, account, timeout_s)
    taking.refuse_rest()
    return consumer


def _hook(taking: "_Taking", account: str, timeout_s: float) -> HookConsumer:
    command = taking.words("command")
    if not command or not Path(command[0]).is_absolute():
        raise taking.wrong("command", "must begin with the absolute path of a program")
    return HookConsumer(account, command, timeout_s)


def _file(taking: "_Taking", account: str, timeout_s: float) -> FileConsumer:
    path = Path(taking.text("path"))
    if not path.is_absolute():
        raise taking.wrong("path", "must be absolute")
    unit = taking.optional_text("unit")
    restart = taking.words("restart") or (("systemctl", "restart", unit) if unit else ())
    check = taking.words("check") or (("systemctl", "is-active", "--quiet", unit) if unit else ())
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
        timeout_s,
    )


class _Taking:
    def __init__(self, number: int, table: Mapping[str, Any]) -> None:
        self._left = dict(table)
        self._number = number

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

    def words(self, key: str) -> tuple[str, ...]:
        value = self._left.pop(key, [])
        if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
            raise self.wrong(key, "must be a list of words, the program first")
        return tuple(value)

    def seconds(self, key: str, usual: float) -> float:
        value = self._left.pop(key, usual)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= _LONGEST_S:
            raise self.wrong(key, f"must be a number of seconds up to {_LONGEST_S:.0f}")
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

    def refuse_rest(self) -> None:
        if self._left:
            raise self.wrong(next(iter(self._left)), "is no key of it")

    def wrong(self, key: str, what: str) -> Refused:
        return Refused(f"{NAME}: consumer {self._number}: {key} {what}")
