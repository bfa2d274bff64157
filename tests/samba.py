"""A real Active Directory for tests: two Samba domain controllers of the lab, each in a network of its own."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import ldap
import pytest
from ldap.ldapobject import SimpleLDAPObject

from keyturn.adapters.authorities.reaching import Login
from keyturn.model.accounts import RealmName
from keyturn.model.estate import Realm, RealmKind
from keyturn.model.policy import RealmPolicy
from keyturn.model.secret import Secret
from tests import samba_image
from tests.how_to import commands
from tests.samba_image import ADLAB, Image

REALM = RealmName("CORP")
BASE = "DC=corp,DC=example"
OUR_UNIT = f"OU=Keyturn,{BASE}"
OURS = Login("svc-keyturn", Secret("Keeps-the-keys-0001"))
"""With the rights that the how-to gives it, and no others."""
ADMINISTRATOR = Login("Administrator", Secret("Passw0rd!x9"))
"""Of a domain that dies with the test."""

READERS = "Keyturn Contract"
"""The group whose members read the share, and which Keyturn may put members into."""

_KRB5 = """\
[libdefaults]
 default_realm = CORP.EXAMPLE
 dns_lookup_kdc = false
 dns_lookup_realm = false
 dns_canonicalize_hostname = false
 udp_preference_limit = 1
[realms]
 CORP.EXAMPLE = {{
  kdc = {host}
 }}
"""
_COMPARED = ("userAccountControl", "msDS-KeyVersionNumber", "lockoutTime", "pwdLastSet")
_CONVERGES_S = 90


@dataclass(frozen=True)
class Samba:
    environment: dict[str, str]
    hosts: tuple[str, ...]
    directory: Path

    @property
    def certificate_authority(self) -> Path:
        return self.directory / "ca" / "ca.pem"

    @property
    def share(self) -> str:
        """Read by whoever is in `READERS`."""
        return rf"\\{self._file_server}\cap"

    @property
    def shared(self) -> Path:
        """The folder that the share exports."""
        return self.directory / "fs1" / "share" / "cap"

    def put_on_share(self, name: str, content: str) -> None:
        """For whoever may read the share."""
        path = self.shared / name
        for folder in reversed(path.relative_to(self.shared).parents[:-1]):
            (self.shared / folder).mkdir(exist_ok=True)
            (self.shared / folder).chmod(0o2750)
        path.write_text(content)
        path.chmod(0o640)

    def said_of_logons(self) -> str:
        """What the controllers wrote of every logon, where they were told to; see `running`."""
        return "".join((self.directory / dc / "samba.log").read_text(errors="replace") for dc in ("dc1", "dc2"))

    def kerberos_configuration(self) -> Path:
        """A `krb5.conf` for this machine, which is no member of the domain."""
        path = self.directory / "krb5.conf"
        path.write_text(_KRB5.format(host=self.hosts[0]))
        return path

    @property
    def _file_server(self) -> str:
        return self.hosts[0].rpartition(".")[0] + ".21"

    def realm(self, hosts: tuple[str, ...] | None = None, **connection: str) -> Realm:
        settings = {"certificate_authority": str(self.certificate_authority), "container": OUR_UNIT, **connection}
        return Realm(REALM, RealmKind.ACTIVE_DIRECTORY, hosts or self.hosts, connection=tuple(settings.items()))

    def sealed_realm(self, hosts: tuple[str, ...] | None = None, **connection: str) -> Realm:
        """The same domain as if it had no certificates. Its controllers go by their addresses; see `known_as`."""
        settings = {"protection": "sealed", "container": OUR_UNIT, **connection}
        return Realm(REALM, RealmKind.ACTIVE_DIRECTORY, hosts or self.hosts, connection=tuple(settings.items()))

    def known_as(self, controller: str, host: str, *addresses: str) -> None:
        """Kerberos gives out tickets for it by these addresses too, when `host` is asked."""
        administrator = self.administer(host)
        names = [f"ldap/{address}".encode() for address in addresses]
        administrator.modify_s(
            f"CN={controller},OU=Domain Controllers,{BASE}", [(ldap.MOD_ADD, "servicePrincipalName", names)]
        )
        administrator.unbind_s()

    def adlab(self, *arguments: str, given: str = "") -> str:
        return samba_image.adlab(self.environment, *arguments, given=given)

    def administer(self, host: str | None = None) -> SimpleLDAPObject:
        connection = SimpleLDAPObject(f"ldaps://{host or self.hosts[0]}")
        connection.set_option(ldap.OPT_X_TLS_CACERTFILE, str(self.certificate_authority))
        connection.set_option(ldap.OPT_X_TLS_NEWCTX, 0)
        connection.set_option(ldap.OPT_REFERRALS, ldap.OPT_OFF)
        connection.simple_bind_s(f"CORP\\{ADMINISTRATOR.name}", ADMINISTRATOR.secret.reveal())
        return connection

    def write(self, dn: str, host: str | None = None, **values: object) -> None:
        """Replace attributes, on the first controller unless said."""
        changes = [(ldap.MOD_REPLACE, name, [_octets(value)]) for name, value in values.items()]
        administrator = self.administer(host)
        administrator.modify_s(dn, changes)
        administrator.unbind_s()

    def set_password(self, dn: str, secret: Secret) -> None:
        administrator = self.administer()
        administrator.modify_s(dn, [(ldap.MOD_REPLACE, "unicodePwd", [f'"{secret.reveal()}"'.encode("utf-16-le")])])
        administrator.unbind_s()

    def set_policy(self, policy: RealmPolicy) -> None:
        self.write(
            BASE,
            lockoutThreshold=policy.lockout_threshold,
            lockOutObservationWindow=-int(policy.lockout_window_s) * 10**7,
            lockoutDuration=-int(policy.lockout_duration_s) * 10**7,
            pwdHistoryLength=policy.history,
        )

    @contextmanager
    def own_policy(self, name: str, *, threshold: int, duration_s: int) -> Iterator[None]:
        """A fine-grained policy of one account, with a history of 5."""
        dn = f"CN={name},CN=Password Settings Container,CN=System,{BASE}"
        values = {
            "objectClass": "msDS-PasswordSettings",
            "msDS-PasswordSettingsPrecedence": 1,
            "msDS-LockoutThreshold": threshold,
            "msDS-LockoutObservationWindow": -60 * 10**7,
            "msDS-LockoutDuration": -duration_s * 10**7,
            "msDS-PasswordHistoryLength": 5,
            "msDS-MinimumPasswordLength": 7,
            "msDS-MinimumPasswordAge": 0,
            "msDS-MaximumPasswordAge": -(2**63),
            "msDS-PasswordComplexityEnabled": "TRUE",
            "msDS-PasswordReversibleEncryptionEnabled": "FALSE",
            "msDS-PSOAppliesTo": self.dn(name),
        }
        administrator = self.administer()
        administrator.add_s(dn, [(key, [str(value).encode()]) for key, value in values.items()])
        yield
        administrator.delete_s(dn)
        administrator.unbind_s()

    @contextmanager
    def file_server_with(self, option: str) -> Iterator[None]:
        """New connections follow it soon after."""
        settings = self.directory / "fs1" / "etc" / "samba" / "smb.conf"
        usual = settings.read_text()
        settings.write_text(usual.replace("[global]\n", f"[global]\n  {option}\n"))
        self.adlab("ex", "fs1", "smbcontrol", "smbd", "reload-config")
        try:
            yield
        finally:
            settings.write_text(usual)
            self.adlab("ex", "fs1", "smbcontrol", "smbd", "reload-config")

    @contextmanager
    def replication_off(self, controller: str) -> Iterator[None]:
        self.adlab("repl", controller, "off")
        yield
        self.adlab("repl", controller, "on")
        self.adlab("sync", "dc1", controller)

    def dn(self, name: str) -> str:
        return self.look(name, "sAMAccountName")[0]

    def bad_count(self, name: str) -> int:
        """On the first controller."""
        return int(self.look(name, "badPwdCount")[1])

    def bad_counts(self, name: str) -> int:
        """On all controllers together: a file server asks the one it likes."""
        return sum(int(self.look(name, "badPwdCount", host)[1]) for host in self.hosts)

    def locked_at(self, name: str) -> int:
        """`lockoutTime`, the latest that a controller shows; 0 for an account that never was."""
        return max(int(self.look(name, "lockoutTime", host)[1]) for host in self.hosts)

    def version(self, name: str) -> int:
        return int(self.look(name, "msDS-KeyVersionNumber")[1])

    def look(self, name: str, attribute: str, host: str | None = None) -> tuple[str, bytes]:
        administrator = self.administer(host)
        found = administrator.search_s(BASE, ldap.SCOPE_SUBTREE, f"(sAMAccountName={name})", [attribute])
        administrator.unbind_s()
        return found[0][0], found[0][1].get(attribute, [b"0"])[0]

    def unlock_ours(self) -> None:
        for host in self.hosts:
            self.write(f"CN={OURS.name},CN=Users,{BASE}", host, lockoutTime=0)

    def converge(self) -> None:
        """Until every controller shows the same of every account of ours."""
        administrators = [self.administer(host) for host in self.hosts]
        until = time.monotonic() + _CONVERGES_S
        while len({_shown(administrator) for administrator in administrators}) > 1:
            assert time.monotonic() < until, "the controllers do not agree"
            time.sleep(0.03)  # a controller tells nobody when it has heard
        for administrator in administrators:
            administrator.unbind_s()


@contextmanager
def running(*, file_server: bool = False, grace_min: int = 60, tell_logons: bool = False) -> Iterator[Samba]:
    """As it was made, whatever tests before have done to theirs; one at a time in a process. Skips the test, with the
    reason, where no domain can be made."""
    for program in ("samba", "samba-tool", "ip", "nft", "openssl", "kinit", "ldapmodify"):
        if shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None:
            pytest.skip(f"{program} is not installed (lab/README.md names the packages)")
    if os.geteuid() or subprocess.run(["unshare", "-nm", "true"], capture_output=True).returncode:
        pytest.skip("no right to make network namespaces (root with CAP_SYS_ADMIN)")
    image = _image()
    directory = samba_image.place()
    lab = directory / "lab"
    samba = Samba(image.environment(lab, "1 auth_json_audit:3" if tell_logons else "1"), image.hosts, lab)
    try:
        image.copy(lab, grace_min=grace_min)
        samba.adlab("up", "2", "1" if file_server else "0")
        yield samba
    finally:
        subprocess.run([ADLAB, "down"], env=samba.environment, capture_output=True)
        shutil.rmtree(directory, ignore_errors=True)


@cache
def _image() -> Image:
    return samba_image.make(_delegate)


def _delegate(environment: dict[str, str], lab: Path, hosts: tuple[str, ...]) -> None:
    """Keyturn's own login with the rights that the how-to gives it, and a group for it to put members into."""
    samba = Samba(environment, hosts, lab)
    samba.adlab("ex", "dc1", "samba-tool", "group", "add", READERS)
    samba.adlab("ex", "dc1", "samba-tool", "group", "addmembers", "sms-readers", READERS)
    samba.adlab("ex", "dc1", "sh", "-eu", given="\n".join(commands("realm-active-directory", "sh")))
    samba.set_password("CN=svc-keyturn,CN=Users," + BASE, OURS.secret)
    samba.adlab("sync", "dc1", "dc2")


def _octets(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def _shown(administrator: SimpleLDAPObject) -> frozenset[tuple[str, ...]]:
    """Of whatever a test may have made."""
    ours = "(&(objectCategory=person)(objectClass=user)(!(isCriticalSystemObject=TRUE)))"
    found = administrator.search_s(BASE, ldap.SCOPE_SUBTREE, ours, list(_COMPARED))
    return frozenset(
        (dn, *(values[name][0].decode() if name in values else "" for name in _COMPARED)) for dn, values in found if dn
    )
