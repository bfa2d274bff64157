"""The server of a realm as connections are made to it."""

import ssl
from dataclasses import dataclass

from keyturn.adapters.authorities.databases.hosts import Host, hosts_of
from keyturn.adapters.authorities.reaching import Login, settings_of
from keyturn.adapters.authorities.sql_server.tds.session import Session, log_on
from keyturn.model.errors import Refused
from keyturn.model.estate import Realm


@dataclass(frozen=True, slots=True)
class Server:
    at: Host

    def __str__(self) -> str:
        return str(self.at)

    def connect(self, login: Login) -> Session:
        """Exactly one logon."""
        context = ssl.create_default_context(cafile=self.at.ca)
        context.maximum_version = ssl.TLSVersion.TLSv1_2  # TDS 7 knows no later one; TDS 8 begins with TLS
        return log_on(self.at, context, login)


def server_of(realm: Realm) -> Server:
    """Refused for more than one: each instance has logins of its own, and none follows another."""
    settings = settings_of(realm, optional=("ca", "port"))
    hosts = hosts_of(realm, settings, port=1433)
    if len(hosts) != 1:
        raise Refused(
            f"realm {realm.name}: instances of SQL Server do not share their logins, so a realm is one of them",
            hint="a realm for each instance; the instances of a contained availability group are one, by its listener",
        )
    [host] = hosts
    if host.on_socket or not host.ca:
        raise Refused(
            f"realm {realm.name}: {host.name} would be reached without proof that it is the server",
            hint="[realm.connection] ca = the file with the certificate authority of its server",
        )
    return Server(host)
