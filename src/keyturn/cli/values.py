"""Values as people write them in a command: moments, durations, one word of several."""

from datetime import UTC, datetime
from enum import StrEnum

import click

from keyturn.wire.estate_file.values import DURATION as WRITTEN_DURATION
from keyturn.wire.estate_file.values import Wrong


class Moment(click.ParamType[float]):
    """ISO 8601; UTC where no zone is said. Seconds since the epoch."""

    name = "TIME"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        try:
            found = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no time as in 2026-11-21T18:00 or 2026-11-21T18:00+01:00", param, ctx)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


class Duration(click.ParamType[float]):
    """As in an estate file. Seconds."""

    name = "DURATION"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        try:
            return WRITTEN_DURATION.read(value)
        except Wrong:
            self.fail(f"{value!r} is no duration as in 90 min, 8h or 7d", param, ctx)


MOMENT, DURATION = Moment(), Duration()


def one_of(kind: type[StrEnum]) -> click.Choice[str]:
    """By its word; click itself would take the name that the code has for it."""
    return click.Choice([each.value for each in kind])
