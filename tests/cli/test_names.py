"""Names that nothing bears, given to every command that takes one: refused with what is wrong, never answered by
something else."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import click
import pytest
from click.testing import CliRunner

from keyturn.cli.api import segment
from keyturn.cli.demo.stage import Stage
from keyturn.cli.main import keyturn, status_of, tell
from keyturn.cli.tools import Tools
from keyturn.model.errors import KeyturnError, Refused
from keyturn.wiring import _door
from tests.cli.command_tree import verbs
from tests.cli.stages import founded

IMPOSSIBLE = {
    "../etc": "../etc",
    "..": "..",
    "a/b": "a/b",
    "": "",
    " ": "",
    "n" * 10_000: "n" * 40,
    "a\u202eb": "a\\u202eb",
    "a\x1b[2Jb": "a\\x1b[2Jb",
}
"""What is typed, and what of it the answer shows."""
UNKNOWN = {text: text for text in ("a?x=1#y", "questions", "members", "preview", "%2e%2e", "a\\..\\b")}
"""Odd, or a word of some route, and good enough to be given to something new."""

OF_NO_SITE = ("init", "up", "serve", "work", "lab", "demo", "store", "login", "agent", "logon-install", "catalogue")
NO_NAME = {
    "site join PARENT_URL",
    "site control set SECTION.ITEM.PROPERTY=VALUE...",
    "site control remove SECTION.ITEM[.PROPERTY]...",
    "envelope open ACCOUNT_OR_FILE",
    "package add NAME",  # for people: a package goes by its identifier
}
MAKES = {"collection add NAME", "person add NAME", "client logon-key issue NAME"}
OF_ANOTHER = {
    "plan release CLIENT…",
    "plan confirm HOLDER...",
    "program add NAME",
    "program show NAME",
    "program remove NAME",
    "advertise PROGRAM",
    "envelope drill ACCOUNT",
}
"""Refused for another word of the line, before anybody looks at this one."""
HALVED = {"realm set-password REALM\\ACCOUNT"}
"""The answer is about one half of the name."""


def named() -> dict[str, tuple[click.Command, click.Argument]]:
    found = {
        f"{words} {each.human_readable_name}": (command, each)
        for words, command in verbs()
        for each in command.params
        if isinstance(each, click.Argument) and isinstance(each.type, click.types.StringParamType)
    }
    return {case: there for case, there in found.items() if not case.startswith(OF_NO_SITE) and case not in NO_NAME}


NAMED = named()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with founded(tmp_path_factory.mktemp("names")) as stage:
        yield stage


@pytest.mark.xdist_group("names")
@pytest.mark.parametrize("case", NAMED)
def test_a_name_that_nothing_bears_is_refused_and_shown(
    site: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str], case: str
) -> None:
    command, argument = NAMED[case]
    for strange, shown in (IMPOSSIBLE if case in MAKES else IMPOSSIBLE | UNKNOWN).items():
        line = [
            *case.split()[: -len(argument.human_readable_name.split())],
            *_filled(command, argument, strange, tmp_path),
        ]
        ended = CliRunner().invoke(keyturn, ["--dir", str(site.directory), *line], obj=TOOLS, input="a long sentence\n")
        error, said, status = ended.exception, ended.output, ended.exit_code
        if isinstance(error, KeyturnError):
            tell(error)
            said, status = capsys.readouterr().err, status_of(error)
        assert status == 2, f"{strange[:20]!a}: {error!r} {said}"
        assert "the server answered" not in said, said
        assert shown in said or case in OF_ANOTHER | HALVED, said
        assert len(said) < 1000
        assert said.replace("\n", "").isprintable()


def test_a_name_in_a_path_is_one_that_something_can_bear() -> None:
    assert segment("PC-0001") == "PC-0001"
    assert segment("Für alle, 100 %") == "F%C3%BCr%20alle%2C%20100%20%25"
    with pytest.raises(Refused, match=r"U\+202E \(RIGHT-TO-LEFT OVERRIDE\) cannot stand in one"):
        segment("a\u202eb")


def test_the_lists_of_exceptions_name_what_there_is() -> None:
    assert set(NAMED) >= MAKES | OF_ANOTHER | HALVED


def _filled(command: click.Command, argument: click.Argument, strange: str, folder: Path) -> Iterator[str]:
    """The options that it cannot do without, then its arguments, one of them strange."""
    for each in command.params:
        if isinstance(each, click.Option):
            if each.required:
                yield from (each.opts[0], *["x"] * each.nargs)
            elif {"--yes", "--password-stdin"} & set(each.opts):
                yield each.opts[0]
    yield "--"
    for each in command.params:
        if isinstance(each, click.Argument):
            yield strange if each is argument else _usual(each, folder)


def _usual(argument: click.Argument, folder: Path) -> str:
    if isinstance(argument.type, click.Path):
        file = folder / "file"
        file.touch()
        return str(file)
    return "CORP"


def _unused(*_: Any) -> NoReturn:
    raise AssertionError("no command that names something of a site needs this")


TOOLS = Tools(
    init=_unused, up=_unused, serve=_unused, work=_unused, store_address=_unused, move_store=_unused, door=_door,
    site=_unused, agent=_unused, open_msi=_unused, saved_door=lambda: None, save_door=_unused,
)  # fmt: skip
