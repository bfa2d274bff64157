"""What is known of a domain before it is asked: its controllers, how they prove themselves, where accounts are made."""

from dataclasses import dataclass
from pathlib import Path

from keyturn.adapters.authorities.reaching import settings_of
from keyturn.model.accounts import RealmName
from keyturn.model.errors import NotFound, Refused
from keyturn.model.estate import Realm
from keyturn.model.policy import RealmPolicy
from keyturn.operations.delegation import ACCEPTED, STRONG

TLS, SEALED = "tls", "sealed"
PORTS = {TLS: 636, SEALED: 389}
"""By what protects the connection."""


@dataclass(frozen=True, slots=True)
class Domain:
    """`policy` counts only for what no directory tells: the grace of the previous password, a setting of every
    controller (`OldPasswordAllowedPeriod`)."""

    realm: RealmName
    hosts: tuple[str, ...]
    netbios: str
    certificate_authority: Path | None
    """None where Kerberos proves and encrypts instead of TLS."""
    policy: RealmPolicy
    port: int
    container: str | None = None
    strong_accepted: bool = False
    """Keyturn may work as an administrator of the domain, which it refuses otherwise."""

    @property
    def pinned(self) -> str:
        return self.hosts[0]

    @property
    def others(self) -> tuple[str, ...]:
        return self.hosts[1:]

    def host(self, replica: str | None) -> str:
        """The pinned one where none is named."""
        if replica is None:
            return self.pinned
        if replica not in self.hosts:
            raise NotFound(f"{self.realm} has no controller {replica}", hint="it has " + ", ".join(self.hosts))
        return replica

    def container_in(self, base: str) -> str:
        return self.container or f"CN=Users,{base}"

    def logon_name(self, name: str) -> str:
        """`DOMAIN\\name`: a wrong password under `name@realm` is not counted everywhere, so it would tell less."""
        return f"{self.netbios}\\{name}"

    def written(self, name: str) -> str:
        """A distinguished name, `name@domain` or `DOMAIN\\name` stays as it is."""
        return name if set("\\@=") & set(name) else self.logon_name(name)


def domain_of(realm: Realm) -> Domain:
    found = settings_of(realm, optional=("protection", "certificate_authority", "domain", "container", "port", STRONG))
    if not realm.replicas:
        raise Refused(
            f"realm {realm.name} has no domain controller", hint="name them as replicas, the pinned one first"
        )
    protection = found.get("protection", TLS)
    _refuse_unprotected(realm, protection, found.get("certificate_authority"))
    return Domain(
        realm=realm.name,
        hosts=realm.replicas,
        netbios=found.get("domain", realm.name),
        certificate_authority=Path(found["certificate_authority"]) if protection == TLS else None,
        policy=realm.policy,
        port=_port(realm, found.get("port"), PORTS[protection]),
        container=found.get("container"),
        strong_accepted=_accepted(realm, found.get(STRONG)),
    )


def _refuse_unprotected(realm: Realm, protection: str, authority: str | None) -> None:
    if protection not in PORTS:
        raise Refused(
            f"realm {realm.name}: protection is {protection}",
            hint=f'"{TLS}" with a certificate_authority; or "{SEALED}" by Kerberos, for a domain without certificates',
        )
    if protection == TLS and not authority:
        raise Refused(
            f"realm {realm.name}: its connection has no certificate_authority",
            hint=f'[realm.connection] certificate_authority = … in the estate; or protection = "{SEALED}"',
        )
    if protection == SEALED and authority:
        raise Refused(
            f"realm {realm.name}: it is sealed by Kerberos, and has a certificate_authority, which proves TLS alone",
            hint="leave one of the two out",
        )


def _accepted(realm: Realm, written: str | None) -> bool:
    if written not in (None, ACCEPTED):
        raise Refused(f"realm {realm.name}: {STRONG} is {written}", hint=f'"{ACCEPTED}", or leave {STRONG} out')
    return written is not None


def _port(realm: Realm, written: str | None, usual: int) -> int:
    if written is None:
        return usual
    if written.isascii() and written.isdigit() and 0 < int(written) < 2**16:
        return int(written)
    raise Refused(f"realm {realm.name}: {written} is no port", hint=f"leave port out for {usual}")
