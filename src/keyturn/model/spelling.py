"""Words that somebody typed: as a message may hold them, and which known one was meant."""

import difflib
from collections.abc import Collection

from keyturn.model.accounts import canonical

_WIDEST = 60
_MOST_CANDIDATES = 500
"""Comparing with more names than this takes longer than the reader saves."""


def shown(text: str) -> str:
    """`text` as a message may hold it: short, and with nothing in it that could steer a terminal."""
    clipped = text[: _WIDEST + 1]
    plain = clipped if clipped.isprintable() else ascii(clipped)[1:-1]
    return plain if len(plain) <= _WIDEST else plain[: _WIDEST - 1] + "…"


def nearest(word: str, known: Collection[str], otherwise: str = "") -> str:
    """A hint that names the known word most like `word`, or `otherwise`."""
    if len(word) > _WIDEST or len(known) > _MOST_CANDIDATES:
        return otherwise
    spelt = {canonical(name): name for name in known}
    close = difflib.get_close_matches(canonical(word), spelt, n=1)
    return f"did you mean {shown(spelt[close[0]])}?" if close else otherwise
