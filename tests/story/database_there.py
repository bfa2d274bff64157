"""A database server as a realm of the stories."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from keyturn.lifecycle.ports import Authority
from keyturn.model.accounts import Account
from keyturn.model.estate import Realm, RealmKind
from tests.cutting import cutting
from tests.database_realms import GROUP, LOGIN, Database
from tests.postgresql import Server
from tests.story.real_realm import Lagging, Losing

_BEFORE_THE_ANSWER = {RealmKind.POSTGRESQL: b"COMMIT", RealmKind.MARIADB: b"ALTER USER"}
BEFORE_THE_SET = {RealmKind.POSTGRESQL: b"ALTER ROLE", RealmKind.MARIADB: b"SET timestamp"}
"""What Keyturn sends when the password stands there next."""


@dataclass(frozen=True)
class DatabaseServer:
    database: Database
    login = LOGIN

    @property
    def realm(self) -> Realm:
        return self.database.realm

    @property
    def _kind(self) -> RealmKind:
        return RealmKind(self.realm.kind)

    def opened(self) -> Authority:
        return self.database.authority()

    def converge(self) -> None:
        """There is one server, unless a story has made a second."""

    def sets(self, name: str) -> int:
        return self.database.sets(name)

    @contextmanager
    def losing(self, before: dict[RealmKind, bytes] = _BEFORE_THE_ANSWER) -> Iterator[Losing]:
        """A socket's name is short, and so must its folder's be."""
        with tempfile.TemporaryDirectory(prefix="keyturn-cut-") as folder:
            near = self.database.elsewhere(Path(folder))
            with cutting(near.socket, self.database.socket) as cut:
                yield Losing(near.authority(), lambda: setattr(cut, "before", before[self._kind]), lambda: cut.cuts)

    @contextmanager
    def lagging(self) -> Iterator[Lagging]:
        """A standby of PostgreSQL receives everything and applies nothing."""
        assert self.database.standby
        with self.database.standby() as standby:
            self._applying(standby, "SELECT pg_wal_replay_pause()")
            replicas = (*self.realm.replicas, str(standby.socket))
            both = replace(self.database, realm=replace(self.realm, replicas=replicas))
            go_on = "SELECT pg_wal_replay_resume()"
            yield Lagging(both.authority(), str(standby.socket), lambda: self._applying(standby, go_on))

    def _applying(self, standby: Server, statement: str) -> None:
        with standby.administer() as session:
            session.execute(statement.encode())

    def join(self, account: Account) -> None:
        self.database.administer(f"GRANT {self._quoted(GROUP)} TO {self._quoted(account.name)}")

    def leave(self, name: str) -> str:
        self.database.administer(f"REVOKE {self._quoted(GROUP)} FROM {self._quoted(name)}")
        return GROUP

    def _quoted(self, name: str) -> str:
        mark = '"' if self._kind is RealmKind.POSTGRESQL else "`"
        return f"{mark}{name}{mark}"
