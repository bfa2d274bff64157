"""Whose software is: packages, programs, collections and advertisements are changed at the site that made them."""

from keyturn.model.accounts import same_name
from keyturn.model.errors import Refused
from keyturn.model.software import owner_of
from keyturn.operations.parts import Parts


def is_from_above(parts: Parts, identifier: str) -> bool:
    """Whether a site above has handed it down. Nothing that is not made yet, and has no identifier."""
    return bool(identifier) and not same_name(owner_of(identifier), parts.settings.site)


def refuse_from_above(parts: Parts, thing: str, identifier: str, command: str) -> None:
    """`thing` is what it is called, `command` does at its owner what is refused here."""
    if is_from_above(parts, identifier):
        owner = owner_of(identifier)
        raise Refused(f"{thing} belongs to site {owner}, and is changed there", hint=f"at site {owner}: {command}")
