"""The command line's way to the server: REST over TLS that is pinned to the site's own authority."""

import json
from typing import Any
from urllib.parse import quote

from keyturn.model.errors import KeyturnError
from keyturn.model.names import LONGEST_KNOWN, refuse_no_name
from keyturn.model.secret import Secret
from keyturn.wire.door import Door

USUAL_S = 60.0
"""How long the server may take to answer."""


class ServerFailed(KeyturnError):
    """The server could not be reached, or could not do what it accepted."""


class NoAnswer(ServerFailed):
    """Nobody answers at all."""


class Api:
    """Raises KeyturnError with the server's own words and hint; ServerFailed where asking again may help.

    A body may hold Secrets. They are written in clear into the call that sends them, and into no variable: a traceback
    shows variables.
    """

    def __init__(self, door: Door) -> None:
        self._door = door

    def get(self, path: str, **query: object) -> Any:
        return self._json("GET", path, query=query)

    def post(self, path: str, body: object = None, *, within_s: float = USUAL_S) -> Any:
        return _decoded(self._send("POST", path, body, within_s=within_s))

    def put(self, path: str, body: object) -> Any:
        return self._json("PUT", path, body)

    def delete(self, path: str) -> None:
        self._json("DELETE", path)

    def content(self, path: str) -> bytes:
        return self._send("GET", path)

    def text(self, path: str, body: object = None) -> str:
        """An answer that is no JSON: a file, a picture, an envelope."""
        return self._send("GET" if body is None else "POST", path, body).decode()

    def put_text(self, path: str, text: str, media_type: str) -> Any:
        return _decoded(self._send("PUT", path, text, media_type=media_type))

    def _json(self, method: str, path: str, body: object = None, query: dict[str, object] | None = None) -> Any:
        return _decoded(self._send(method, path, body, query=query))

    def _send(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: dict[str, object] | None = None,
        media_type: str = "application/json",
        within_s: float = USUAL_S,
    ) -> bytes:
        import urllib3  # a tenth of a second, which `--help` need not pay

        url = f"{self._door.url}/api/v1{path}"
        if query:
            url += "?" + "&".join(f"{quote(key)}={quote(str(value))}" for key, value in query.items())
        try:
            with urllib3.PoolManager(ca_cert_data=self._door.authority_pem, retries=False, timeout=within_s) as pool:
                answer = pool.request(
                    method, url, body=_written(body, media_type), headers={"content-type": media_type, **self._bearer()}
                )
        except urllib3.exceptions.HTTPError as error:
            from keyturn.agent.transport import why_unanswered

            raise NoAnswer(
                f"no answer from {self._door.url}: {why_unanswered(error)}", hint="is `keyturn up` running there?"
            ) from None
        if answer.status >= 400:
            raise _told(answer.status, answer.data)
        return answer.data

    def _bearer(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self._door.token.reveal()}"} if self._door.token else {}


def segment(text: str) -> str:
    """One segment of a path. Refused for what nothing is called, and what another route might answer to."""
    refuse_no_name(text, longest=LONGEST_KNOWN)
    return quote(text, safe="")


def _written(body: object, media_type: str) -> str | None:
    if body is None or (isinstance(body, str) and media_type != "application/json"):
        return body
    return json.dumps(body, default=revealed)


def revealed(value: object) -> str:
    """For `json.dumps`: the clear text of a secret."""
    if isinstance(value, Secret):
        return value.reveal()
    raise TypeError(f"{type(value).__name__} does not travel")


def _decoded(data: bytes) -> Any:
    return json.loads(data) if data else None


def _told(status: int, data: bytes) -> KeyturnError:
    kind = ServerFailed if status >= 500 or status == 429 else KeyturnError
    try:
        said = json.loads(data)
    except ValueError:
        return kind(f"the server answered {status}")
    return kind(said.get("error", f"the server answered {status}"), said.get("hint", ""))
