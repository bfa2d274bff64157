"""Plans, forecasts and estates as JSON text, and back to equal values.

A field that this release does not know is an error: a plan of which a part was left out is not the plan that was
approved. A new field needs a default, or a migration that rewrites the rows.
"""

import json
from functools import cache
from typing import TypeVar

from cattrs import Converter
from cattrs.strategies import configure_tagged_union

from keyturn.adapters.store.errors import Unreadable
from keyturn.lifecycle.plan import Plan, Step
from keyturn.lockout.changes import Forecast
from keyturn.model.estate import Estate

Kept = TypeVar("Kept", Plan, Forecast, Estate)


def to_json(value: Plan | Forecast | Estate) -> str:
    return json.dumps(_converter().unstructure(value, type(value)), separators=(",", ":"))


def from_json(text: str, kind: type[Kept], name: str) -> Kept:
    """`name` says in the error what was being read. Raises Unreadable."""
    try:
        return _converter().structure(json.loads(text), kind)
    except Exception as error:  # the converter raises whatever the shape at hand made it raise
        raise Unreadable(f"{name} in the store is not as this Keyturn would have written it") from error


@cache
def _converter() -> Converter:
    """Steps carry the name of their type. Accounts carry none: only one that exists has a `sid`."""
    converter = Converter(forbid_extra_keys=True)
    configure_tagged_union(Step, converter, tag_name="step")
    return converter
