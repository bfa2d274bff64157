"""How results look on a terminal: tables that fit 80 columns, and JSON for programs. rich is imported when needed."""

import json
import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

import click

_LONGEST_WORD = 400
_COMMAND = re.compile(r"`[^`]*`|\b(?:keyturn|pip|apt|apt-get|GRANT|ALTER|CREATE) (?:'[^']*'|[^',;:)]|[',;:)](?! |$))*")
"""What somebody may copy: to the end of the clause, for nothing tells where its arguments end and prose goes on."""
_HELD = "\0"
"""Stands for a space at which no line ends."""


def print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2, default=str))


def print_table(headings: Sequence[str], rows: Sequence[Sequence[object]], *, empty: str) -> None:
    if not rows:
        click.echo(empty)
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0), pad_edge=False)
    for position, heading in enumerate(headings):
        table.add_column(heading, overflow="fold", no_wrap=position == 0)
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    Console(soft_wrap=False, highlight=False, markup=False).print(table)


def print_entries(entries: Sequence[tuple[Sequence[str], str]], *, empty: str) -> None:
    """Columns and a text of any length: in one line where that fits or nobody looks (so that it can be searched line
    by line), else with the text below."""
    if not entries:
        click.echo(empty)
        return
    widths = [max(map(len, column)) for column in zip(*(columns for columns, _ in entries), strict=True)]
    room = shutil.get_terminal_size().columns if sys.stdout.isatty() else sys.maxsize
    for columns, text in entries:
        line = "  ".join(cell.ljust(width) for cell, width in zip(columns, widths, strict=True))
        if len(line) + 2 + len(text) < room:
            click.echo(f"{line}  {text}".rstrip())
        else:
            click.echo(f"{line.rstrip()}\n{_below_itself(text, '    ')}")


def print_facts(facts: Iterable[tuple[str, str | None]], width: int) -> None:
    """What is said of one thing, below its name, within 80 columns; what is not said is left out. A word is never
    broken, for it may be copied."""
    for name, said in facts:
        if said:
            click.echo(_below_itself(said, f"  {name:{width}} "))


def _below_itself(text: str, lead: str) -> str:
    whole = textwrap.TextWrapper(79, break_long_words=False, break_on_hyphens=False)
    whole.initial_indent, whole.subsequent_indent = lead, " " * len(lead)
    return whole.fill(text)


def say(lead: str, text: str) -> None:
    """On standard error, after a word such as `hint:`. On a terminal within 80 columns, the lines after the first below
    the text, and no command broken. As it is where another program reads it, or where it has lines of its own."""
    if not sys.stderr.isatty() or "\n" in text:
        click.echo(lead + text, err=True)
        return
    held = _COMMAND.sub(lambda command: command[0].replace(" ", _HELD), text)
    click.echo(_below_itself(held, lead).replace(_HELD, " "), err=True)


def wrapped(text: str, lead: str) -> str:
    """Within 80 columns, the lines after the first indented like the first, or under its text if it has a number."""
    hang = " " * (6 if len(lead) > 6 else len(lead))
    return textwrap.fill(text, 79, initial_indent=lead, subsequent_indent=hang, break_long_words=False)


def legible(text: str) -> str:
    """What somebody else may have written, so that it neither steers a terminal nor fills it."""
    plain = "".join(each if each.isprintable() or each == "\n" else ascii(each)[1:-1] for each in text)
    return re.sub(rf"\S{{{_LONGEST_WORD},}}", lambda word: f"{word[0][:60]}… ({len(word[0]):,} characters)", plain)


def seconds(value: float | None) -> str:
    """A duration for people: the largest unit that leaves a number worth reading."""
    if value is None:
        return "never"
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if value >= 2 * size:
            return f"{round(value / size, 1):g} {unit}"
    return f"{value:.3g} s"


def listed(names: Sequence[str], most: int = 6) -> str:
    if not names:
        return "nobody"
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def _cell(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return str(value)
