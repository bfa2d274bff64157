"""A realm and a consumer that another package brings, from its installation to a rotation, by what people type."""

import json
from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher

from keyturn.cli.demo.stage import REALM, SITE, Stage, StageError, until
from keyturn.wiring import _door
from tests.plugins import install_example, make_package

ACCOUNT, HOLDER = "ACME\\svc-app", "APP-1"
NEIGHBOUR = "db9.example:*:*:somebody:else"
LONGEST_S = 60.0

ESTATE = f"""
product = "generic"

[[realm]]
name = "{REALM}"

[[realm]]
name = "ACME"
kind = "acme-keys"
replicas = ["here"]

[realm.connection]
path = "KEYS"

[[site]]
code = "{SITE}"
realm = "{REALM}"
server = "SRV-{SITE}"

[[account]]
name = "svc-app"
realm = "ACME"
role = "service"

[[consumer]]
name = "{HOLDER}"
accounts = ["ACME/svc-app"]
interval = "0.5 s"
"""

CONSUMERS = f"""
[[consumer]]
account = '{ACCOUNT}'
kind = "acme-pgpass"

[consumer.settings]
path = "PGPASS"
host = "db1.example"
"""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The example is installed beside a package that cannot be loaded."""
    folder = tmp_path_factory.mktemp("plugins")
    installed = install_example(folder / "installed")
    make_package(installed, "broken_vault", ["broken-vault"], "raise OSError('no such vault')")
    (folder / "keys.json").write_text("[]")
    (folder / ".pgpass").write_text(f"{NEIGHBOUR}\n")
    (folder / "acme.toml").write_text(ESTATE.replace("KEYS", str(folder / "keys.json")))
    stage = Stage(folder, clients=1, interval_s=0.5, door=_door)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(installed))
        try:
            stage.found()
            yield stage
        finally:
            stage.close()


def test_the_kinds_of_realm_are_listed_with_who_brings_them(stage: Stage) -> None:
    kinds = {found["kind"]: found for found in json.loads(stage.keyturn("realm", "kinds", "--json"))}
    assert kinds["builtin"]["package"] == "keyturn"
    assert kinds["acme-keys"] == {
        "kind": "acme-keys",
        "package": "keyturn-example-plugin",
        "version": "0.1.0",
        "trouble": "",
    }
    assert kinds["broken-vault"]["trouble"] == "broken_vault 1.2.3 cannot be loaded: OSError: no such vault"
    assert "acme-keys" in stage.keyturn("realm", "kinds")


def test_an_estate_with_a_kind_that_nobody_brings_is_refused_with_those_there_are(stage: Stage) -> None:
    wrong = stage.root / "wrong.toml"
    wrong.write_text(ESTATE.replace("acme-keys", "acme-kez"))
    with pytest.raises(StageError) as raised:
        stage.keyturn("estate", "import", str(wrong))
    assert "estate:9: realm ACME: kind must be one of builtin, active-directory," in raised.value.hint
    assert "local, acme-keys, broken-vault, not acme-kez" in raised.value.hint
    assert "did you mean acme-keys?" in raised.value.hint


def test_an_estate_whose_plug_in_cannot_be_loaded_is_refused_by_the_name_of_the_package(stage: Stage) -> None:
    wrong = stage.root / "wrong.toml"
    wrong.write_text(ESTATE.replace("acme-keys", "broken-vault"))
    with pytest.raises(StageError, match="ended with 2") as raised:
        stage.keyturn("estate", "import", str(wrong))
    assert "realm ACME is of kind broken-vault, and broken_vault 1.2.3 cannot be loaded" in raised.value.hint


def test_a_password_is_rotated_in_the_plugged_in_realm_and_reaches_the_plugged_in_consumer(stage: Stage) -> None:
    stage.keyturn("estate", "import", str(stage.root / "acme.toml"))
    stage.keyturn("account", "create", ACCOUNT, "--yes")
    stage.enrol([HOLDER])
    settings = stage.root / HOLDER / "consumers.toml"
    settings.write_text(CONSUMERS.replace("PGPASS", str(stage.root / ".pgpass")))
    settings.chmod(0o600)
    stage.run_agents([HOLDER])
    until("the first password is proven", lambda: proven(stage) == 1, LONGEST_S)
    first = password(stage)

    stage.keyturn("account", "rotate", ACCOUNT, "--yes")

    until("the second one is proven", lambda: proven(stage) == 2, LONGEST_S)
    [entry] = json.loads((stage.root / "keys.json").read_text())
    assert entry["version"] == 2
    assert PasswordHasher().verify(entry["hashed"], password(stage))
    assert password(stage) != first
    assert NEIGHBOUR in (stage.root / ".pgpass").read_text().splitlines()
    stage.keyturn("realm", "check", "ACME")
    told = "".join(log.read_text() for log in stage.root.glob("*.log"))
    assert not [secret for secret in (first, password(stage)) if secret in told]


def proven(stage: Stage) -> int | None:
    holders = stage.api.post("/accounts/show", {"account": ACCOUNT})["held_by"]
    return next(holder["generation"] for holder in holders if holder["name"] == HOLDER)


def password(stage: Stage) -> str:
    """As libpq reads it."""
    beginning = "db1.example:*:*:svc-app:"
    [line] = [line for line in (stage.root / ".pgpass").read_text().splitlines() if line.startswith(beginning)]
    return line.removeprefix(beginning).replace("\\:", ":").replace("\\\\", "\\")
