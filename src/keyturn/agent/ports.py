"""What the agent needs from outside. `keyturn.wiring` fills it."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import msgspec

from keyturn.agent.software.ports import Computer, LeftAlone, Point, Runner
from keyturn.model.errors import Refused
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.secret import Secret
from keyturn.wire.agent import FOLDER, Flow, Headers, Reading, Reply, Send
from keyturn.wire.signing import Request
from keyturn.wire.windows import ReachWindows, no_windows


class Exchange(Protocol):
    """One request and its answer over TLS, verified by the site's own authority alone."""

    def __call__(self, request: Request, headers: Headers) -> Reply:
        """NoAnswer when the answer is missing, cut short or too long. Follows no redirect, repeats nothing."""


class Stream(Protocol):
    """As an `Exchange`, for answers of any length. Any number at once, by threads."""

    def __call__(self, request: Request, headers: Headers) -> Flow:
        """Once the site has begun to answer. NoAnswer else."""


Open = Callable[[str, Headers], Flow]
"""A signed GET of a path at the agent's site. NoAnswer where it does not answer."""


class Share(Protocol):
    """The access point: an authenticated file share whose accounts are the realm's."""

    def reach(self) -> AbstractContextManager["Reached"]:
        """Nobody is logged on yet, so NoAnswer here has cost no attempt."""


class Reached(Protocol):
    def read(self, name: str, account: str, secret: Secret, box: str = FOLDER) -> Reading:
        """One logon and one file. A wrong password is a bad attempt on the account. NoAnswer when the realm's answer
        did not arrive: the attempt may have been made all the same."""


@runtime_checkable
class Letterbox(Protocol):
    """Of an access point that takes what clients write."""

    def leave(self, box: str, name: str, letter: msgspec.Struct, account: str, secret: Secret) -> Answer:
        """One logon and one file. The same name again is the same letter."""


def no_smb(place: str, _: LogonProtocol) -> Share:
    raise Refused(f"this agent cannot read {place}", hint="pip install 'keyturn[directory]'")


@dataclass(frozen=True, slots=True)
class SoftwareParts:
    runner: Callable[[Path, LogonProtocol], Runner]
    """Of programs; keeps its records in the folder named, and shows accounts to shares by that protocol."""
    stream: Callable[[str, str], Stream]
    """From the server's URL and the site's authority (PEM)."""
    smb_point: Callable[[str, LogonProtocol], Point]
    """A distribution point on a share, from its name."""
    https_point: Callable[[Open, str, str], Point]
    """One of the site's own server, from its path there and, for people, its URL."""
    domain_token: Callable[[], str] = lambda: ""
    """On a domain controller: sees to it that the domain has a token account. Why it cannot be used, or nothing."""
    computer: Computer = LeftAlone()


@dataclass(frozen=True, slots=True)
class AgentParts:
    exchange: Callable[[str, str], Exchange]
    """From the server's URL and the site's authority (PEM)."""
    share: Callable[[Send, str], Share]
    """An access point of the site's own server, from the signed channel and its path."""
    authority: Callable[[str, str], str]
    """The site's authority (PEM) as the server's URL offers it, if its SHA-256 fingerprint is the given one;
    Refused otherwise."""
    now: Callable[[], float]
    random: Callable[[], float]
    """From 0 up to 1, to spread the contacts of many agents."""
    wait: Callable[[threading.Event, float], bool] = threading.Event.wait
    """Sleep for so many seconds, or until the event is set; whether it is."""
    smb: Callable[[str, LogonProtocol], Share] = no_smb
    """An access point on a share, from its name."""
    windows: ReachWindows = no_windows
    """Other machines, whose services and tasks use an account of this agent."""
    software: SoftwareParts | None = None
    """None: this agent runs no programs."""
