"""Writes the reference from the code, so that it cannot say anything else. `--check` only compares."""

import importlib
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from keyturn.cli.main import NOUNS, keyturn
from keyturn.lifecycle.catalogue.products import PRODUCTS
from keyturn.lifecycle.catalogue.rules import CatalogueRow
from keyturn.lockout.policy import Standing, judge
from keyturn.model import errors
from keyturn.model.logon import LogonProtocol
from keyturn.model.policy import RealmPolicy
from keyturn.site.components import WORK, State
from keyturn.site.status_messages import OWN_FROM, WORDINGS

FOLDER = Path(__file__).parent.parent / "docs" / "reference"
MADE = "<!-- Made by scripts/reference.py; edit the code instead. -->\n"


def main() -> None:
    pages = {
        "commands.md": commands(),
        "catalogue.md": catalogue(),
        "errors.md": errors_page(),
        "truth-table.md": truth_table(),
        "api.md": api(),
        "status-messages.md": status_messages(),
    }
    stale = [name for name, text in pages.items() if _read(FOLDER / name) != text]
    if "--check" in sys.argv:
        if stale:
            sys.exit(f"error: docs/reference is stale: {', '.join(stale)}\nhint:  python scripts/reference.py")
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in stale:
        (FOLDER / name).write_text(pages[name])
        print(f"wrote docs/reference/{name}")


def commands() -> str:
    lines = ["# Commands\n", MADE, inspect.cleandoc(keyturn.help or ""), ""]
    root = click.Context(keyturn, info_name="keyturn")
    for name, (_, text) in NOUNS.items():
        lines.append(f"## keyturn {name}\n")
        lines.append(f"{text}\n")
        command = keyturn.get_command(root, name)
        assert command is not None
        for path, verb in _verbs(f"keyturn {name}", command):
            lines += _command(path, verb)
    return "\n".join(lines).rstrip() + "\n"


def _verbs(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for name, verb in command.commands.items():
            yield from _verbs(f"{path} {name}", verb)
    else:
        yield path, command


def _command(path: str, command: click.Command) -> list[str]:
    context = click.Context(command, info_name=path)
    usage = " ".join(piece for piece in command.collect_usage_pieces(context))
    lines = [f"### `{path} {usage}`\n", inspect.cleandoc(command.help or ""), ""]
    options = [p.get_help_record(context) for p in command.params if isinstance(p, click.Option)]
    lines += [f"- `{record[0]}` {record[1]}".rstrip() for record in options if record]
    return [*lines, ""]


def catalogue() -> str:
    lines = ["# Catalogues\n", MADE]
    for product, rows in PRODUCTS.items():
        lines += [
            f"## {product}\n",
            "| role | title | password made by | by hand | methods | site reset | second account |",
        ]
        lines.append("|---|---|---|---|---|---|---|")
        lines += [_row(row) for row in rows]
        lines.append("")
        lines += [f"- **{row.role}**: {row.guideline} ({row.source})" for row in rows]
        lines.append("")
    return "\n".join(lines)


def _row(row: CatalogueRow) -> str:
    methods = " or ".join(" then ".join(method) for method in row.methods)
    second = ", ".join(row.second_account_when) or "–"
    cells = (f"`{row.role}`", row.title, row.password_created_by, row.manual_change, methods, row.site_reset, second)
    return "| " + " | ".join(cells) + " |"


def errors_page() -> str:
    tree = inspect.cleandoc(errors.__doc__ or "").partition("\n\n")[2]
    lines = ["# Errors\n", MADE, "```", tree, "```\n"]
    lines.append(
        "A command prints `error:` and, where there is a way out, `hint:` on stderr. Exit status: 0 done, 1 failed"
    )
    lines.append('(asking again may help), 2 refused or wrong usage. The API answers `{"error": …, "hint": …}`.\n')
    lines.append("| raised in | error | status of the API |\n|---|---|---|")
    status = importlib.import_module("keyturn.server.rest.app").STATUS
    lines += [f"| `{kind.__module__}` | `{kind.__name__}` | {code} |" for kind, code in status]
    return "\n".join(lines) + "\n"


def truth_table() -> str:
    lines = ["# What a realm answers to old and wrong passwords\n", MADE]
    lines.append("Threshold 5, grace 60 min, password changed 10 min (within the grace) or 2 h ago (after it).\n")
    lines.append("| presented | history | NTLM | LDAP | Kerberos |\n|---|---|---|---|---|")
    for behind, name in ((0, "current"), (1, "N−1"), (2, "N−2"), (3, "N−3"), (None, "random")):
        for history in (0, 2, 3, 24):
            for ago, when in ((600.0, "within the grace"), (7200.0, "after the grace")):
                if behind != 1 and ago == 600.0:
                    continue
                label = f"{name}, {when}" if behind == 1 else name
                cells = [_judged(behind, history, ago, protocol) for protocol in LogonProtocol]
                lines.append(f"| {label} | {history} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _judged(behind: int | None, history: int, ago: float, protocol: LogonProtocol) -> str:
    standing = Standing(bad_count=1, last_bad_at=99_000, password_set_at=100_000 - ago)
    answer, after = judge(standing, behind, protocol, RealmPolicy(history=history), 100_000)
    change = {0: "count to 0", 1: "+0"}.get(after.bad_count, f"+{after.bad_count - 1}")
    return f"{answer}, {change}"


def api() -> str:
    from keyturn.server.rest.app import authorisation, people_app

    roles = authorisation()
    spec = people_app(None).openapi()  # type: ignore[arg-type]  # routes are described without being called
    lines = ["# The API for people\n", MADE, "The whole specification: `GET /api/v1/openapi.json`.\n"]
    lines.append("| route | what it does | role |\n|---|---|---|")
    for path, verbs in spec["paths"].items():
        for verb, operation in verbs.items():
            text = operation.get("description", operation["summary"]).split("\n")[0]
            lines.append(f"| `{verb.upper()} {path}` | {text} | {roles[verb.upper(), path] or 'anybody'} |")
    return "\n".join(lines) + "\n"


def status_messages() -> str:
    lines = ["# Components and status messages\n", MADE]
    lines += ["| component | what it does |\n|---|---|", *(f"| `{name}` | {work} |" for name, work in WORK.items())]
    lines.append(
        "\nA component that is not installed in a site is not shown by `keyturn site status`. States: "
        + ", ".join(f"`{state}`" for state in State)
        + ".\n"
    )
    lines.append(f"Numbers below {OWN_FROM} are those of SMS for the same event; the others are Keyturn's own.\n")
    lines.append("| number | severity | text |\n|---|---|---|")
    lines += [
        f"| {int(number)} | {said.severity} | {_escaped(said.text)} |" for number, said in sorted(WORDINGS.items())
    ]
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


main()
