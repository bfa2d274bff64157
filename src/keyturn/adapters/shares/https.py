"""A client access point over HTTPS: HTTP Basic carries the logon, a header the realm's answer to it."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from keyturn.model.logon import Answer
from keyturn.model.secret import Secret
from keyturn.wire.agent import ANSWER_HEADER, FOLDER, Headers, NoAnswer, Reading, Reply, Send, box_path, share_path


class HttpsShare:
    """`send` signs each request, so that the site can tell which machine logged on."""

    def __init__(self, send: Send, access_point: str) -> None:
        self._send = send
        self._access_point = access_point

    @contextmanager
    def reach(self) -> Iterator["HttpsShare"]:
        """One request is all there is: the server that answers it is the one just asked for directions."""
        yield self

    def read(self, name: str, account: str, secret: Secret, box: str = FOLDER) -> Reading:
        reply = self._send("GET", share_path(self._access_point, name, box), headers=_basic(account, secret))
        answer = _answer(reply)
        if answer is not Answer.ACCEPTED:
            return Reading(answer)
        if reply.status == 404:
            return Reading(Answer.NO_FILE)
        if reply.status != 200:
            raise NoAnswer(f"the access point let us in and then failed (status {reply.status})")
        return Reading(answer, reply.body)

    def leave(self, box: str, name: str, letter: msgspec.Struct, account: str, secret: Secret) -> Answer:
        path = box_path(self._access_point, box, name)
        reply = self._send("POST", path, letter, headers=_basic(account, secret))
        answer = _answer(reply)
        if answer is Answer.ACCEPTED and reply.status not in (200, 201):
            return Answer.NO_FILE_ACCESS
        return answer


def _basic(account: str, secret: Secret) -> Headers:
    """RFC 7617, in UTF-8. A colon in the account's name would move part of it into the password."""
    if ":" in account:
        raise ValueError("an account's name with a colon cannot log on here")
    return {"authorization": Secret("Basic " + base64.b64encode(f"{account}:{secret.reveal()}".encode()).decode())}


def _answer(reply: Reply) -> Answer:
    try:
        return Answer(reply.headers[ANSWER_HEADER])
    except (KeyError, ValueError):
        raise NoAnswer(f"the access point gave no answer of the realm (status {reply.status})") from None
