"""A site founded, used and rotated by commands and agents of its own, the way its people would, mistakes included.

Every secret that goes in is a canary, and every one that the product makes becomes one as soon as it can be known.
"""

import base64
import json
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pyrage
import urllib3
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from keyturn.cli.demo.stage import free_port, until
from tests import estates
from tests.secrets.canary import Canaries, Place
from tests.secrets.mistakes import mistakes_with, readings, secret_routes
from tests.secrets.processes import Output, Processes

ESTATE = estates.INSTALLATION.replace(
    "lockout_threshold = 5",
    'lockout_threshold = 50\nhistory = 0\nlockout_window = "1 s"\nlockout_duration = "1 s"',
) + estates.account("KtClient", "client-connection-additional")
"""Mistakes are forgiven at once, so that nobody has to wait."""

MACHINES = ("PC-0001", "PC-0002")
UNGATED = "PC-0003"
CUSTODIANS = ("alice", "bob")

LONGEST = 14
"""Characters that the product takes for the password of a Software Installation account."""

SEALED = ("the password of a new account", "a password set past Keyturn", "a password that a person chose")
"""The canaries that became passwords of accounts, so that whoever opens an envelope is shown them."""


@dataclass
class UsedSite:
    """`answers` are those of the API, whole, by what was wrong with the request. `asked_for` says which canary
    belongs where: a token on the stdout of whoever asked for it, a key in its own file."""

    processes: Processes
    canaries: Canaries
    port: int = field(default_factory=free_port)
    server: "subprocess.Popen[bytes]" = field(init=False)
    left_by_kill: dict[str, bytes] = field(default_factory=dict)
    """The site's files as `kill -9` left them."""
    answers: dict[str, bytes] = field(default_factory=dict)
    asked_for: set[tuple[str, Place]] = field(default_factory=set)

    @property
    def folder(self) -> Path:
        return self.processes.folder

    @property
    def directory(self) -> Path:
        return self.folder / "site"

    @property
    def admin_token(self) -> Path:
        return self.directory / "admin.token"

    @property
    def server_log(self) -> bytes:
        return (self.folder / "evidence" / "server.log").read_bytes()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def use(self) -> None:
        """Everything, in the order in which a person would come to it."""
        self.found()
        self.start_server()
        self.take_in_the_estate()
        self.make_accounts()
        self.enrol_machines()
        self.mistype()
        self.take_in_an_account_changed_elsewhere()
        self.rotate()
        self.let_somebody_in()
        self.open_envelopes()
        self.send_mistakes()
        self.kill_and_restart()
        self.learn_the_keys()

    def found(self) -> None:
        options = ["--site", "PHX", "--realm", "CORP", "--port", str(self.port), "--contact", "1", "--quiet", "1"]
        for name in CUSTODIANS:
            identity = pyrage.x25519.Identity.generate()
            file = self.folder / f"{name}.key"
            file.write_text(f"{identity}\n")
            self.own("a custodian's key", str(identity), file)
            options += ["--custodian", f"{name}={identity.to_public()}"]
        self.processes.run("init", str(self.directory), *options, "--needed", "2", "--no-default-account")
        self.own("the administrator's token", self.admin_token.read_text().strip(), self.admin_token)

    def start_server(self) -> None:
        self.server = self.processes.start("server", "up", str(self.directory))
        until("the server answers", self.is_up, 90)

    def is_up(self) -> bool:
        assert self.server.poll() is None, "the server ended"
        try:
            with self.pool() as pool:
                return pool.request("GET", f"{self.url}/agent/v1/authority").status == 200
        except urllib3.exceptions.HTTPError:
            return False

    def keyturn(self, *arguments: str, stdin: str | bytes = "", status: int = 0) -> Output:
        return self.processes.run("--dir", str(self.directory), *arguments, stdin=stdin, status=status)

    def plant(self, name: str, length: int = LONGEST) -> str:
        """A canary as a line of stdin."""
        return self.canaries.plant(name, length) + "\n"

    def own(self, name: str, secret: str | bytes, place: Place) -> None:
        """A secret that belongs in this place and in no other."""
        self.canaries.learn(name, secret)
        self.asked_for.add((name, place))

    def take_in_the_estate(self) -> None:
        file = self.folder / "estate.toml"
        file.write_text(ESTATE)
        self.keyturn("estate", "import", str(file))

    def make_accounts(self) -> None:
        password = self.plant("the password of a new account")
        self.keyturn("account", "create", "KtInstall", "--password-stdin", "--yes", stdin=password)
        self.keyturn("account", "create", "KtClient", "--yes", "--json")
        weak = self.canaries.learn("a password too simple", "onlysmallones") + "\n"
        self.keyturn("account", "rotate", "KtInstall", "--password-stdin", "--yes", stdin=weak, status=2)

    def enrol_machines(self) -> None:
        for name in (*MACHINES, UNGATED):
            told = self.keyturn("client", "invite", name)
            self.own("an enrolment token", told.text.strip(), told.name)
            self.enrol(name, "--token-stdin", stdin=told.text)
            if name != UNGATED:
                self.processes.start(name, "agent", "run", "--interval", "0.3", "--dir", str(self.folder / name))
        file = self.folder / "token"
        self.keyturn("client", "invite", MACHINES[0], "--token-file", str(file))
        self.own("an enrolment token in a file", file.read_text().strip(), file)
        self.enrol("stranger", "--token-file", str(file), status=2)
        self.enrol("stranger", "--token-stdin", stdin=self.plant("a token nobody gave"), status=2)
        until("every agent has logged on", lambda: all(map(self.let_in, MACHINES)), 90)
        for options in (["run", "--once", "--ungated"], ["run", "--once", "--ungated", "--json"], ["reinstall"]):
            self.agent(UNGATED, *options)
        self.agent(UNGATED, "status", "--json")

    def enrol(self, name: str, *options: str, stdin: str = "", status: int = 0) -> None:
        where = ["--server", self.url, "--name", name, "--ca", str(self.directory / "site-ca.pem")]
        self.processes.run(
            "agent", "enrol", *where, "--dir", str(self.folder / name), *options, stdin=stdin, status=status
        )

    def agent(self, name: str, *options: str) -> None:
        self.processes.run("agent", *options, "--dir", str(self.folder / name))

    def let_in(self, name: str) -> bool:
        try:
            return bool(json.loads((self.folder / name / "status.json").read_bytes())["answer"] == "accepted")
        except FileNotFoundError:
            return False

    def mistype(self) -> None:
        """A wrong password, a password of broken UTF-8, none at all, and one for an account that does not exist."""
        for account in ("KtInstall", "nobody"):
            wrong = self.plant("a wrong password")
            self.keyturn("account", "adopt", account, "--password-stdin", stdin=wrong, status=2)
        broken = self.plant("a password in broken UTF-8").encode().replace(b"-", b"-\xff")
        self.keyturn("account", "adopt", "KtInstall", "--password-stdin", stdin=broken, status=2)
        self.keyturn("account", "adopt", "KtInstall", "--password-stdin", status=2)

    def take_in_an_account_changed_elsewhere(self) -> None:
        password = self.plant("a password set past Keyturn")
        self.keyturn("realm", "set-password", "CORP\\KtInstall", "--password-stdin", stdin=password)
        until("the budget allows another logon", lambda: self.adopts("KtInstall", password), 90)

    def adopts(self, account: str, password: str) -> bool:
        try:
            self.keyturn("account", "adopt", account, "--password-stdin", stdin=password)
        except AssertionError:
            return False
        return True

    def rotate(self) -> None:
        """One password chosen by a person, one made by the site, and one of a plan that nobody approves."""
        chosen = self.plant("a password that a person chose")
        self.rotate_with_everybody("KtInstall", "--password-stdin", stdin=chosen)
        held_back = self.plant("a password handed in with a plan nobody approves")
        self.keyturn("account", "rotate", "KtInstall", "--password-stdin", stdin=held_back)
        self.rotate_with_everybody("KtClient")

    def rotate_with_everybody(self, account: str, *options: str, stdin: str = "") -> None:
        command = ["--dir", str(self.directory), "account", "rotate", account, "--yes", *options]
        rotation = self.processes.start(f"rotation of {account}", *command, stdin=stdin)

        def ended() -> bool:
            self.agent(UNGATED, "run", "--once")
            return rotation.poll() is not None

        until(f"the rotation of {account} has ended", ended, 90)
        assert rotation.returncode == 0, f"the rotation of {account} did not succeed"

    def let_somebody_in(self) -> None:
        password = self.plant("a person's password", 24)
        self.keyturn("person", "add", "olga", "--role", "operator", "--password-stdin", stdin=password)
        short = self.canaries.learn("a person's password too short", "Short-pw-1") + "\n"
        self.keyturn("person", "add", "paul", "--password-stdin", stdin=short, status=2)
        login = ["login", self.url, "--name", "olga", "--ca", str(self.directory / "site-ca.pem"), "--password-stdin"]
        self.processes.run(*login, stdin=self.plant("a wrong password at login"), status=2)
        self.processes.run(*login, stdin=password)
        saved = self.folder / "home" / ".config" / "keyturn" / "login.json"
        self.own("a person's token", json.loads(saved.read_text())["token"], saved)
        self.processes.run("account", "show", "KtClient_2")
        self.processes.run("audit-log", "show", "--json")

    def open_envelopes(self) -> None:
        """So every password of an account is known from here on, whoever made it."""
        keys = [f"--key={name}={self.folder / f'{name}.key'}" for name in CUSTODIANS]
        swapped = [
            f"--key={name}={self.folder / f'{other}.key'}"
            for name, other in zip(CUSTODIANS, CUSTODIANS[::-1], strict=True)
        ]
        self.keyturn("envelope", "open", "KtInstall", *swapped, status=2)
        self.keyturn("envelope", "take", "KtInstall")
        newest = {a["account"]: a["generation"] for a in json.loads(self.keyturn("account", "list", "--json").text)}
        assert newest == {"CORP\\KtClient": 1, "CORP\\KtClient_2": 1, "CORP\\KtInstall": 3}
        for account, generations in newest.items():
            for generation in range(1, generations + 1):
                opened = self.keyturn("envelope", "open", account, "--generation", str(generation), *keys, "--json")
                name = f"the password of {account} generation {generation}"
                self.own(name, json.loads(opened.text)["password"], opened.name)
                self.asked_for |= {(planted, opened.name) for planted in SEALED}

    def send_mistakes(self) -> None:
        """Every route that takes a password in every wrong way, and before that what the others have to tell."""
        token = self.admin_token.read_text().strip()
        with self.pool() as pool:
            wrong = mistakes_with(self.canaries.plant("a password sent to the API"), token, secret_routes())
            for mistake in (*readings(token), *wrong):
                headers = {**mistake.headers, "connection": "close"}
                answer = pool.request(mistake.method, self.url + mistake.path, body=mistake.body, headers=headers)
                self.answers[mistake.name] = f"{answer.status} {answer.headers!r}\n".encode() + answer.data

    def pool(self) -> urllib3.PoolManager:
        trusted = (self.directory / "site-ca.pem").read_text()
        return urllib3.PoolManager(ca_cert_data=trusted, retries=False, timeout=60)

    def kill_and_restart(self) -> None:
        """`kill -9`, so that no log of the database is tidied away; the files are read before the next start."""
        self.server.send_signal(signal.SIGKILL)
        self.server.wait()
        self.left_by_kill = {str(file): file.read_bytes() for file in self.directory.rglob("*") if file.is_file()}
        self.start_server()

    def learn_the_keys(self) -> None:
        for name in (*MACHINES, UNGATED):
            file = self.folder / name / "keys"
            keys = json.loads(file.read_bytes())
            self.own("an agent's age identity", keys["age"], file)
            self.own("an agent's signing key", base64.b64decode(keys["ed25519"]), file)
        seal_key = self.directory / "seal.key"
        self.own("the seal key", base64.b64decode(seal_key.read_text().split()[-1]), seal_key)
        for file in (self.directory / "site-ca.key", self.directory / "server.key"):
            key = load_pem_private_key(file.read_bytes(), password=None)
            assert isinstance(key, EllipticCurvePrivateKey)
            scalar = key.private_numbers().private_value.to_bytes(32, "big")
            self.own(f"the private key {file.name}", scalar, file)
