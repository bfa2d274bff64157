"""The commands as the program itself has them."""

from collections.abc import Iterator

import click

from keyturn.cli.main import NOUNS, keyturn


def verbs() -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, by its words."""
    root = click.Context(keyturn)
    for noun in NOUNS:
        command = keyturn.get_command(root, noun)
        assert command is not None
        yield from _below(noun, command)


def _below(words: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield words, command
        return
    for name, verb in command.commands.items():
        yield from _below(f"{words} {name}", verb)
