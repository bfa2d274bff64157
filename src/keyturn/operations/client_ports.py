"""What is kept of machines with an agent: their keys, what each is offered, and what each has proven.

Moments are seconds since the epoch. Every write is durable when the call returns.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from keyturn.model.accounts import Account, AnyAccount, Credential
from keyturn.model.estate import AccountLife, Proof
from keyturn.model.logon import Answer


@dataclass(frozen=True, slots=True)
class EnrolledClient:
    """A machine with an agent. `verify_key` is its raw Ed25519 public key, `recipient` its age recipient."""

    name: str
    verify_key: bytes
    recipient: str
    enrolled_at: float
    last_contact_at: float | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """A request with this number, whose signature held under the key that `client` had when it was looked up."""

    client: EnrolledClient
    counter: int


@dataclass(frozen=True, slots=True)
class Offer:
    """One account as it concerns one holder.

    `published` is the newest generation offered to the holder, None where there is none; `live` the generation that
    is live in the realm, None if unknown; `undecided` that a candidate is sealed whose fate is open; `doubted` that
    some holder was refused the live one and nobody has looked yet; `pardoned` that this holder was refused it and a
    person has looked.
    """

    account: AnyAccount
    life: AccountLife
    live: int | None
    undecided: bool
    published: int | None
    proven: int | None
    refused: int | None
    doubted: bool = False
    pardoned: bool = False


@dataclass(frozen=True, slots=True)
class Doubt:
    """A live credential that some holder was refused. `version` is the realm's mark it was proven live under."""

    credential: Credential
    account: Account
    version: int | None


class Clients(Protocol):
    def invite(self, name: str, token_hash: bytes, expires_at: float, by: str) -> None:
        """A new invitation replaces an unused one for the same name."""

    def enrol(self, token_hash: bytes, client: EnrolledClient) -> None:
        """Use up the invitation and register the keys. Refused for a token that is unknown, used, expired or for
        another name, with one and the same message."""

    def invited(self, names: Collection[str]) -> frozenset[str]:
        """Those of the names whose invitation is still good."""

    def forget_client(self, name: str) -> None:
        """The machine's key is worth nothing from here on, nor is an invitation. What it was offered and has proven
        stays known; a place it took and proved nothing in is free."""

    def client(self, name: str) -> EnrolledClient: ...

    def clients_of(self, names: Collection[str]) -> dict[str, EnrolledClient]:
        """Those of the names that are enrolled, by the name as asked for."""

    def enrolled(self) -> tuple[EnrolledClient, ...]: ...

    def advance_counters(self, heard: Sequence[Heard], now: float) -> list[bool]:
        """Take each request's number if it is higher than any before, in `heard` too. False for a replay, for a late
        one, and for a machine that has another key by now. One transaction for all."""

    def offer(self, credential: Credential, holders: Collection[str], at_once: int) -> None:
        """Offer a live credential outside any plan; what was offered or proven before stays as it is."""

    def offers(self, name: str) -> tuple[Offer, ...]: ...

    def offers_to(self, names: Collection[str]) -> dict[str, tuple[Offer, ...]]:
        """By name, in one consistent reading."""

    def take(self, credential: Credential, names: Collection[str], now: float) -> frozenset[str]:
        """Claim places for trying the credential, as many as are free, for these holders in their order. Those of
        them that have a place now, or had one before."""

    def prove(self, name: str, credential: Credential, proof: Proof, now: float) -> bool:
        """Record a proven logon. False for a credential this holder was never given."""

    def refuse(self, name: str, credential: Credential, answer: Answer, now: float) -> bool: ...

    def readmit(self, name: str, now: float) -> None:
        """Forget this holder's refusals: it may try once more."""

    def doubted(self) -> tuple[Doubt, ...]: ...

    def trust(self, credential: Credential, now: float) -> None:
        """The refusals so far were looked into: the credential is what the realm has."""

    def dropped(self, account: AnyAccount, names: Collection[str], now: float) -> None:
        """These holders have forgotten a withdrawn account."""
