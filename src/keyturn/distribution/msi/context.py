"""Under whom a package is run, as far as the installer minds."""

from dataclasses import dataclass
from enum import StrEnum


class Context(StrEnum):
    LOCAL_SYSTEM = "local-system"
    USER = "user"
    """The logged-on user, without administrative rights."""
    ADMIN_USER = "admin-user"
    """The logged-on user, who is an administrator and has agreed to be one for this run."""
    TOKEN = "token"  # an account, not a secret
    """The account in whose name a legacy client runs administrative programs, raised for the run."""


@dataclass(frozen=True, slots=True)
class Caller:
    profile: str
    """What an installation for one user would land in."""
    privileged: bool
    a_person: bool
    """Whether somebody works with that profile. Nobody finds what lies in any other."""


ALL_USERS = "all-users"

CALLERS: dict[Context, Caller] = {
    Context.LOCAL_SYSTEM: Caller("SYSTEM", privileged=True, a_person=False),
    Context.USER: Caller("user", privileged=False, a_person=True),
    Context.ADMIN_USER: Caller("admin-user", privileged=True, a_person=True),
    Context.TOKEN: Caller("token", privileged=True, a_person=False),
}
