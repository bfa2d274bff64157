"""Keys for installing at logon: what is kept of them. Moments are seconds since the epoch."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class LogonKey:
    """`used` counts the machines it has enrolled."""

    name: str
    issued_by: str
    issued_at: float
    expires_at: float
    revoked_at: float | None = None
    used: int = 0

    def good(self, now: float) -> bool:
        return self.revoked_at is None and now < self.expires_at


class LogonKeys(Protocol):
    def issue_logon_key(self, key: LogonKey, key_hash: bytes) -> None:
        """Refused for a name that is taken."""

    def logon_keys(self) -> tuple[LogonKey, ...]:
        """By name."""

    def logon_key(self, key_hash: bytes) -> LogonKey | None: ...

    def revoke_logon_key(self, name: str, now: float) -> bool:
        """False where none of that name is good."""

    def count_logon_key(self, name: str) -> None: ...
