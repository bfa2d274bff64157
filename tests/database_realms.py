"""Real database servers as realms, made ready by what their how-tos say, and as talkative as they can be."""

import re
import secrets
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import trustme

from keyturn.adapters.authorities.reaching import Login, Maker
from keyturn.cli.demo.stage import free_port
from keyturn.contracts.authority import GROUPS
from keyturn.lifecycle.ports import Authority
from keyturn.model.accounts import AccountToBe, RealmName
from keyturn.model.estate import Realm, RealmKind
from keyturn.model.secret import Secret
from tests import mariadb, postgresql
from tests.how_to import commands

REALM = RealmName("LEDGER")
LOGIN = Login("keyturn", Secret(secrets.token_urlsafe(12)))
THRESHOLD = 3
"""Wrong passwords until MariaDB blocks an account."""
GROUP = next(iter(GROUPS.groups))
SERVICE = "kt-service"
_PROCESS = re.compile(rb"\[\d+\]")


@dataclass(frozen=True)
class Database:
    """`socket` is what clients open. `administer` runs one statement as an administrator, in a database. `written` is
    everything that the server has logged; `set_mark` stands there once for every password set of SERVICE. Where that is
    in a transaction, `landed_mark` ends it, in a line with the same process in brackets."""

    realm: Realm
    socket: Path
    port: int
    maker: Maker
    administer: Callable[..., list[tuple[object, ...]]]
    written: Callable[[], bytes]
    set_mark: bytes
    refusal_mark: bytes
    landed_mark: bytes = b""
    standby: Callable[[], AbstractContextManager[postgresql.Server]] | None = None

    def authority(self, login: Callable[[], Login] = lambda: LOGIN) -> Authority:
        return self.maker(self.realm, login)

    def elsewhere(self, folder: Path) -> "Database":
        """The same server by a socket in another folder."""
        place = folder / self.socket.name
        host = place if self.realm.kind is RealmKind.MARIADB else folder
        return replace(self, realm=replace(self.realm, replicas=(str(host),)), socket=place)

    def reached_at(self, host: str, *, ca: Path) -> "Database":
        """The same server by the network."""
        connection = (("ca", str(ca)), ("port", str(self.port)))
        return replace(self, realm=replace(self.realm, replicas=(host,), connection=connection))

    def sets(self, name: str = SERVICE) -> int:
        """Those that landed: what a client began and did not end, because it was killed, the server takes back."""
        mark = self.set_mark.replace(SERVICE.encode(), name.encode())
        if not self.landed_mark:
            return self.written().count(mark)
        landed, begun = 0, Counter[bytes]()
        for line in self.written().splitlines():
            process = _PROCESS.search(line)
            if process and mark in line:
                begun[process[0]] += 1
            elif process and self.landed_mark in line:
                landed += begun.pop(process[0], 0)
        return landed

    def refusals(self) -> int:
        return self.written().count(self.refusal_mark)


@dataclass(frozen=True)
class Certificates:
    """Files that an ordinary user may read. `chain` is for `localhost`, and not signed by `stranger`."""

    authority: Path
    stranger: Path
    chain: Path
    key: Path


@contextmanager
def certificates_for(owner: str | None) -> Iterator[Certificates]:
    authority, folder = trustme.CA(), Path(tempfile.mkdtemp(prefix="keyturn-tls-"))
    issued = authority.issue_cert("localhost")
    files = Certificates(*(folder / name for name in ("authority.pem", "stranger.pem", "chain.pem", "key.pem")))
    try:
        authority.cert_pem.write_to_path(files.authority)
        trustme.CA().cert_pem.write_to_path(files.stranger)
        files.chain.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        files.key.touch(0o600)
        issued.private_key_pem.write_to_path(files.key)
        if owner:
            for path in (folder, files.chain, files.key):
                shutil.chown(path, owner)
        yield files
    finally:
        shutil.rmtree(folder)


@contextmanager
def postgresql_realm(tls: Certificates | None = None) -> Iterator[Database]:
    from keyturn.adapters.authorities.postgresql.authority import open_authority

    port = free_port()
    settings = [
        "-c log_statement=all -c log_min_messages=debug5 -c log_error_verbosity=verbose -c log_connections=on",
        "-c log_min_duration_statement=0 -c log_parameter_max_length=-1 -c debug_print_parse=on",
        "-c listen_addresses=localhost",
    ]
    if tls:
        settings.append(f"-c ssl=on -c ssl_cert_file={tls.chain} -c ssl_key_file={tls.key}")
    with postgresql.running(" ".join(settings), port) as server:

        def administer(statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
            with server.administer(database) as session:
                done = session.execute(statement.encode())
                return done.fetchall() if done.description else []

        administer("DROP ROLE keyturn")
        for command in commands("realm-postgresql", "sql"):
            administer(command)
        administer(f'CREATE ROLE "{GROUP}"')
        with server.administer() as session:
            verifier = session.pgconn.encrypt_password(LOGIN.secret.reveal().encode(), b"", b"scram-sha-256").decode()
        administer(f"ALTER ROLE keyturn PASSWORD '{verifier}'")
        server.demand_passwords()
        realm = Realm(REALM, RealmKind.POSTGRESQL, replicas=(str(server.socket),), connection=(("port", str(port)),))
        yield Database(
            realm,
            server.socket / f".s.PGSQL.{port}",
            port,
            open_authority,
            administer,
            lambda: server.log.encode(),
            set_mark=b'statement: ALTER ROLE "kt-service" PASSWORD \'SCRAM-SHA-256$',
            landed_mark=b"statement: COMMIT",
            refusal_mark=b"28P01: password authentication failed",
            standby=server.standby,
        )


@contextmanager
def mariadb_realm(tls: Certificates | None = None) -> Iterator[Database]:
    from keyturn.adapters.authorities.mariadb.authority import open_authority
    from keyturn.adapters.authorities.mariadb.passwords import identified

    port = free_port()
    settings = ["--general-log=1", "--slow-query-log=1", "--long-query-time=0", "--log-warnings=9"]
    settings += [f"--max-password-errors={THRESHOLD}", "--skip-networking=0", f"--port={port}"]
    settings += [f"--ssl-cert={tls.chain}", f"--ssl-key={tls.key}"] if tls else ["--skip-ssl"]
    with mariadb.running(*settings) as server:

        def administer(statement: str, database: str = "mysql") -> list[tuple[object, ...]]:
            with server.administer() as session, session.cursor() as cursor:
                cursor.execute(f"USE `{database}`")
                cursor.execute(statement)
                return list(cursor.fetchall())

        clause = identified(AccountToBe(REALM, LOGIN.name), LOGIN.secret)
        for command in commands("realm-mariadb", "sql"):
            ours = command.replace("IDENTIFIED VIA mysql_native_password USING '*HASH'", clause)
            administer(ours.replace(" REQUIRE SSL", ""))  # a socket is no TLS, and needs none
        administer(f"CREATE ROLE `{GROUP}`")
        administer(f"GRANT `{GROUP}` TO keyturn@'%' WITH ADMIN OPTION")
        realm = Realm(REALM, RealmKind.MARIADB, replicas=(str(server.socket),))
        yield Database(
            realm,
            server.socket,
            port,
            open_authority,
            administer,
            lambda: server.written,
            set_mark=b"Query\tALTER USER 'kt-service'@'%' IDENTIFIED",
            refusal_mark=b"Connect\tAccess denied for user 'keyturn'",
        )


BOTH = {"postgresql": postgresql_realm, "mariadb": mariadb_realm}
