"""A machine's side of the agents' routes, as a test needs it."""

from collections.abc import Callable, Mapping

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.testclient import TestClient

from keyturn.wire import agent as wire
from keyturn.wire.sealed import new_identity
from keyturn.wire.signing import Request, sign

HOST = "site.example:8443"
NAME = "PC-0001"
ACCOUNT = "CORP\\KtClient"


class Machine:
    """A machine's side: a key, a rising counter, and an age identity."""

    def __init__(self, http: TestClient, clock: Callable[[], float], name: str = NAME) -> None:
        self.http = http
        self.clock = clock
        self.name = name
        self.key = Ed25519PrivateKey.generate()
        self.identity = new_identity()
        self.counter = 0

    def signed(self, method: str, path: str, body: bytes = b"", *, name: str = "", age: int = 0) -> dict[str, str]:
        self.counter += 1
        created = int(self.clock()) - age
        return sign(Request(method, HOST, path, None, body), self.key, name or self.name, self.counter, created)

    def send(self, method: str, path: str, body: bytes = b"", **more: str):  # type: ignore[no-untyped-def]
        headers = {**self.signed(method, path, body), **more}
        return self.http.request(method, path, content=body, headers=headers)

    def check_in(self, **holds: int) -> wire.Directions:
        return self._asked(wire.CHECK_IN, holds)

    def assure(self, **holds: int) -> wire.Directions:
        return self._asked(wire.ASSURE, holds)

    def _asked(self, path: str, holds: Mapping[str, int]) -> wire.Directions:
        held = tuple(wire.Held(f"CORP\\{account}", generation) for account, generation in holds.items())
        answer = self.send("POST", path, wire.write(wire.CheckIn(held, "test")))
        assert answer.status_code == 200, answer.text
        return wire.read(wire.Directions, answer.content)
