"""As whom a store's server is logged on at."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy.engine import URL

from keyturn.model.secret import Secret


@dataclass(frozen=True, slots=True)
class StoreLogin:
    """`name` None: the one in the store's address. Another one is a member of that role and acts as it does, so that
    accounts may follow one another while the store keeps its owner."""

    secret: Secret
    name: str | None = None

    @classmethod
    def from_text(cls, text: str) -> "StoreLogin":
        """A password on the last line, and before it, where there is one, the name it belongs to."""
        *name, secret = text.strip().splitlines() or [""]
        return cls(Secret(secret), name[0] if name else None)

    def text(self) -> str:
        return "".join(f"{line}\n" for line in (self.name, self.secret.reveal()) if line)


StoreLogins: TypeAlias = Callable[[], StoreLogin]
"""The one that works now, asked for at each new connection."""


def session_options(settings: dict[str, str]) -> str:
    """As libpq hands them to the server: a blank or a backslash in a value is written with a backslash before it."""
    return " ".join(f"-c {name}={_escaped(value)}" for name, value in settings.items())


def logging_on(url: URL, logins: StoreLogins | None, settings: dict[str, str]) -> dict[str, Any]:
    """What a new connection is made with beside its address: name, password, and the settings of its session."""
    if logins is None:
        return {"options": session_options(settings)}
    login = logins()
    name = login.name or url.username
    acting = {"role": url.username} if url.username and name != url.username else {}
    return {"user": name, "password": login.secret.reveal(), "options": session_options(settings | acting)}


def name_of(url: URL, logins: StoreLogins | None) -> str | None:
    """Whom the next connection will be made as; None where the server asks for nobody in particular."""
    return (logins().name if logins else None) or url.username


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace(" ", "\\ ")
