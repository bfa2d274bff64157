"""The shapes of envelopes in the API for people, version 1. None of them holds a password."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class CustodianShape:
    """`fingerprint` is that of the custodian's age recipient."""

    name: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class OutsideShape:
    """What can be read without opening. `digest` is the SHA-256 of the sealed bytes."""

    account: str
    generation: int
    site: str
    needed: int
    custodians: list[CustodianShape]
    opens_with: list[list[str]]
    digest: str


@dataclass(frozen=True, slots=True)
class SealedShape:
    """`state` is `live`, or `undecided` while a change is under way; `renew`: sealed for other custodians than the
    settings name now."""

    generation: int
    state: str
    needed: int
    custodians: list[CustodianShape]
    renew: bool
    damage: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class PaperShape:
    serial: str
    generation: int
    printed_at: float
    printed_by: str
    confirmed_at: float | None
    """When a drill was passed with it."""
    void: bool


@dataclass(frozen=True, slots=True)
class DrillShape:
    generation: int
    at: float
    by: str
    passed: bool
    serial: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class EnvelopeShape:
    """`out_of_sight` counts the sealed copies of the live generation that left Keyturn."""

    account: str
    life: str
    sealed: list[SealedShape]
    opened_at: float | None
    opened_by: str
    due: str
    out_of_sight: int
    papers: list[PaperShape]
    drill: DrillShape | None
    """The last one."""


@dataclass(frozen=True, slots=True)
class VerifiedShape:
    account: str
    generation: int | None
    faults: list[str]
    note: str = ""


@dataclass(frozen=True, slots=True)
class HandedOutShape:
    """`serial` for a print, `challenge` for a drill. `told` False: the log could not be written."""

    account: str
    generation: int
    envelope: str
    serial: str = ""
    challenge: str = ""
    told: bool = True
