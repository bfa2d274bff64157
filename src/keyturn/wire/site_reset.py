"""The shapes of site resets and of what they leave behind."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RemadeShape:
    """`was` and `now` are identities in the realm; `now` is null until it is made."""

    account: str
    was: str
    now: str | None


@dataclass(frozen=True, slots=True)
class ResetReportShape:
    """Accounts by what became of them: `regenerated` kept their identity, `kept` their password too."""

    site: str
    state: str
    kept: list[str]
    regenerated: list[str]
    remade: list[RemadeShape]
    made: list[str]
    left_out: list[str]


@dataclass(frozen=True, slots=True)
class LeftOutShape:
    """`at` in seconds since the epoch."""

    system: str
    plan_id: str
    at: float


@dataclass(frozen=True, slots=True)
class RemovalShape:
    """`orphans` are clients that would not learn the new password; `below` are sites it is the parent of."""

    site: str
    server: str
    orphans: list[str]
    below: list[str]
