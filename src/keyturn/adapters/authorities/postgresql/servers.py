"""The servers of a realm as connections are made to them."""

import ssl
from dataclasses import dataclass

from keyturn.adapters.authorities.databases.hosts import CONNECT_S, OPERATION_S, Host, hosts_of
from keyturn.adapters.authorities.reaching import settings_of
from keyturn.model.estate import Realm


@dataclass(frozen=True, slots=True)
class Server:
    """A socket is named by its directory. `database` is where Keyturn's own view is."""

    at: Host
    database: str

    def __str__(self) -> str:
        return self.socket if self.at.on_socket else str(self.at)

    @property
    def socket(self) -> str:
        return f"{self.at.name}/.s.PGSQL.{self.at.port}"

    def tls(self) -> ssl.SSLContext | None:
        """OSError if the file cannot be read."""
        return ssl.create_default_context(cafile=self.at.ca) if self.at.ca else None

    def libpq(self) -> dict[str, str | int]:
        """Said in full, so that nothing of it is taken from the environment."""
        proven: dict[str, str | int] = (
            {"sslmode": "verify-full", "sslrootcert": self.at.ca} if self.at.ca else {"sslmode": "disable"}
        )
        return proven | {
            "host": self.at.name,
            "port": self.at.port,
            "dbname": self.database,
            "gssencmode": "disable",
            "require_auth": "scram-sha-256",
            "connect_timeout": CONNECT_S,
            "tcp_user_timeout": OPERATION_S * 1000,
            "keepalives_idle": CONNECT_S,
            "keepalives_interval": 2,
            "keepalives_count": 3,
            "target_session_attrs": "any",
            "application_name": "keyturn",
            "client_encoding": "UTF8",
            # An empty path makes every name that the server writes a full one.
            "options": f"-c statement_timeout={OPERATION_S}s -c lock_timeout={CONNECT_S}s -c search_path=",
        }


def servers_of(realm: Realm) -> tuple[Server, ...]:
    settings = settings_of(realm, optional=("ca", "database", "port"))
    database = settings.get("database", "postgres")
    return tuple(Server(host, database) for host in hosts_of(realm, settings, port=5432))
