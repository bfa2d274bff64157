"""A lab made from nothing, in the order in which a person would do it, with the commands that person would type."""

import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from keyturn.cli.demo.acts import Say
from keyturn.cli.demo.stage import Stage, StageError, free_port, keyturn, until
from keyturn.cli.lab.domain import furnish, grant, raise_domain
from keyturn.cli.lab.place import ACCOUNT, BIND_ACCOUNT, FILE_SERVER, FULL_NAME, REALM, SITE, UNIT, Lab
from keyturn.model.secret import Secret
from keyturn.wire.door import Door

CONTACT_S = 2.0
_QUIET_S = 5
_PROVEN_WITHIN_S = 60
_ESTATE = r"""product = "sms2003"

[[realm]]
name = "{realm}"
kind = "active-directory"
replicas = {hosts}
bind_account = "{bind}"

[realm.connection]
certificate_authority = "{authority}"
container = "{unit}"

[[site]]
code = "{site}"
realm = "{realm}"
server = "SRV-{site}"

[[site_system]]
name = "{file_server}"
site = "{site}"
roles = ["client-access-point"]
share = '{share}'

[[account]]
name = "{bind}"
realm = "{realm}"
role = "generic/service"

[[account]]
name = "{account}"
realm = "{realm}"
role = "client-connection-additional"
sites = ["{site}"]

[[client_group]]
name = "PC"
site = "{site}"
kind = "legacy"
count = {agents}
interval = "{interval} s"
"""


def raise_lab(lab: Lab, door: Callable[[Path], Door], say: Say) -> None:
    raise_domain(lab, say)
    bind_password, password = (_new_password(lab, account) for account in (BIND_ACCOUNT, ACCOUNT))
    furnish(lab, bind_password, password)
    say(f"{REALM}\\{BIND_ACCOUNT} and {FULL_NAME} are made, with passwords of this lab's own")

    stage = Stage(lab.root, lab.agents, CONTACT_S, door)
    _found(stage, lab)
    say(f"site {SITE} is up at {door(lab.site).url}")
    for account, secret in ((BIND_ACCOUNT, bind_password), (ACCOUNT, password)):
        stage.keyturn("account", "adopt", f"{REALM}\\{account}", "--password-stdin", stdin=secret.reveal() + "\n")
    say(f"both are taken in; {BIND_ACCOUNT} is granted what `keyturn realm check` says is missing")
    _delegate(stage, lab)

    stage.enrol(lab.names)
    stage.keyturn("site", "publish", "--to", str(lab.shared))
    stage.run_agents(lab.names)
    say(f"{lab.agents} agents are enrolled, and log on to {lab.share}")
    until("every agent has proven the account", lambda: _current(stage) == lab.agents, _PROVEN_WITHIN_S)


def _found(stage: Stage, lab: Lab) -> None:
    times = ["--contact", str(CONTACT_S), "--quiet", str(_QUIET_S)]
    keyturn("init", str(lab.site), "--site", SITE, "--port", str(free_port()), *times, "--no-default-account")
    stage.start_server()
    estate = lab.root / "estate.toml"
    estate.write_text(_estate(lab))
    stage.keyturn("estate", "import", str(estate))


def _estate(lab: Lab) -> str:
    return _ESTATE.format(
        realm=REALM,
        hosts=json.dumps(lab.hosts),
        bind=BIND_ACCOUNT,
        authority=lab.certificate_authority,
        unit=UNIT,
        site=SITE,
        file_server=FILE_SERVER,
        share=lab.share,
        account=ACCOUNT,
        agents=lab.agents,
        interval=CONTACT_S,
    )


def _delegate(stage: Stage, lab: Lab) -> None:
    """An administrator types what the check prints, and the check is then content."""
    wanted = [command for right in _check(stage)["missing"] for command in right["commands"]]
    grant(lab, [command for command in wanted if command.startswith("samba-tool ")])
    left = _check(stage)
    if left["missing"] or not left["fit"]:
        raise StageError(f"Keyturn cannot work in {REALM} yet", hint=f"keyturn --dir {lab.site} realm check {REALM}")


def _check(stage: Stage) -> dict[str, list[dict[str, list[str]]]]:
    found: dict[str, list[dict[str, list[str]]]] = stage.api.get(f"/realms/{REALM}/check")
    return found


def _current(stage: Stage) -> int:
    return int(next(a["current"] for a in stage.api.get("/accounts") if a["account"] == FULL_NAME))


def _new_password(lab: Lab, account: str) -> Secret:
    """Kept in a file for its owner alone, to try things by hand. A rotation does not write it there."""
    secret = Secret(f"Aa1-{secrets.token_urlsafe(16)}")
    number = os.open(lab.password_file(account), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(number, "w") as file:
        file.write(secret.reveal() + "\n")
    return secret
