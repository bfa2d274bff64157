"""HTTPS to one server, trusting one certificate authority: the site's own."""

import hashlib
import hmac
import ssl
import warnings
from collections.abc import Iterator

import urllib3
from urllib3.exceptions import HTTPError, InsecureRequestWarning

from keyturn import __version__
from keyturn.agent.link import authority_of
from keyturn.model.errors import Refused
from keyturn.wire.agent import AUTHORITY, MAX_ANSWER, Headers, NoAnswer, Reply, in_clear
from keyturn.wire.signing import Request

PIECE = 1024 * 1024
"""Bytes of a long answer that are handed on in one go."""
TIMEOUT = urllib3.Timeout(connect=5, read=20)


class PinnedHttps:
    """An `Exchange`. One connection, kept open between contacts that follow closely."""

    def __init__(self, server: str, ca: str) -> None:
        self._pool = _pool(server, _trusting(ca))

    def __call__(self, request: Request, headers: Headers) -> Reply:
        return _ask(self._pool, request, headers)


class PinnedStream:
    """A `Stream`. Connections are kept open for the next file."""

    def __init__(self, server: str, ca: str) -> None:
        self._pool = _pool(server, _trusting(ca))

    def __call__(self, request: Request, headers: Headers) -> "_Flow":
        try:
            return _Flow(_opened(self._pool, request, headers))
        except (HTTPError, OSError) as error:
            raise _no_answer(error) from None


class _Flow:
    def __init__(self, answer: urllib3.BaseHTTPResponse) -> None:
        self.status = answer.status
        self.headers = _lower(answer)
        self._answer = answer

    def pieces(self) -> Iterator[bytes]:
        try:
            while piece := self._answer.read(PIECE, decode_content=False):
                yield piece
        except (HTTPError, OSError) as error:
            raise _no_answer(error) from None

    def close(self) -> None:
        """A connection on which bytes are still to come is of no use to the next request."""
        if self._answer.closed:
            self._answer.release_conn()
        else:
            self._answer.close()


def fetch_authority(server: str, fingerprint: str) -> str:
    """The authority the server offers, once its SHA-256 fingerprint is found to be the given one. Until then nothing
    is believed and nothing is told, so this connection need not be verified."""
    request = Request("GET", authority_of(server), AUTHORITY)
    with warnings.catch_warnings(), _pool(server, _trusting_nobody()) as pool:
        warnings.simplefilter("ignore", InsecureRequestWarning)
        reply = _ask(pool, request, {})
    if reply.status != 200:
        raise NoAnswer(f"the server offers no authority (status {reply.status})")
    try:
        certificate = ssl.PEM_cert_to_DER_cert(reply.body.decode("ascii").strip())
    except ValueError:
        raise NoAnswer("the server offers no certificate as its authority") from None
    found = hashlib.sha256(certificate).hexdigest()
    wanted = fingerprint.rpartition("=")[2].replace(":", "").strip().lower()  # openssl's whole line will do
    if not hmac.compare_digest(found.encode(), wanted.encode()):
        raise Refused(
            "the server's authority does not have this fingerprint", hint="compare it with the one shown by the site"
        )
    return ssl.DER_cert_to_PEM_cert(certificate)


def _pool(server: str, context: ssl.SSLContext) -> urllib3.HTTPSConnectionPool:
    authority = urllib3.util.parse_url(f"https://{authority_of(server)}")
    return urllib3.HTTPSConnectionPool(
        authority.host or "", authority.port or 443, maxsize=1, timeout=TIMEOUT, retries=False, ssl_context=context
    )


def _trusting(ca: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    try:
        context.load_verify_locations(cadata=ca)
    except (ssl.SSLError, ValueError):
        raise Refused("this is no certificate authority in PEM form", hint="keyturn agent enrol --ca FILE") from None
    return context


def _trusting_nobody() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _ask(pool: urllib3.HTTPSConnectionPool, request: Request, headers: Headers) -> Reply:
    """The text of urllib3's errors names host and path, never a header or a body; its frames have both, so they end
    here."""
    try:
        answer = _opened(pool, request, headers)
        with answer:
            content = answer.read(MAX_ANSWER + 1, decode_content=False)
    except (HTTPError, OSError) as error:
        raise _no_answer(error) from None
    if len(content) > MAX_ANSWER:
        raise NoAnswer("the site's answer is too long")
    return Reply(answer.status, _lower(answer), content)


def _opened(pool: urllib3.HTTPSConnectionPool, request: Request, headers: Headers) -> urllib3.BaseHTTPResponse:
    return pool.urlopen(
        request.method,
        request.path if request.query is None else f"{request.path}?{request.query}",
        body=request.body or None,
        headers={"user-agent": f"keyturn-agent/{__version__}", **in_clear(headers)},
        redirect=False,
        preload_content=False,
    )


def _no_answer(error: Exception) -> NoAnswer:
    return NoAnswer(f"the site did not answer: {why_unanswered(error)}")


def why_unanswered(error: Exception) -> str:
    """The system's own words where it has some: urllib3 puts the name of its class and the whole address before them,
    which whoever reads this has asked for."""
    cause = error.__cause__
    return (cause.strerror if isinstance(cause, OSError) and cause.strerror else str(error))[:200]


def _lower(answer: urllib3.BaseHTTPResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.headers.items()}
