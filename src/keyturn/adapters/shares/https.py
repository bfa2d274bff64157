"""A client access point over HTTPS: HTTP Basic carries the logon, a header the realm's answer to it."""

import base64

from keyturn.model.logon import Answer
from keyturn.model.secret import Secret
from keyturn.wire.agent import ANSWER_HEADER, Headers, NoAnswer, Reading, Reply, Send, share_path


class HttpsShare:
    """`send` signs each request, so that the site can tell which machine logged on."""

    def __init__(self, send: Send, access_point: str) -> None:
        self._send = send
        self._access_point = access_point

    def read(self, name: str, account: str, secret: Secret) -> Reading:
        reply = self._send("GET", share_path(self._access_point, name), headers=_basic(account, secret))
        answer = _answer(reply)
        if answer is not Answer.ACCEPTED or reply.status == 404:
            return Reading(answer)
        if reply.status != 200:
            raise NoAnswer(f"the access point let us in and then failed (status {reply.status})")
        return Reading(answer, reply.body)


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
