"""Logons at what this server keeps behind the realm's accounts: HTTP Basic in, the realm's answer in a header out."""

import base64

from starlette.responses import Response

from keyturn.model.errors import NotFound
from keyturn.model.estate import Holder
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret
from keyturn.operations.access import log_on
from keyturn.operations.client_ports import EnrolledClient
from keyturn.operations.parts import Parts
from keyturn.server.callers import Arrived
from keyturn.wire import agent as wire


def answer_to(parts: Parts, arrived: Arrived, machine: EnrolledClient | None, source: str) -> Answer | None:
    """None when no logon was asked for."""
    presented = presented_in(arrived.headers)
    if presented is None:
        return None
    account, password = presented
    realm_name = account.partition("\\")[0]
    try:
        realm = parts.access_realm(realm_name)
    except NotFound:
        return Answer.UNKNOWN_ACCOUNT
    holder: Holder | None = parts.machine(machine.name) if machine else None
    return log_on(parts.store, realm, account, password, machine=holder, source=source, now=parts.now())


def not_let_in(answer: Answer | None) -> Response:
    if answer is None:
        return Response(status_code=401, headers={"www-authenticate": 'Basic realm="keyturn", charset="UTF-8"'})
    return Response(status_code=401, headers={wire.ANSWER_HEADER: answer.value})


def presented_in(headers: dict[str, str]) -> tuple[str, Secret] | None:
    """The account and its password as RFC 7617 has them, in UTF-8; None where there are none."""
    kind, _, encoded = headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic" or len(encoded) > 2048:
        return None
    try:
        account, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return None
    return (account, Secret(password)) if colon else None
