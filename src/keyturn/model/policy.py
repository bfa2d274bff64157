"""What a realm demands of passwords and does to wrong ones. Durations are seconds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RealmPolicy:
    """The effective policy for an account: a fine-grained one where the realm has it, else the realm's own.

    `lockout_threshold` 0 never locks. `lockout_duration_s` 0 locks until an administrator unlocks.
    `history` counts the current password as entry 0, so a previous one needs a history of at least 2.
    `grace_s` is how long the previous password still logs on over NTLM and LDAP (0: not at all).
    """

    lockout_threshold: int = 5
    lockout_window_s: float = 1800
    lockout_duration_s: float = 1800
    history: int = 24
    grace_s: float = 3600
    min_length: int = 7
    complexity: bool = True
    min_age_s: float = 0
    max_age_s: float = 0
