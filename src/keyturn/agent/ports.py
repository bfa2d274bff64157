"""What the agent needs from outside. `keyturn.wiring` fills it."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from keyturn.model.secret import Secret
from keyturn.wire.agent import Headers, Reading, Reply, Send
from keyturn.wire.signing import Request


class Exchange(Protocol):
    """One request and its answer over TLS, verified by the site's own authority alone."""

    def __call__(self, request: Request, headers: Headers) -> Reply:
        """NoAnswer when the answer is missing, cut short or too long. Follows no redirect, repeats nothing."""


class Share(Protocol):
    """The access point: an authenticated file share whose accounts are the realm's."""

    def read(self, name: str, account: str, secret: Secret) -> Reading:
        """One logon and one file. A wrong password is a bad attempt on the account. NoAnswer when the realm's answer
        did not arrive: the attempt may have been made all the same."""


@dataclass(frozen=True, slots=True)
class AgentParts:
    exchange: Callable[[str, str], Exchange]
    """From the server's URL and the site's authority (PEM)."""
    share: Callable[[Send, str], Share]
    """From the signed channel and the access point's path."""
    authority: Callable[[str, str], str]
    """The site's authority (PEM) as the server's URL offers it, if its SHA-256 fingerprint is the given one;
    Refused otherwise."""
    now: Callable[[], float]
    random: Callable[[], float]
    """From 0 up to 1, to spread the contacts of many agents."""
    wait: Callable[[threading.Event, float], bool] = threading.Event.wait
    """Sleep for so many seconds, or until the event is set; whether it is."""
