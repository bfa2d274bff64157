"""The shapes in which what a realm shows of itself travels."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FoundAccountShape:
    """`known`: the estate has it already. `certainty` is `likely`, `possible` or, of a known one, `none`."""

    name: str
    known: bool
    certainty: str
    role: str
    enabled: bool
    policy: str
    """The fine-grained policy in force for it; empty: the realm's own."""
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LeftOutShape:
    why: str
    count: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PolicyShape:
    """Durations in seconds; 0 as in the estate file: never locks, until unlocked, no end."""

    name: str
    lockout_threshold: int
    lockout_window_s: float
    lockout_duration_s: float
    history: int
    min_length: int
    max_age_s: float


@dataclass(frozen=True, slots=True)
class PublishedSiteShape:
    code: str
    management_points: tuple[str, ...]
    locator_points: tuple[str, ...]
    boundaries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DiscoveryShape:
    """`people` are counted, not named: accounts without a sign of being a service's."""

    realm: str
    kind: str
    servers: tuple[str, ...]
    policies: tuple[PolicyShape, ...]
    sites: tuple[PublishedSiteShape, ...]
    accounts: tuple[FoundAccountShape, ...]
    left_out: tuple[LeftOutShape, ...]
    people: int
