"""The servers of a realm as connections are made to them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn, TypeAlias

import pymysql
from pymysql.connections import Connection
from pymysql.cursors import Cursor

from keyturn.adapters.authorities.databases.hosts import OPERATION_S, Host, hosts_of
from keyturn.adapters.authorities.reaching import Login, settings_of
from keyturn.model.estate import Realm

Session: TypeAlias = "Connection[Cursor]"


class ClearPasswordWanted(Exception):
    """The server asks for the password in a form from which it can be read."""


class _Never:
    """Stands where the driver would answer such a request."""

    def __init__(self, connection: object) -> None:
        pass

    def authenticate(self, packet: object) -> NoReturn:
        raise ClearPasswordWanted


_REFUSED: dict[Any, Callable[[Any], Any]] = dict.fromkeys(  # the driver looks them up as bytes, its types say text
    (b"mysql_clear_password", b"dialog", b"mysql_old_password", b"sha256_password", b"caching_sha2_password"), _Never
)


@dataclass(frozen=True, slots=True)
class Server:
    at: Host

    def __str__(self) -> str:
        return str(self.at)

    def connect(self, login: Login) -> Session:
        """Each statement its own transaction; names and passwords are UTF-8."""
        proven: dict[str, Any] = (
            {"ssl_ca": self.at.ca, "ssl_verify_cert": True, "ssl_verify_identity": True}
            if self.at.ca
            else {"ssl_disabled": True}
        )
        session: Session = pymysql.connect(
            **proven,
            host="localhost" if self.at.on_socket else self.at.name,
            user=login.name,
            password=login.secret.reveal().encode(),
            charset="utf8mb4",
            autocommit=True,
            read_timeout=OPERATION_S,
            write_timeout=OPERATION_S,
            auth_plugin_map=_REFUSED,
            defer_connect=True,
        )
        session.connect(self.at.link(self.at.name))  # the driver would leave its own open where nobody answers
        return session


def servers_of(realm: Realm) -> tuple[Server, ...]:
    settings = settings_of(realm, optional=("ca", "port"))
    return tuple(Server(host) for host in hosts_of(realm, settings, port=3306))
