"""What the command line is handed by `keyturn.wiring`, each part made when a command first asks for it."""

import getpass
import sys
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import click

from keyturn.cli.api import Api
from keyturn.model.errors import Refused
from keyturn.model.secret import Secret
from keyturn.wire.door import Door

if TYPE_CHECKING:
    from keyturn.agent.ports import AgentParts
    from keyturn.distribution.msi.package import Package
    from keyturn.operations.founding import Founding
    from keyturn.operations.parts import Parts


Ask: TypeAlias = Callable[[], Secret]
"""Asks for the passphrase of a site whose seal key stands in no file; called only where it is needed."""


Listen: TypeAlias = tuple[str, int] | None
"""Host and port, where they are others than the site's."""


@dataclass(frozen=True, slots=True)
class StoreMoved:
    """Addresses, and rows by table."""

    old: str
    new: str
    rows: dict[str, int]


@dataclass(frozen=True, slots=True)
class Tools:
    """`door` finds the server of a site's directory; `saved_door` the one logged in to."""

    init: Callable[["Founding", Ask], list[str]]
    """Founds a site; returns what a person should read."""
    up: Callable[[Path, Ask, Callable[[str], None]], None]
    serve: Callable[[Path, Ask, Listen, Callable[[str], None]], None]
    work: Callable[[Path, Ask, Callable[[str], None]], None]
    store_address: Callable[[Path], str]
    move_store: Callable[[Path, Ask, str, Secret | None, str | None, str], StoreMoved]
    """To an address, with the password of the account to be used there, and its name where it is not the one in the
    address; by whom."""
    door: Callable[[Path], Door]
    site: Callable[[Path, Ask], AbstractContextManager["Parts"]]
    """The site straight from its directory, for the day on which the server does not run."""
    agent: Callable[[], "AgentParts"]
    open_msi: Callable[[Path, tuple[Path, ...]], "Package"]
    """An MSI package with transforms applied in their order."""
    saved_door: Callable[[], Door | None]
    save_door: Callable[[Door], None]


@dataclass(slots=True)
class Session:
    """What the root command puts into `ctx.obj`."""

    tools: Tools
    root: Path | None = None

    def api(self) -> Api:
        return Api(self.door())

    def door(self) -> Door:
        if self.root is not None:
            return self.tools.door(self.root)
        saved = self.tools.saved_door()
        return saved if saved is not None else self.tools.door(Path())

    @property
    def agent(self) -> "AgentParts":
        return self.tools.agent()

    @property
    def at_hand(self) -> bool:
        """Whether the site meant is one in a directory here, not one logged in to from afar."""
        return self.root is not None or self.tools.saved_door() is None

    def directory(self) -> Path:
        return self.root if self.root is not None else Path()


def passphrase(*, from_stdin: bool, new: bool = False) -> Ask:
    def ask() -> Secret:
        if from_stdin or new:
            return read_secret(from_stdin=from_stdin, prompt="Passphrase that seals this site")
        return ask_secret("Passphrase that seals this site")

    return ask


def operator() -> str:
    """Nobody logs in to a directory, so the operating system's name stands in the log, and that it does."""
    try:
        return f"{getpass.getuser()} (in the site's directory)"
    except (KeyError, OSError):  # a user without a name; OSError from Python 3.13 on
        return "somebody (in the site's directory)"


def read_secret(*, from_stdin: bool, prompt: str) -> Secret:
    """From standard input (one line), or asked for twice without echo. Never an argument, never the environment."""
    if from_stdin:
        text = sys.stdin.readline().rstrip("\r\n")
        if not text:
            raise click.UsageError(f"nothing came on standard input for: {prompt}")
        return Secret(text)
    return ask_secret(prompt, twice=True)


def ask_secret(prompt: str, *, twice: bool = False) -> Secret:
    """Without echo. Where that cannot be, nothing is asked: what came then would be meant for something else."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            return Secret(click.prompt(prompt, hide_input=True, confirmation_prompt=twice))
        except getpass.GetPassWarning:
            raise Refused(
                f"there is no terminal to ask on: {prompt}",
                hint="--help names the option with which it is read from standard input",
            ) from None


def refuse_existing(file: Path | None) -> None:
    """Before anything is made that would go into it."""
    if file and file.exists():
        raise Refused(f"{file} exists already", hint="name a new file")


def hand_out(secret: str, file: Path | None) -> None:
    """What is kept nowhere else: on standard output, or in a new file that its owner alone can read."""
    if file is None:
        click.echo(secret)
        return
    file.touch(mode=0o600, exist_ok=False)
    file.write_text(secret + "\n")
