"""What the documentation tells people to type exists."""

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from keyturn.cli.main import NOUNS, keyturn

ROOT = Path(__file__).parent.parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").rglob("*.md"))]


def typed(page: Path) -> list[str]:
    """Every `keyturn …` of the page that stands in code, with lines joined and pipes and redirections cut."""
    text = page.read_text().replace("\\\n", " ")
    blocks = re.findall(r"```(?:\w*)\n(.*?)```", text, re.S)
    inline = re.findall(r"`(keyturn [^`]+)`", re.sub(r"```.*?```", "", text, flags=re.S))
    lines = [part for block in blocks for line in block.splitlines() for part in re.split(r"[|&]|2?>", line)]
    return [line.split("#")[0].strip() for line in [*lines, *inline] if line.strip().startswith("keyturn ")]


COMMANDS = sorted({(page.name, command) for page in PAGES if "reference/" not in str(page) for command in typed(page)})


@pytest.mark.parametrize(("page", "command"), COMMANDS)
def test_a_command_of_the_documentation_exists_with_its_options(page: str, command: str) -> None:
    words = shlex.split(command.replace("…", "").replace("[", "").replace("]", ""))[1:]
    walked: click.Command = keyturn
    context = click.Context(keyturn, info_name="keyturn")
    while words and isinstance(walked, click.Group):
        if words[0] == "--dir":
            words = words[2:]
            continue
        found = walked.get_command(context, words.pop(0))
        assert found is not None, f"{page}: {command}"
        walked = found
    known = {name for parameter in walked.params for name in parameter.opts} | {"--help"}
    used = {word.partition("=")[0] for word in words if word.startswith("--")}
    assert used <= known, f"{page}: {command}"


def hinted() -> Iterator[tuple[str, str, str]]:
    """Noun and verb of every command that a hint in the source tells people to type."""
    for file in sorted((ROOT / "src").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.keyword) and node.arg == "hint":
                texts = (part.value for part in ast.walk(node.value) if isinstance(part, ast.Constant))
                for noun, verb in re.findall(r"keyturn ([a-z][a-z-]*) ([a-z][a-z-]*)", " ".join(map(str, texts))):
                    yield str(file.relative_to(ROOT)), noun, verb


def test_a_command_of_a_hint_exists() -> None:
    context = click.Context(keyturn)
    for file, noun, verb in hinted():
        group = keyturn.get_command(context, noun) if noun in NOUNS else None
        if isinstance(group, click.Group):
            assert group.get_command(context, verb), f"{file}: keyturn {noun} {verb}"


def test_every_noun_has_a_command_behind_it() -> None:
    context = click.Context(keyturn)
    for noun in NOUNS:
        assert keyturn.get_command(context, noun) is not None
    assert keyturn.get_command(context, "nosuch") is None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), f"{page}: {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_test_that_is_named_as_a_proof_is_there(page: Path) -> None:
    for named in re.findall(r"`(tests/[\w./]+)`", page.read_text()):
        assert (ROOT / named).exists(), f"{page}: {named}"
