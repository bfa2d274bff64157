"""The statements that change something, each by the one form in which it is understood; error 102 for any other."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.tds_fake.instance import Database, Instance, Login, Permission, SqlError, User

Part = str | None
_NAME = r"\[((?:[^\]]|\]\])+)\]"
_SPLIT = re.compile(r"\s*((?:N?'(?:[^']|'')*'|\[(?:[^\]]|\]\])*\]|[^;'\[])+)(?:;|$)")


def split(batch: str) -> list[str]:
    found, at = [], 0
    while at < len(batch.rstrip()):
        one = _SPLIT.match(batch, at)
        if one is None:
            raise _syntax(batch[at:])
        if one[1].strip():
            found.append(one[1].strip())
        at = one.end()
    return found


@dataclass
class Doing:
    """`database` is the session's; `online` the sids that are logged on."""

    instance: Instance
    by: Login
    database: str
    online: set[bytes]

    @property
    def place(self) -> Database:
        return self.instance.databases[self.database]

    def carry_out(self, statement: str) -> None:
        for form, act in _FORMS.items():
            found = re.fullmatch(form, statement)
            if found:
                act(self, *(part.replace("]]", "]") if part else part for part in found.groups()))
                return
        raise _syntax(statement)


def _create_login(do: Doing, name: str, hashed: str, policy: str, database: Part, language: Part) -> None:
    if not do.instance.may(do.by, "ALTER ANY LOGIN"):
        raise SqlError(15247, "User does not have permission to perform this action.")
    if policy == "ON":
        raise _hashed_under_policy()
    made = do.instance.add(name, _hash(hashed))
    made.policy, made.database, made.language = False, database or "master", language or "us_english"


def _alter_login(do: Doing, name: str, options: str) -> None:
    """HASHED is refused while the policy is on, and MUST_CHANGE keeps it on (ALTER LOGIN, Remarks)."""
    login = _alterable(do, name)
    found = dict(re.fullmatch(r"(\w+) = (\S+(?: HASHED)?)", option).groups() for option in options.split(", "))  # type: ignore[union-attr]
    policy = found.pop("CHECK_POLICY", "ON" if login.policy else "OFF") == "ON"
    expiration = found.pop("CHECK_EXPIRATION", "ON" if login.expiration and policy else "OFF") == "ON"
    if not policy and login.must_change:
        raise SqlError(
            15128, "The CHECK_POLICY and CHECK_EXPIRATION options cannot be turned OFF when MUST_CHANGE is ON."
        )
    if expiration and not policy:
        raise SqlError(15122, "The CHECK_EXPIRATION option cannot be used when CHECK_POLICY is OFF.")
    hashed = found.pop("PASSWORD", None)
    if found:
        raise _syntax(", ".join(found))
    if hashed:
        if policy:
            raise _hashed_under_policy()
        login.hash, login.set_at, login.expired = _hash(hashed), time.time(), False
    if not policy:
        login.bad_count, login.bad_at, login.locked = 0, None, False
    login.policy, login.expiration = policy, expiration


def _bar(do: Doing, name: str, word: str) -> None:
    _alterable(do, name).disabled = word == "DISABLE"


def _drop_login(do: Doing, name: str) -> None:
    login = _alterable(do, name)
    if login.sid in do.online:
        raise SqlError(15434, f"Could not drop login '{name}' as the user is currently logged in.")
    if any(database.owner == login.sid for database in do.instance.databases.values()):
        raise SqlError(15174, f"Login '{name}' owns one or more database(s). Change the owner of the database(s).")
    del do.instance.logins[login.name.lower()]
    for members in do.instance.roles.values():
        members.discard(login.sid)


def _join_server_role(do: Doing, role: str, name: str) -> None:
    """A member of the role may add to it, and who may alter all of them."""
    login, members = do.instance.login(name), do.instance.roles.get(role)
    if members is None or login is None:
        raise SqlError(15151, f"Cannot alter the server role '{role}', because it does not exist.")
    if not do.instance.mighty(do.by) and do.by.sid not in members:
        raise SqlError(15151, f"Cannot alter the server role '{role}', because you do not have permission.")
    members.add(login.sid)


def _use(do: Doing, name: str) -> None:
    entered = do.instance.may(do.by, "CONNECT ANY DATABASE") or name == "master"
    if name not in do.instance.databases or not (entered or do.instance.databases[name].user_of(do.by.sid)):
        raise SqlError(916, f'The server principal is not able to access the database "{name}".', 14)
    do.database = name


def _create_user(do: Doing, name: str, of: str, schema: Part) -> None:
    _mighty(do)
    login = do.instance.login(of)
    if login is None or name != of:
        raise SqlError(15007, f"'{of}' is not a valid login or you do not have permission.")
    if name in do.place.users or do.place.user_of(login.sid):
        raise SqlError(15063, "The login already has an account under a different user name.")
    do.place.users[name] = User(name, login.sid, schema)


def _join_role(do: Doing, role: str, name: str) -> None:
    _mighty(do)
    _user(do, name).roles.add(role)


def _grant(
    do: Doing, verb: str, what: str, kind: Part, one: Part, two: Part, three: Part, name: str, option: Part
) -> None:
    """At the scope of the server in `master` alone; the same right again changes nothing."""
    _mighty(do)
    state = "GRANT_WITH_GRANT_OPTION" if option else verb
    on_server = kind in ("LOGIN", "ENDPOINT", "SERVER ROLE") or (kind is None and what in _SERVER_PERMISSIONS)
    if on_server and do.database != "master":
        raise SqlError(4621, "Permissions at the server scope can only be granted when the current database is master")
    securable = _KINDS[kind] if kind else "SERVER" if on_server else "DATABASE"
    right: Permission = (state, what, securable, one, two, three)
    login = do.instance.login(name)
    if on_server and login is None:
        raise SqlError(15151, f"Cannot find the login '{name}', because it does not exist.")
    held = login.permissions if on_server and login else _user(do, name).permissions
    held[:] = [kept for kept in held if kept[1:] != right[1:]] + [right]


_SERVER_PERMISSIONS = frozenset(
    {"ALTER ANY LOGIN", "VIEW ANY CRYPTOGRAPHICALLY SECURED DEFINITION", "VIEW SERVER PERFORMANCE STATE", "CONNECT SQL"}
    | {"VIEW SERVER STATE", "VIEW ANY DEFINITION", "CONNECT ANY DATABASE", "CONTROL SERVER"}
)
_KINDS = {"LOGIN": "SQL_LOGIN", "ENDPOINT": "ENDPOINT", "OBJECT": "OBJECT_OR_COLUMN", "SCHEMA": "SCHEMA"}


def _alterable(do: Doing, name: str) -> Login:
    login = do.instance.login(name)
    needed = () if login and do.instance.mighty(login) else ("ALTER ANY LOGIN",)
    if login is None or not do.instance.may(do.by, *needed):
        raise SqlError(
            15151, f"Cannot alter the login '{name}', because it does not exist or you do not have permission."
        )
    return login


def _mighty(do: Doing) -> None:
    if not do.instance.mighty(do.by):
        raise SqlError(15247, "User does not have permission to perform this action.")


def _user(do: Doing, name: str) -> User:
    if name not in do.place.users:
        raise SqlError(
            15151, f"Cannot find the user '{name}', because it does not exist or you do not have permission."
        )
    return do.place.users[name]


def _hash(literal: str) -> bytes:
    found = re.fullmatch(r"0x(0200[0-9A-F]{136}) HASHED", literal)
    if not found:
        raise SqlError(15021, "Invalid value given for parameter PASSWORD. Specify a valid parameter value.")
    return bytes.fromhex(found[1])


def _hashed_under_policy() -> SqlError:
    """The documentation gives no number for it; this one is what people were told."""
    return SqlError(15118, "Password validation failed. The password does not meet Windows policy requirements.")


def _syntax(near: str) -> SqlError:
    return SqlError(102, f"Incorrect syntax near '{near[:40]}'.", 15)


_FORMS: dict[str, Callable[..., None]] = {
    rf"CREATE LOGIN {_NAME} WITH PASSWORD = (0x\w+ HASHED), CHECK_POLICY = (ON|OFF)"
    rf"(?:, DEFAULT_DATABASE = {_NAME}, DEFAULT_LANGUAGE = {_NAME})?": _create_login,
    rf"ALTER LOGIN {_NAME} WITH ((?:[A-Z_]+ = (?:ON|OFF|0x\w+ HASHED)(?:, )?)+)": _alter_login,
    rf"ALTER LOGIN {_NAME} (DISABLE|ENABLE)": _bar,
    rf"DROP LOGIN {_NAME}": _drop_login,
    rf"ALTER SERVER ROLE {_NAME} ADD MEMBER {_NAME}": _join_server_role,
    rf"USE {_NAME}": _use,
    rf"CREATE USER {_NAME} FOR LOGIN {_NAME}(?: WITH DEFAULT_SCHEMA = {_NAME})?": _create_user,
    rf"ALTER ROLE {_NAME} ADD MEMBER {_NAME}": _join_role,
    r"(GRANT|DENY) ([A-Z ]+?)"
    rf"(?: ON (LOGIN|ENDPOINT|OBJECT|SCHEMA|SERVER ROLE)::{_NAME}(?:\.{_NAME})?(?: \({_NAME}\))?)?"
    rf" TO {_NAME}( WITH GRANT OPTION)?": _grant,
}
