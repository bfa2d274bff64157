"""The nouns of software as JSON text, and back to equal values. A new property needs a default.

A property that this release does not know is an error: a program of which a part was left out is not the program that
was agreed to.
"""

import json
from functools import cache
from typing import Any, TypeVar

import msgspec
from cattrs import Converter

from keyturn.adapters.store.errors import Unreadable
from keyturn.model.software import Advertisement, At, Collection, Event, Manifest, Package, Program

Kept = TypeVar("Kept", Package, Program, Collection, Advertisement)


def to_text(value: Package | Program | Collection | Advertisement) -> str:
    return json.dumps(_converter().unstructure(value, type(value)), separators=(",", ":"))


def from_text(text: str, kind: type[Kept], name: str) -> Kept:
    """`name` says in the error what was being read. Raises Unreadable."""
    try:
        return _converter().structure(json.loads(text), kind)
    except Exception as error:  # the converter raises whatever the shape at hand made it raise
        raise Unreadable(f"{name} in the store is not as this Keyturn would have written it") from error


def manifest_text(manifest: Manifest) -> bytes:
    """A manifest may have a hundred thousand files: written and read by the fast library, for nobody agrees to its
    shape but to its digest."""
    return msgspec.json.encode(manifest)


def manifest_from(text: bytes, name: str) -> Manifest:
    try:
        return msgspec.json.decode(text, type=Manifest)
    except (ValueError, RecursionError):
        raise Unreadable(f"{name} in the store is not as this Keyturn would have written it") from None


@cache
def _converter() -> Converter:
    converter = Converter(forbid_extra_keys=True)
    converter.register_structure_hook(At | Event, _assignment)
    return converter


def _assignment(value: Any, _: object) -> At | Event:
    return Event(value) if isinstance(value, str) else _converter().structure(value, At)
