"""Real OpenLDAP servers for tests: a provider and a consumer on loopback addresses of their own, over TLS alone.

They run as an ordinary user, with everything in one directory that goes away. The policies are short: nobody can turn
the clock of a server.
"""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ldap
import pytest
import trustme
from ldap.controls.simple import RelaxRulesControl

from keyturn.cli.demo.stage import free_port
from keyturn.model.accounts import RealmName
from keyturn.model.estate import Realm, RealmKind
from tests.openldap_configuration import (
    ACCESS,
    ACCOUNTS,
    BIND_PASSWORD,
    CONFIGURATION,
    CONSUMER,
    ENTRIES,
    POLICY,
    PROVIDER,
    ROOT,
    ROOT_PASSWORD,
    SUFFIX,
)

REALM = RealmName("DIRECTORY")
ADDRESSES = ("127.0.0.1", "127.0.0.2")
"""The provider first. One port on both: a realm has one setting for all its servers."""

PROXY = "127.0.0.3"
"""Where a test may stand between us and the provider: its certificate bears this address too."""

EVERYTHING_BUT_PACKETS = str(0xFFFF & ~2 & ~16)
"""slapd.conf(5), loglevel: all but `packets` and `BER`, which dump what every client sends, byte by byte."""
_PATIENCE_S = 60.0


@dataclass
class Slapd:
    address: str
    port: int
    folder: Path
    runs_as: str | None
    level: str = "stats"
    process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"ldaps://{self.address}:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def start(self) -> None:
        command = ["slapd", "-h", self.url, "-f", str(self.folder / "slapd.conf"), "-d", self.level]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, user=self.runs_as, stdout=log, stderr=log, cwd=self.folder)
        until = time.monotonic() + _PATIENCE_S
        while True:
            try:
                socket.create_connection((self.address, self.port), timeout=1).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"slapd: {self.log.read_text(errors='replace')[-2000:]}") from None
                time.sleep(0.02)

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(_PATIENCE_S)
            self.process = None


@dataclass(frozen=True)
class Directory:
    folder: Path
    provider: Slapd
    consumer: Slapd

    @property
    def ca_file(self) -> Path:
        return self.folder / "ca.pem"

    @contextmanager
    def administering(self, server: Slapd | None = None) -> Iterator[Any]:
        connection = ldap.initialize((server or self.provider).url)
        connection.set_option(ldap.OPT_X_TLS_CACERTFILE, str(self.ca_file))
        connection.set_option(ldap.OPT_X_TLS_NEWCTX, 0)
        connection.set_option(ldap.OPT_NETWORK_TIMEOUT, _PATIENCE_S)
        connection.set_option(ldap.OPT_TIMEOUT, _PATIENCE_S)
        connection.simple_bind_s(ROOT, ROOT_PASSWORD)
        try:
            yield connection
        finally:
            connection.unbind_s()

    def converge(self) -> None:
        """Until the consumer has everything that the provider has."""
        wanted = self._reached(self.provider)
        until = time.monotonic() + _PATIENCE_S
        while self._reached(self.consumer) != wanted:
            if time.monotonic() > until:
                raise RuntimeError("the consumer does not follow the provider")
            time.sleep(0.02)

    def _reached(self, server: Slapd) -> object:
        """None for a consumer that has heard nothing yet."""
        with self.administering(server) as root, suppress(ldap.NO_SUCH_OBJECT):
            return root.search_s(SUFFIX, ldap.SCOPE_BASE, attrlist=["contextCSN"])[0][1].get("contextCSN")
        return None

    def policy(self, name: str, **settings: object) -> bytes:
        """Makes one for single accounts; its name, as `pwdPolicySubentry` has it."""
        dn = f"cn={name},ou=policies,{SUFFIX}"
        given = {"objectClass": "device", "cn": name, "pwdAttribute": "userPassword"} | settings
        attributes = [(key, [str(value).encode()]) for key, value in given.items()]
        attributes[0][1].append(b"pwdPolicy")
        with self.administering() as root:
            root.add_s(dn, attributes)
        return dn.encode()

    def change(self, name: str, **attributes: bytes) -> None:
        """The account's entry, as the servers' owner."""
        changes = [(ldap.MOD_REPLACE, key, value) for key, value in attributes.items()]
        with self.administering() as root:
            root.modify_ext_s(f"uid={name},{ACCOUNTS}", changes, serverctrls=[RelaxRulesControl(True)])

    def failures(self, name: str) -> int:
        """As the provider keeps them now."""
        with self.administering() as root:
            entry = root.search_s(f"uid={name},{ACCOUNTS}", ldap.SCOPE_BASE, attrlist=["pwdFailureTime"])[0][1]
        return len(entry.get("pwdFailureTime", ()))

    def realm(self, *, replicas: tuple[str, ...] = ADDRESSES, port: int | None = None) -> Realm:
        settings = {
            "base": SUFFIX,
            "certificate_authority": str(self.ca_file),
            "port": str(port or self.provider.port),
            "accounts": ACCOUNTS,
            "policy": POLICY,
        }
        return Realm(REALM, RealmKind.OPENLDAP, replicas, connection=tuple(settings.items()))


@contextmanager
def running(level: str = "stats", *, access: str = ACCESS) -> Iterator[Directory]:
    """Skips the test, with the reason, where no server can be started."""
    if shutil.which("slapd") is None:
        pytest.skip("OpenLDAP is not installed (apt-get install slapd)")
    runs_as = _ordinary_user() if os.geteuid() == 0 else None
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="keyturn-ldap-", dir=place))
    servers: list[Slapd] = []
    try:
        port = free_port(*ADDRESSES)
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(folder / "ca.pem"))
        for name, address in zip(("provider", "consumer"), ADDRESSES, strict=True):
            server = Slapd(address, port, folder / name, runs_as, level)
            (server.folder / "data").mkdir(parents=True)
            issued = authority.issue_cert(address, PROXY)
            issued.cert_chain_pems[0].write_to_path(str(server.folder / "certificate.pem"))
            issued.private_key_pem.write_to_path(str(server.folder / "key.pem"))
            (server.folder / "slapd.conf").write_text(
                _configuration(server, folder, access, provider=name == "provider")
            )
            servers.append(server)
        (folder / "entries.ldif").write_text(ENTRIES)
        _own(folder, runs_as)
        directory = Directory(folder, servers[0], servers[1])
        _load(directory, runs_as)
        for server in servers:
            server.start()
        with directory.administering() as root:
            root.passwd_s(f"uid=keyturn,{ACCOUNTS}", None, BIND_PASSWORD)
        directory.converge()
        yield directory
    finally:
        for server in servers:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _configuration(server: Slapd, common: Path, access: str, *, provider: bool) -> str:
    names = {"suffix": SUFFIX, "root": ROOT, "root_password": ROOT_PASSWORD, "common": common, "port": server.port}
    replication = (PROVIDER if provider else CONSUMER).format(provider=ADDRESSES[0], **names)
    return CONFIGURATION.format(folder=server.folder, access=access, policy=POLICY, replication=replication, **names)


def _load(directory: Directory, runs_as: str | None) -> None:
    command = ["slapadd", "-q", "-f", str(directory.provider.folder / "slapd.conf")]
    command += ["-l", str(directory.folder / "entries.ldif")]
    done = subprocess.run(command, user=runs_as, cwd=directory.folder, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"slapadd: {done.stderr}")


def _own(folder: Path, user: str | None) -> None:
    if user:
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, user)


def _ordinary_user() -> str:
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "openldap" if "openldap" in names else "nobody"
