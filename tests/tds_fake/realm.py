"""The fake as a realm, made ready by what the how-to says."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from keyturn.adapters.authorities.reaching import Login
from keyturn.adapters.authorities.sql_server.authority import open_authority
from keyturn.adapters.authorities.sql_server.passwords import hashed
from keyturn.model.accounts import AccountToBe
from keyturn.model.estate import Realm, RealmKind
from keyturn.model.policy import RealmPolicy
from keyturn.model.secret import Secret
from tests.database_realms import GROUP, LOGIN, REALM, Certificates, Database
from tests.how_to import commands
from tests.tds_fake.instance import Database as Held
from tests.tds_fake.instance import Instance, Permission
from tests.tds_fake.server import Fake, running

THRESHOLD = 4
_SA = Login("sa", Secret("Nobody-knows-it-1"))


@contextmanager
def faked(certificates: Certificates) -> Iterator[Fake]:
    instance = Instance(THRESHOLD)
    instance.databases |= {"billing": Held(), "a]b": Held()}
    for login in (_SA, LOGIN):
        stored = hashed(AccountToBe(REALM, login.name), login.secret).removeprefix("0x")
        instance.add(login.name, bytes.fromhex(stored)).policy = False
    instance.roles["sysadmin"].add(instance.logins[_SA.name].sid)
    instance.roles[GROUP] = {instance.logins[LOGIN.name].sid}
    with running(instance, certificates.chain, certificates.key) as fake:
        for command in commands("realm-sql-server", "sql"):
            fake.administer(command)
        yield fake


def realm_of(fake: Fake, certificates: Certificates) -> Database:
    connection = (("ca", str(certificates.authority)), ("port", str(fake.port)))
    policy = RealmPolicy(lockout_threshold=THRESHOLD)
    realm = Realm(REALM, RealmKind.SQL_SERVER, replicas=("localhost",), connection=connection, policy=policy)

    def administer(statement: str, database: str = "master") -> list[tuple[object, ...]]:
        fake.administer(statement, database)
        return []

    return Database(
        realm,
        Path("localhost"),
        fake.port,
        open_authority,
        administer,
        lambda: "\n".join(fake.written).encode(),
        set_mark=b"ALTER LOGIN [kt-service] WITH PASSWORD = 0x0200",
        refusal_mark=b"Login failed for user 'keyturn'",
    )


@contextmanager
def granted(fake: Fake, permission: str, to: str = LOGIN.name, verb: str = "GRANT") -> Iterator[None]:
    fake.administer(f"{verb} {permission} TO [{to}]")
    try:
        yield
    finally:
        _take(fake, permission, to)


@contextmanager
def withheld(fake: Fake, permission: str) -> Iterator[None]:
    """Keyturn without what the how-to grants it."""
    taken = _take(fake, permission, LOGIN.name)
    assert taken
    try:
        yield
    finally:
        fake.administer(f"GRANT {permission} TO [{LOGIN.name}]")


def _take(fake: Fake, permission: str, name: str) -> list[Permission]:
    login = fake.instance.logins[name]
    taken = [right for right in login.permissions if right[1] == permission]
    login.permissions = [right for right in login.permissions if right[1] != permission]
    return taken
