"""This client's policy: asked for, checked, kept. What is kept is good until it expires, whether the site is there or
not.

A policy that is forged, older than the kept one, another client's or damaged changes nothing (N7).
"""

import hashlib
from contextlib import suppress
from typing import Annotated

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from keyturn.agent.client import Client
from keyturn.agent.records import Damaged, decode
from keyturn.agent.software.place import POLICY as POLICY_FILE
from keyturn.agent.software.place import Place
from keyturn.model.errors import KeyturnError
from keyturn.model.software import Policy
from keyturn.wire.agent import BadMessage, NoAnswer, read
from keyturn.wire.policy import OFFER_BOX, POLICY, POLICY_KEY, PURPOSE, PolicyKey, SignedPolicy, from_body, policy_file
from keyturn.wire.sealed import recipient_of

_WAY_OUT = "move policy.json in the agent's folder away; the next contact fetches a policy"
MAX_BYTES = 4 * 1024 * 1024


class BadPolicy(KeyturnError):
    """Not a policy of this client's site for this client, or an older one than is kept."""


class Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`bound_to` is the enrolment that key and counter belong to; `etag` names what the management point gave last."""

    bound_to: str
    verify_key: Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
    policy: SignedPolicy
    etag: str = ""


class Policies:
    """Changed under the lock of the agent's folder alone. Raises Damaged for a file that cannot be read."""

    def __init__(self, place: Place, client: Client) -> None:
        self._place = place
        installation = client.installation
        bound = "\n".join(
            (installation.server, installation.site, installation.name, installation.ca, recipient_of(client.identity))
        )
        self._bound_to = hashlib.sha256(bound.encode()).hexdigest()
        self._kept = self._read()
        self._current = _reopened(self._kept) if self._kept else None

    @property
    def verify_key(self) -> bytes | None:
        """Of the site, for all that it signs."""
        return self._kept.verify_key if self._kept else None

    def current(self) -> Policy | None:
        """As it is kept; whether it has expired is the reader's to see."""
        return self._current

    def ask(self, client: Client) -> bool:
        """The management point (advanced clients). Whether there is a new one. Raises BadPolicy, and NoAnswer, also
        where the site has none any more for a machine that keeps one."""
        etag = self._kept.etag if self._kept else ""
        reply = client.link.send("GET", POLICY, headers={"if-none-match": etag} if etag else {})
        if reply.status == 304 or (reply.status == 204 and self._kept is None):
            return False
        if reply.status != 200:
            raise NoAnswer(f"the site gives no policy (status {reply.status})")
        return self._take(client, reply.body, reply.headers.get("etag", ""))

    def pick_up(self, client: Client, account: str) -> bool:
        """From the access point (legacy clients), by an account that was let in just now."""
        reading = client.fetch(policy_file(client.name), account, OFFER_BOX)
        if reading.content is None:
            raise NoAnswer(f"the access point gives no policy ({reading.answer})")
        return self._take(client, reading.content, "")

    def _take(self, client: Client, content: bytes, etag: str) -> bool:
        signed = read(SignedPolicy, content, limit=MAX_BYTES)
        new, key = self._verified(client, signed)
        before = self._current
        _check(new, before, client)
        if self._kept is None or self._kept.policy != signed or self._kept.etag != etag:
            kept = Kept(self._bound_to, key, signed, etag)
            self._place.keep_policy(msgspec.json.encode(kept))
            self._kept, self._current = kept, new
        return new != before

    def _verified(self, client: Client, signed: SignedPolicy) -> tuple[Policy, bytes]:
        """A signature that does not fit the key that is kept may be by the site's next one: the site itself is asked,
        over TLS."""
        if self._kept is not None:
            with suppress(BadPolicy):
                return _opened(signed, self._kept.verify_key), self._kept.verify_key
        key = _ask_for_key(client)
        return _opened(signed, key), key

    def _read(self) -> Kept | None:
        """What belongs to another enrolment is nothing."""
        content = self._place.policy()
        if content is None:
            return None
        kept = decode(Kept, content, POLICY_FILE, _WAY_OUT)
        return kept if kept.bound_to == self._bound_to else None


def _check(new: Policy, before: Policy | None, client: Client) -> None:
    if (new.client, new.site) != (client.name, client.installation.site):
        raise BadPolicy(f"a policy for {new.client[:64]} of site {new.site[:16]}, not for this client")
    if before is not None and (new.counter, new.issued_at) < (before.counter, before.issued_at):
        raise BadPolicy(f"an older policy (number {new.counter}) than the one that is kept ({before.counter})")


def _ask_for_key(client: Client) -> bytes:
    reply = client.link.send("GET", POLICY_KEY)
    if reply.status != 200:
        raise NoAnswer(f"the site does not tell what it signs policies with (status {reply.status})")
    return read(PolicyKey, reply.body).verify_key


def _reopened(kept: Kept) -> Policy:
    try:
        return _opened(kept.policy, kept.verify_key)
    except BadPolicy as error:
        raise Damaged(f"the policy that is kept is damaged: {error.message}", _WAY_OUT) from None


def _opened(signed: SignedPolicy, verify_key: bytes) -> Policy:
    try:
        Ed25519PublicKey.from_public_bytes(verify_key).verify(signed.signature, PURPOSE + signed.body)
        return from_body(signed.body)
    except InvalidSignature:
        raise BadPolicy("a policy that this client's site did not sign") from None
    except (BadMessage, ValueError):
        raise BadPolicy("what the site signed is no policy") from None
