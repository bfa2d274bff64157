"""Passwords that stand in command lines, by what they look like: what nothing marks as one is not found."""

import re

MASK = "…"

_SECRET = re.compile(
    r"""(?ix)
    (?P<called> (?:passwor[dt] | passwd | pwd | secret | token | api[-_]?key) (?: \s*[=:]\s* | \s+(?!-) ) )
    (?: "[^"]*" | '[^']*' | \S+ )
    | (?P<user> //[^\s/@:]+: ) [^\s/@]+ (?=@)
    """
)


def holds_a_secret(line: str) -> bool:
    return _SECRET.search(line) is not None


def masked(line: str) -> str:
    """For records that are kept for ever."""
    return _SECRET.sub(lambda found: (found["called"] or found["user"]) + MASK, line)
