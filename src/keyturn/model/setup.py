"""The accounts that setup is given instead of making its own."""

from dataclasses import dataclass

from keyturn.model.secret import Secret


@dataclass(frozen=True, slots=True)
class SetupAccount:
    """`name` stands in the site's own realm, unless written as `REALM\\name`."""

    name: str
    password: Secret


@dataclass(frozen=True, slots=True)
class SetupAccounts:
    """None: setup makes the default account of that role."""

    server: SetupAccount | None = None
    client: SetupAccount | None = None
