"""What something can be called: its name stands in lists, and in a path of the API."""

import unicodedata
from collections.abc import Callable

from keyturn.model.errors import Refused
from keyturn.model.spelling import shown

LONGEST_NAME = 100
"""Of what people make at a site."""
LONGEST_KNOWN = 256
"""Of what an estate file names; nothing has a longer one."""


def is_name(text: str, longest: int = LONGEST_NAME) -> bool:
    return not any(holds(text, longest) for holds, _ in _FAULTS)


def refuse_no_name(text: str, thing: str = "", *, longest: int = LONGEST_NAME) -> None:
    """`thing` with its article: `a person`."""
    for holds, said in _FAULTS:
        if holds(text, longest):
            whose = f" for {thing}" if thing else ""
            raise Refused(f'"{shown(text)}" is no name{whose}: {said(text, longest)}')


def _strange(text: str, _: int) -> str:
    strange = next(character for character in text if not character.isprintable())
    return f"U+{ord(strange):04X} ({unicodedata.name(strange, 'a control character')}) cannot stand in one"


_FAULTS: tuple[tuple[Callable[[str, int], bool], Callable[[str, int], str]], ...] = (
    (lambda text, _: not text.strip(), lambda *_: "it is empty"),
    (
        lambda text, longest: len(text) > longest,
        lambda text, longest: f"it has {len(text):,} characters, and none has over {longest}",
    ),
    (lambda text, _: not text.isprintable(), _strange),
    (lambda text, _: bool({"/", "\\"} & set(text)), lambda *_: "a slash cannot stand in one"),
    (lambda text, _: not text.strip("."), lambda *_: "it is a place among folders"),
    (lambda text, _: text != text.strip(), lambda *_: "it begins or ends with a space"),
)
"""The first that holds is said."""
