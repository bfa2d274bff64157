"""A password as statements have it: hashed here, so that neither log nor binary log can hold a clear one.

The hash is that of mysql_native_password, the one plugin that every client speaks. It has no salt and is fast: only
long passwords made by chance are safe in it. ed25519 needs a curve operation that `cryptography` does not have.
"""

import hashlib

from keyturn.model.accounts import AnyAccount
from keyturn.model.errors import AuthorityError
from keyturn.model.secret import Secret


def identified(account: AnyAccount, secret: Secret) -> str:
    """The clause of CREATE USER and ALTER USER: SHA-1 of SHA-1, what the server itself would store."""
    clear = secret.reveal()
    if not clear or "\0" in clear:
        raise AuthorityError(
            f"{account.realm} does not take this password for {account.name}: it is empty or has a zero character",
            permanent=True,
        )
    once = hashlib.sha1(clear.encode(), usedforsecurity=False).digest()
    twice = hashlib.sha1(once, usedforsecurity=False).hexdigest().upper()
    return f"IDENTIFIED VIA mysql_native_password USING '*{twice}'"
