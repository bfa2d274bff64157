"""What `[realm.connection]` says of an OpenLDAP realm."""

from dataclasses import dataclass
from pathlib import Path

from keyturn.adapters.authorities.reaching import settings_of
from keyturn.model.errors import Refused
from keyturn.model.estate import Realm

_LDAPS = 636


@dataclass(frozen=True, slots=True)
class Settings:
    """`hosts` starts with the provider. Names of entries are in the form of RFC 4514."""

    hosts: tuple[str, ...]
    port: int
    certificate_authority: Path
    """The authority that signed the servers' certificates, and no other."""
    base: str
    accounts: str
    """Below which accounts are found, and where new ones are made."""
    groups: str
    policy: str | None
    """What `ppolicy_default` names: no client can ask the server for it."""


def read(realm: Realm) -> Settings:
    found = settings_of(
        realm, required=("base", "certificate_authority"), optional=("port", "accounts", "groups", "policy")
    )
    base = found["base"]
    return Settings(
        hosts=realm.replicas,
        port=_port(realm, found.get("port", str(_LDAPS))),
        certificate_authority=Path(found["certificate_authority"]),
        base=base,
        accounts=found.get("accounts", base),
        groups=found.get("groups", base),
        policy=found.get("policy"),
    )


def _port(realm: Realm, written: str) -> int:
    if not (written.isascii() and written.isdigit() and 0 < int(written) < 1 << 16):
        raise Refused(f"realm {realm.name}: {written!r} is no port", hint='[realm.connection] port = "636"')
    return int(written)
