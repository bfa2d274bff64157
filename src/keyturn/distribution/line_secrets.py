"""Passwords that stand in command lines, by what they look like: what nothing marks as one is not found."""

import re

MASK = "…"

_SECRET = re.compile(
    r"""(?ix)
    (?P<before>
        (?:passwor[dt] | passwd | pwd | secret | token | api[-_]?key) (?:\s*[=:]\s* | \s+(?!-))  # called one
        | //[^\s/@:]+:(?=[^\s/@]+@)  # between a user and a host
    )
    (?: "[^"]*" | '[^']*' | [^\s@]+(?=@) | \S+ )
    """
)


def holds_a_secret(line: str) -> bool:
    return _SECRET.search(line) is not None


def masked(line: str) -> str:
    """For records that are kept for ever."""
    return _SECRET.sub(rf"\g<before>{MASK}", line)
