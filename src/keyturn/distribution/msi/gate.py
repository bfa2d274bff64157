"""The verdict on a program that calls msiexec, when it is written down and before anybody is offered it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from keyturn.distribution.msi.command_line import add_properties, read_command_line
from keyturn.distribution.msi.context import Context
from keyturn.distribution.msi.package import Package
from keyturn.distribution.msi.verdict import Judgement, verdict_for

OpenPackage: TypeAlias = Callable[[str, tuple[str, ...]], Package]
"""A package and its transforms, named as on the command line. Refused where one cannot be read."""


@dataclass(frozen=True, slots=True)
class ProgramVerdict:
    judgement: Judgement
    command_line: str
    """With the properties of a rewrite; as it was for every other verdict."""


def verdict_of_program(command_line: str, context: Context, open_package: OpenPackage) -> ProgramVerdict | None:
    """None for a program that installs no MSI package. Refused where the command line cannot be read for sure."""
    call = read_command_line(command_line)
    if call is None or call.package is None:
        return None
    judgement = verdict_for(open_package(call.package, call.transforms), context, call.properties)
    rewritten = add_properties(command_line, judgement.rewrite) if judgement.rewrite else command_line
    return ProgramVerdict(judgement, rewritten)
