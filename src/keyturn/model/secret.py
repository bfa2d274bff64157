"""A password that cannot be written anywhere by accident."""

import hmac
from typing import NoReturn


class Secret:
    """Holds one password. `reveal()` is the only exit.

    It is no `str`: joining, quoting, JSON and pickling raise `TypeError`, and every text form is `<secret>`.
    Comparing two secrets takes the same time wherever they differ.
    """

    __slots__ = ("_text",)
    __hash__ = None  # type: ignore[assignment]  # a set or dict key would compare by an unsalted hash

    def __init__(self, text: str) -> None:
        if not isinstance(text, str):
            raise TypeError("a Secret is made from text")
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    def __repr__(self) -> str:
        return "<secret>"

    def __format__(self, spec: str) -> str:
        return "<secret>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a Secret is never pickled")

    def __copy__(self) -> "Secret":
        return self

    def __deepcopy__(self, memo: object) -> "Secret":
        return self
