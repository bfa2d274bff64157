"""What is wrong with an estate file, and how it is told."""

from collections.abc import Iterable
from dataclasses import dataclass

from keyturn.model.errors import Refused

MOST = 1000
"""Nobody reads further, and a hostile file must not make the answer larger than itself."""


@dataclass(frozen=True, slots=True)
class Problem:
    """`line` counts from 1."""

    line: int
    message: str
    hint: str = ""


class EstateErrors(Refused):
    """Every problem of one file, in the order of its lines; of more than `MOST`, the first ones found."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        number = "1 error" if len(problems) == 1 else f"{len(problems)} errors"
        super().__init__(f"the estate file has {number}", hint="nothing was changed; correct the file and try again")
        self.problems = problems

    def render(self, filename: str) -> str:
        """One `FILE:LINE: message` a problem, its hint indented below it; ends without a newline."""
        lines = []
        for problem in self.problems:
            lines.append(f"{filename}:{problem.line}: {problem.message}")
            if problem.hint:
                lines.append(f"    hint: {problem.hint}")
        return "\n".join(lines)


class Findings:
    """The problems found so far."""

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def add(self, problem: Problem) -> None:
        """Raises EstateErrors at once when there are too many to go on."""
        self._found.append(problem)
        if len(self._found) == MOST:
            hint = f"{problem.hint}; more than {MOST} errors: the search ended here".removeprefix("; ")
            self._found[-1] = Problem(problem.line, problem.message, hint)
            self.settle()

    def extend(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            self.add(problem)

    def settle(self) -> None:
        """Raise EstateErrors if anything was found."""
        if self._found:
            raise EstateErrors(tuple(sorted(self._found, key=lambda problem: problem.line)))
