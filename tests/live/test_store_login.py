"""The account with which Keyturn reaches its own database is changed by Keyturn, while it runs (seed: the site
database account)."""

import re
import secrets
from collections.abc import Iterator

import pytest

from keyturn.adapters.site_files.layout import existing
from keyturn.cli.demo.stage import Stage, StageError
from tests import postgresql
from tests.how_to import commands
from tests.live.test_many_machines import door_of
from tests.postgresql import OWNER, Server

FIRST, ADMIN = "keyturn_store", "keyturn_admin"
MACHINE = "SRV-1"


@pytest.fixture(scope="module")
def passwords() -> dict[str, str]:
    return {name: secrets.token_urlsafe(15) for name in (FIRST, ADMIN)}


@pytest.fixture(scope="module")
def server(passwords: dict[str, str]) -> Iterator[Server]:
    with postgresql.running() as server, server.administer() as connection:
        for command in commands("realm-postgresql", "sql"):
            connection.execute(re.sub(r"(ROLE|TO) keyturn\b", rf"\1 {ADMIN}", command).encode())
        connection.execute(f"ALTER ROLE {OWNER} NOLOGIN".encode())
        connection.execute(f"CREATE ROLE {FIRST} LOGIN IN ROLE {OWNER}".encode())
        for name, password in passwords.items():
            verifier = connection.pgconn.encrypt_password(password.encode(), b"", b"scram-sha-256").decode()
            connection.execute(f"ALTER ROLE {name} PASSWORD '{verifier}'".encode())
        server.demand_passwords()
        yield server


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, server: Server, passwords: dict[str, str]) -> Iterator[Stage]:
    stage = Stage(tmp_path_factory.mktemp("site"), clients=1, interval_s=0.5, door=door_of)
    try:
        stage.found()
        stage.kill_server()
        address = server.url(server.database())
        stage.keyturn("store", "move", address, "--login", FIRST, "--password-stdin", stdin=passwords[FIRST] + "\n")
        stage.start_server()
        _know_the_database(stage, server, passwords)
        stage.enrol([MACHINE])
        _hand_on(stage, address)
        stage.run_agents([MACHINE])
        yield stage
    finally:
        stage.close()


def _know_the_database(stage: Stage, server: Server, passwords: dict[str, str]) -> None:
    estate = stage.root / "estate.toml"
    estate.write_text(
        f"""{estate.read_text()}
[[realm]]
name = "STORE"
kind = "postgresql"
replicas = ["{server.socket}"]
bind_account = "STORE/{ADMIN}"

[[consumer]]
name = "{MACHINE}"
accounts = ["STORE/{FIRST}"]
interval = "1 s"

[[account]]
name = "{ADMIN}"
realm = "STORE"
role = "generic/service"

[[account]]
name = "{FIRST}"
realm = "STORE"
role = "generic/shared-service"
"""
    )
    stage.keyturn("estate", "import", str(estate))
    for name in (ADMIN, FIRST):
        stage.keyturn("account", "adopt", f"STORE\\{name}", "--password-stdin", stdin=passwords[name] + "\n")


def _hand_on(stage: Stage, address: str) -> None:
    """As the how-to says."""
    settings = stage.root / MACHINE / "consumers.toml"
    settings.write_text(
        f"""[[consumer]]
account = 'STORE\\{FIRST}'
path = "{existing(stage.directory).store_password(address)}"
content = "{{name}}\\n{{password}}\\n"
"""
    )
    settings.chmod(0o600)


def users(server: Server) -> set[str]:
    """Who is logged on to the database."""
    with server.administer() as connection:
        found = connection.execute("SELECT DISTINCT usename FROM pg_stat_activity WHERE application_name ~ 'keyturn'")
        return {str(name) for (name,) in found}


def may_log_on(server: Server) -> set[str]:
    with server.administer() as connection:
        found = connection.execute("SELECT rolname FROM pg_roles WHERE rolcanlogin AND rolname ~ '^keyturn_store'")
        return {str(name) for (name,) in found}


def test_a_second_account_takes_over_while_keyturn_runs(stage: Stage, server: Server) -> None:
    stage.keyturn("account", "rotate", f"STORE\\{FIRST}", "--yes")
    second = f"{FIRST}_2"
    assert may_log_on(server) == {second}
    assert users(server) <= {second, ADMIN}
    stage.keyturn("audit-log", "verify")
    stage.keyturn("envelope", "verify")
    stage.kill_server()
    stage.start_server()  # with what the file says now, which no person wrote
    assert stage.keyturn("account", "show", f"STORE\\{second}")


def test_it_is_not_changed_in_place_nor_disabled(stage: Stage) -> None:
    live = next(one["account"] for one in stage.api.get("/accounts") if f"{FIRST}_" in one["account"])
    estate = stage.root / "estate.toml"
    before = estate.read_text()
    in_place = before.replace("generic/shared-service", "generic/database")
    estate.write_text(in_place.replace(f'{FIRST}"', f'{FIRST}_2"'))
    stage.keyturn("estate", "import", str(estate))
    try:
        with pytest.raises(StageError) as refused:
            stage.keyturn("account", "rotate", live, "--yes")
        assert "would shut Keyturn out" in refused.value.hint
        with pytest.raises(StageError) as refused:
            stage.keyturn("account", "disable", live)
        assert "Keyturn's own database is reached with it" in refused.value.hint
    finally:
        estate.write_text(before)
        stage.keyturn("estate", "import", str(estate))
