"""Long answers of the site, asked for as the agent asks for everything: signed, and in the order of its numbers."""

from keyturn.agent.client import Client
from keyturn.agent.home import Home
from keyturn.agent.ports import Stream
from keyturn.wire.agent import Flow, Headers


class SiteChannel:
    """`client` is used by nobody else meanwhile. Any number of answers at once, by threads."""

    def __init__(self, home: Home, client: Client, stream: Stream) -> None:
        self._home = home
        self._client = client
        self._stream = stream

    def open(self, path: str, headers: Headers) -> Flow:
        """Under the folder's lock until the site has begun to answer: a request that arrives after one with a higher
        number is taken for a replay."""
        with self._home.lock():
            self._client.credentials.refresh()
            return self._client.link.open(self._stream, path, headers)
