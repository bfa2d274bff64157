"""A distribution point over HTTPS: the machine's own signature on every request, and HTTP Basic for an account."""

import base64
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from keyturn.distribution.accesses import Access
from keyturn.distribution.presenting import Note, NotLetIn, Point, Presentable, ReachedPoint
from keyturn.distribution.run_context import AsUser
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret
from keyturn.wire.agent import ANSWER_HEADER, Flow, Headers, NoAnswer
from keyturn.wire.content import file_path, first_of_range

Open = Callable[[str, Headers], Flow]
"""A signed GET; NoAnswer where the site does not answer."""


class HttpsPoint(Point):
    """`place` is its path on the site's own server, `url` the whole of it, for people."""

    def __init__(self, open_: Open, place: str, url: str) -> None:
        self._open = open_
        self._place = place
        self._url = url

    @contextmanager
    def reach(self, identity: Presentable, order: int, note: Note) -> Iterator[ReachedPoint]:
        """The first file that is read shows whether the identity is let in: a request is all there is."""
        asking = _Asking(self._url, identity, order, note)
        if isinstance(identity.identity, AsUser):
            raise asking.refused(Answer.NO_NETWORK_LOGON, 0, 0.0)  # a session shows itself to file servers alone
        yield _Reached(self._open, self._place, asking)


class _Asking:
    """One identity at one point, and what is told of it."""

    def __init__(self, url: str, presented: Presentable, order: int, note: Note) -> None:
        self.presented = presented
        self._url = url
        self._order = order
        self._note = note
        self._let_in = False

    def accepted(self, status: int, seconds: float) -> None:
        """Told once: the files after the first are read by the same identity."""
        if not self._let_in:
            self._let_in = True
            self._told(Answer.ACCEPTED, status, seconds)

    def refused(self, answer: Answer, status: int, seconds: float) -> NotLetIn:
        if answer is Answer.WRONG_PASSWORD:
            self.presented.spoiled()
        return NotLetIn(self._told(answer, status, seconds))

    def unanswered(self, status: int, seconds: float) -> None:
        self._told(None, status, seconds)

    def _told(self, answer: Answer | None, status: int, seconds: float) -> Access:
        access = Access(self._url, str(self.presented.identity), self._order, answer, status, seconds)
        self._note(access)
        return access


class _Reached(ReachedPoint):
    def __init__(self, open_: Open, place: str, asking: _Asking) -> None:
        self._open = open_
        self._place = place
        self._asking = asking

    def read(self, path: str, offset: int) -> Iterator[bytes]:
        flow, before = self._opened(path, offset)
        try:
            yield from _without(flow.pieces(), before) if before is not None else ()
        finally:
            flow.close()

    def _opened(self, path: str, offset: int) -> tuple[Flow, int | None]:
        """With what `_answered` says of it. Every request presents the password anew."""
        began = time.monotonic()
        with self._asking.presented.turn() as good:
            if not good:
                raise self._asking.refused(Answer.WRONG_PASSWORD, 0, 0.0)
            try:
                flow = self._open(file_path(self._place, path), self._headers(offset))
            except NoAnswer:
                self._asking.unanswered(0, time.monotonic() - began)
                raise
            try:
                return flow, self._answered(flow, offset, time.monotonic() - began)
            except BaseException:
                flow.close()
                raise

    def _headers(self, offset: int) -> Headers:
        secret = self._asking.presented.secret
        account = {} if secret is None else _basic(str(self._asking.presented.identity), secret)
        return {**account, **({"range": f"bytes={offset}-"} if offset else {})}

    def _answered(self, flow: Flow, offset: int, seconds: float) -> int | None:
        """How many bytes come that were not asked for; None where there is nothing behind the offset."""
        if flow.status in (200, 206, 416):
            self._asking.accepted(flow.status, seconds)
            first = first_of_range(flow.headers.get("content-range", "")) if flow.status == 206 else 0
            if first is None or first > offset:
                raise NoAnswer("the point answered with another part of the file")
            return offset - first if flow.status != 416 else None
        answer = _ANSWERS.get(flow.status)
        if answer is None:
            self._asking.unanswered(flow.status, seconds)
            raise NoAnswer(f"the point could not answer (status {flow.status})")
        raise self._asking.refused(_said(flow, answer), flow.status, seconds)


_ANSWERS = {401: Answer.UNKNOWN_ACCOUNT, 403: Answer.NO_FILE_ACCESS, 404: Answer.NO_FILE}
"""Where the realm was not asked: of the machine itself, 401 says that its key is not known."""


def _said(flow: Flow, otherwise: Answer) -> Answer:
    """The realm's own word, unless it let the account in and the file was then not to be had."""
    try:
        answer = Answer(flow.headers[ANSWER_HEADER])
    except (KeyError, ValueError):
        return otherwise
    return otherwise if answer is Answer.ACCEPTED else answer


def _without(pieces: Iterator[bytes], first: int) -> Iterator[bytes]:
    for piece in pieces:
        if first < len(piece):
            yield piece[first:] if first else piece
        first = max(0, first - len(piece))


def _basic(account: str, secret: Secret) -> Headers:
    """RFC 7617, in UTF-8. A colon in the account's name would move part of it into the password."""
    if ":" in account:
        raise ValueError("an account's name with a colon cannot log on here")
    return {"authorization": Secret("Basic " + base64.b64encode(f"{account}:{secret.reveal()}".encode()).decode())}
