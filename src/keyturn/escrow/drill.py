"""The answer of a drill: it shows that an envelope was opened and what it holds, and the password stays where it is."""

import hmac

from keyturn.escrow.envelope import Content


def answer(content: Content, challenge: str) -> str:
    """HMAC-SHA256 under the password over the challenge and what the content is for.

    Whoever sees it could try guesses against it, so it travels inside TLS and is never kept.
    """
    fields = [field.encode() for field in (challenge, content.account, str(content.generation))]
    message = b"keyturn drill 1" + b"".join(len(field).to_bytes(4, "big") + field for field in fields)
    return hmac.digest(content.password.reveal().encode("utf-8", "surrogatepass"), message, "sha256").hex()


def is_answer(given: str, content: Content, challenge: str) -> bool:
    return hmac.compare_digest(given.encode(), answer(content, challenge).encode())
