"""`user@host`, the name and identity of an account."""

from dataclasses import dataclass

from keyturn.adapters.authorities.mariadb.servers import Session

ANYWHERE = "%"


@dataclass(frozen=True, slots=True)
class UserAtHost:
    user: str
    host: str

    @property
    def sid(self) -> str:
        return f"{self.user}@{self.host}"

    @property
    def name(self) -> str:
        """As people write it: from anywhere goes without saying."""
        return self.user if self.host == ANYWHERE else self.sid

    def quoted(self, session: Session) -> str:
        """As a statement has it. The last `@` divides, so a user may have one in its name and a host may not."""
        return f"{session.escape(self.user)}@{session.escape(self.host)}"

    @property
    def shown(self) -> str:
        """As the server writes it in a grant."""
        return f"{identifier(self.user)}@{identifier(self.host)}"


def parsed(name: str) -> UserAtHost:
    user, at, host = name.rpartition("@")
    return UserAtHost(user, host.lower()) if at else UserAtHost(name, ANYWHERE)


def identifier(name: str) -> str:
    return f"`{name.replace('`', '``')}`"
