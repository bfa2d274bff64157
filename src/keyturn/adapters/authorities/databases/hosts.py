"""Where a realm's servers are, and that nothing goes there in clear text."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass

from keyturn.model.errors import Refused
from keyturn.model.estate import Realm

CONNECT_S = 5
OPERATION_S = 10
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Host:
    """`name` is one that the certificate bears, or the path of a socket. `ca` is a file of certificates."""

    name: str
    port: int
    ca: str | None

    def __str__(self) -> str:
        return self.name if self.on_socket else f"{self.name}:{self.port}"

    @property
    def on_socket(self) -> bool:
        return self.name.startswith("/")

    def link(self, path: str) -> socket.socket:
        """Connected, by `path` if it is a socket. OSError where nobody answers."""
        if not self.on_socket:
            return socket.create_connection((self.name, self.port), CONNECT_S)
        link = socket.socket(socket.AF_UNIX)
        try:
            link.settimeout(CONNECT_S)
            link.connect(path)
        except OSError:
            link.close()
            raise
        return link


def hosts_of(realm: Realm, settings: Mapping[str, str], *, port: int) -> tuple[Host, ...]:
    """Without `ca` only sockets and loopback addresses are taken: their clear text leaves no machine."""
    written, ca = settings.get("port", str(port)), settings.get("ca")
    if not (written.isascii() and written.isdigit() and 0 < int(written) < 65536):
        raise Refused(f"realm {realm.name}: {written} is no port", hint=f'[realm.connection] port = "{port}"')
    hosts = tuple(Host(name, int(written), None if name.startswith("/") else ca) for name in realm.replicas)
    for host in hosts:
        if not (host.ca or host.on_socket or host.name in _LOOPBACK):
            raise Refused(
                f"realm {realm.name}: {host.name} would be reached in clear text",
                hint="[realm.connection] ca = the file with the certificate authority of its servers",
            )
    return hosts
