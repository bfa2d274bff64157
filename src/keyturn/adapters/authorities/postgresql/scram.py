"""The client's side of SCRAM-SHA-256 (RFC 5802, RFC 7677), without channel binding.

Done here rather than by libpq because libpq tells why a logon failed in the server's language alone: no SQLSTATE
comes with it. Passwords are ASCII (`fit`), so that SASLprep changes nothing.
"""

import hashlib
import hmac
from base64 import b64decode, b64encode
from dataclasses import dataclass

from keyturn.model.secret import Secret

MECHANISM = "SCRAM-SHA-256"
_NO_BINDING = "n,,"
_MOST_ROUNDS = 1_000_000
"""A server may ask for many rounds, and so keep its clients busy."""


class Malformed(Exception):
    """The server's message is none that SCRAM knows, or its proof is wrong."""


def fit(secret: Secret) -> bool:
    """Whether SCRAM and libpq read this password alike, and whole: no control character, nothing beyond ASCII."""
    text = secret.reveal()
    return bool(text) and text.isascii() and text.isprintable()


@dataclass(frozen=True, slots=True)
class Exchange:
    """One logon; `nonce` is printable and never used before."""

    nonce: str

    @property
    def first(self) -> bytes:
        return f"{_NO_BINDING}{self._bare}".encode()

    def final(self, challenge: bytes, secret: Secret) -> tuple[bytes, bytes]:
        """Our last message, and the server's that alone proves it knows the verifier."""
        salt, rounds, nonce = self._challenge(challenge)
        salted = hashlib.pbkdf2_hmac("sha256", secret.reveal().encode(), salt, rounds)
        unproven = f"c={b64encode(_NO_BINDING.encode()).decode()},r={nonce}"
        signed = b",".join((self._bare.encode(), challenge, unproven.encode()))
        client_key = _mac(salted, b"Client Key")
        signature = _mac(hashlib.sha256(client_key).digest(), signed)
        proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
        server_signature = _mac(_mac(salted, b"Server Key"), signed)
        return f"{unproven},p={b64encode(proof).decode()}".encode(), b"v=" + b64encode(server_signature)

    @property
    def _bare(self) -> str:
        return f"n=,r={self.nonce}"  # the server takes the name from the start-up message

    def _challenge(self, message: bytes) -> tuple[bytes, int, str]:
        try:
            fields = dict(field.split("=", 1) for field in message.decode("ascii").split(","))
            nonce, salt, rounds = fields["r"], b64decode(fields["s"], validate=True), int(fields["i"])
        except (ValueError, KeyError):
            raise Malformed("the challenge cannot be read") from None
        if not nonce.startswith(self.nonce) or nonce == self.nonce:
            raise Malformed("the challenge answers somebody else")
        if not 1 <= rounds <= _MOST_ROUNDS:
            raise Malformed(f"{rounds} rounds are asked for")
        return salt, rounds, nonce


def _mac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")
