"""What the server keeps in memory: logins with what becomes of logons, server roles, databases with their users."""

import hashlib
import secrets
import time
from dataclasses import dataclass, field

Permission = tuple[str, str, str, str | None, str | None, str | None]
"""State, permission, kind of securable, and up to three names of it."""


class SqlError(Exception):
    def __init__(self, number: int, text: str, severity: int = 16) -> None:
        super().__init__(number)
        self.number, self.text, self.severity = number, text, severity


@dataclass
class Login:
    name: str
    sid: bytes
    hash: bytes
    policy: bool = True
    expiration: bool = False
    disabled: bool = False
    must_change: bool = False
    expired: bool = False
    database: str = "master"
    language: str = "us_english"
    set_at: float = 0
    bad_count: int = 0
    bad_at: float | None = None
    locked: bool = False
    permissions: list[Permission] = field(
        default_factory=lambda: [("GRANT", "CONNECT SQL", "SERVER", None, None, None)]
    )


@dataclass
class User:
    name: str
    sid: bytes
    schema: str | None = "dbo"
    roles: set[str] = field(default_factory=set)
    permissions: list[Permission] = field(default_factory=lambda: [("GRANT", "CONNECT", "DATABASE", None, None, None)])
    owns: list[str] = field(default_factory=list)


@dataclass
class Database:
    owner: bytes = b"\x01"
    users: dict[str, User] = field(default_factory=dict)

    def user_of(self, sid: bytes) -> User | None:
        return next((user for user in self.users.values() if user.sid == sid), None)


@dataclass
class Instance:
    """`threshold`: Windows' own, heeded under CHECK_POLICY alone. A lock lasts until somebody ends it."""

    threshold: int
    logins: dict[str, Login] = field(default_factory=dict)
    roles: dict[str, set[bytes]] = field(default_factory=lambda: {"sysadmin": set(), "processadmin": set()})
    databases: dict[str, Database] = field(default_factory=lambda: {"master": Database()})

    def login(self, name: str) -> Login | None:
        return self.logins.get(folded(name))

    def add(self, name: str, hashed: bytes) -> Login:
        if self.login(name):
            raise SqlError(15025, f"The server principal '{name}' already exists.")
        made = self.logins[folded(name)] = Login(name, secrets.token_bytes(16), hashed, set_at=time.time())
        return made

    def log_on(self, name: str, password: str) -> Login:
        """What a client is told of each case: "Troubleshooting: Login failed", MSSQLSERVER_18456."""
        login = self.login(name)
        if login is None:
            raise _failed(name)
        if login.locked:
            raise SqlError(18486, f"Login failed for user '{name}' because the account is currently locked out.", 14)
        if not matches(login.hash, password):
            if login.policy:
                login.bad_count += 1
                login.bad_at = time.time()
                login.locked = login.bad_count >= self.threshold
            raise _failed(name)
        login.bad_count = 0
        for wrong, number, why in (
            (login.disabled, 18470, "Reason: The account is disabled."),
            (login.must_change, 18488, "Reason: The password of the account must be changed."),
            (login.expired, 18487, "Reason: The password of the account has expired."),
        ):
            if wrong:
                raise SqlError(number, f"Login failed for user '{name}'. {why}", 14)
        if any(p[:2] == ("DENY", "CONNECT SQL") for p in login.permissions):
            raise _failed(name)
        return login

    def may(self, login: Login, *permissions: str) -> bool:
        held = {p[1] for p in login.permissions if p[0].startswith("GRANT") and p[2] == "SERVER"}
        return login.sid in self.roles["sysadmin"] or bool(held & {"CONTROL SERVER", *permissions})

    def mighty(self, login: Login) -> bool:
        return self.may(login)


def matches(stored: bytes, password: str) -> bool:
    version, salt, digest = stored[:2], stored[2:6], stored[6:]
    return version == b"\x02\x00" and hashlib.sha512(password.encode("utf-16-le") + salt).digest() == digest


def folded(name: str) -> str:
    """The usual collation: case and spaces at the end make no difference."""
    return name.rstrip(" ").lower()


def _failed(name: str) -> SqlError:
    return SqlError(18456, f"Login failed for user '{name}'.", 14)
