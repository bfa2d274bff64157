"""An agent hands a password on to another machine, over a real sshd: files, a unit, a hook. And one story whole: a
local account of that machine is rotated by a site over SSH, and the service that uses it there goes on."""

import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from textwrap import dedent

import pytest

from keyturn.adapters.authorities.local_accounts.authority import LocalAccounts
from keyturn.adapters.authorities.local_accounts.programs import Machine as Accounts
from keyturn.adapters.authorities.pass_through import PassThrough
from keyturn.agent.consumers.handing import Handing, NotHanded
from keyturn.agent.consumers.settings import read_consumers
from keyturn.agent.records import Copy
from keyturn.model.accounts import AccountToBe, Credential, RealmName
from keyturn.model.errors import NotFound, Refused
from keyturn.model.estate import Holder, HolderKind, Realm, RealmKind
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.secret import Secret
from keyturn.operations import accounts, clients, plans
from keyturn.operations.access import log_on
from keyturn.operations.clients import Handed
from keyturn.operations.gate import Drop
from tests.builtin import Clock
from tests.inner_site import InnerSite, check_in, site_in
from tests.sshd import HOST, Sshd, cut_after, sshd
from tests.story.agent_site import FIRST, Machine, MemorySite

WEB1 = RealmName("WEB1")
OLD, NEW = "first password of the account", "second {name} \\ password\xe9"


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with sshd(tmp_path_factory.mktemp("sshd")) as there:
        yield there


@pytest.fixture
def site() -> MemorySite:
    site = MemorySite()
    site.realm.set_password(FIRST, OLD)
    site.publish(FIRST, 1, OLD)
    return site


@pytest.fixture
def machine(site: MemorySite, tmp_path: Path) -> Machine:
    return Machine(site, tmp_path / "agent").enrol()


@pytest.fixture
def file(there: Sshd) -> Iterator[Path]:
    """The other machine's, seen from here. It has a space in its name, as nobody should do and some do."""
    folder = there.etc / "kt-web"
    folder.mkdir()
    file = folder / "data base.conf"
    file.write_text(f"password={OLD}\n")
    there.run("chown", "keyturn:daemon", "/etc/kt-web/data base.conf")
    file.chmod(0o640)
    yield file
    there.run("rm", "-rf", "/etc/kt-web")


def consumers(machine: Machine, there: Sshd, text: str, port: int | None = None) -> None:
    settings = machine.folder / "consumers.toml"
    way = there.root
    ssh = f"""
    [ssh]
    user = "{way.user}"
    identity_file = "{way.identity_file}"
    known_hosts = "{way.known_hosts}"
    port = {port or way.port}
    """
    settings.write_text(dedent(ssh) + dedent(text))
    settings.chmod(0o600)


def a_file(more: str = "", content: str = "password={password}\\n") -> str:
    return f"""
    [[consumer]]
    account = 'PHX\\SMSClient_PHX'
    host = "{HOST}"
    path = "/etc/kt-web/data base.conf"
    content = "{content}"
    {more}
    """


def change(site: MemorySite) -> None:
    site.realm.set_password(FIRST, NEW)
    site.publish(FIRST, 2, NEW)


def alone(file: Path) -> bool:
    return list(file.parent.iterdir()) == [file]


def test_a_file_there_has_the_new_password_with_its_owner_and_mode_before_it_is_proven(
    site: MemorySite, machine: Machine, there: Sshd, file: Path
) -> None:
    consumers(machine, there, a_file())
    before = file.stat()
    machine.contact()
    change(site)
    machine.contact()
    after = file.stat()
    assert file.read_text() == f"password={NEW}\n"
    assert (after.st_uid, after.st_gid, stat.S_IMODE(after.st_mode)) == (before.st_uid, before.st_gid, 0o640)
    assert after.st_ino != before.st_ino, "replaced, not written into"
    assert alone(file)
    assert site.proofs[-1] == ("PC-0001", FIRST, 2, Answer.ACCEPTED)


def test_a_new_file_there_is_its_owners_alone_or_as_the_settings_say(
    site: MemorySite, machine: Machine, there: Sshd, file: Path
) -> None:
    file.unlink()
    consumers(machine, there, a_file())
    machine.contact()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    consumers(machine, there, a_file('owner = "keyturn"\ngroup = "daemon"\nmode = "0440"', "{password}"))
    machine.contact()
    found = file.stat()
    assert (found.st_uid > 0, found.st_gid, stat.S_IMODE(found.st_mode)) == (True, 1, 0o440)


def test_what_it_held_is_kept_sealed_here_and_put_back_there(
    site: MemorySite, machine: Machine, there: Sshd, file: Path
) -> None:
    consumers(machine, there, a_file())
    machine.contact()
    change(site)
    machine.contact()
    kept = [path for path in machine.folder.rglob("*") if path.is_file()]
    assert not [path for path in kept if OLD.encode() in path.read_bytes()]
    machine.client().put_back(Path("/etc/kt-web/data base.conf"), HOST)
    assert file.read_text() == f"password={OLD}\n"
    with pytest.raises(NotFound, match=r"no consumer of this agent is the file other\.example:"):
        machine.client().put_back(Path("/etc/kt-web/data base.conf"), "other.example")
    with pytest.raises(NotFound, match="nothing is kept"):
        machine.client().put_back(Path("/etc/kt-web/data base.conf"))


def test_a_service_there_that_cannot_work_with_it_keeps_the_old_one_and_host_and_reason_are_named(
    site: MemorySite, machine: Machine, there: Sshd, file: Path
) -> None:
    check = "! grep second '/etc/kt-web/data base.conf' || { echo the database refuses >&2; exit 3; }"
    consumers(machine, there, a_file(f"""check = ["sh", "-c", "{check}"]"""))
    machine.contact()
    change(site)
    proven = list(site.proofs)
    report, _ = machine.contact()
    [trouble] = report.of(NotHanded)
    assert trouble.consumer == f"{HOST}:/etc/kt-web/data base.conf"
    assert trouble.reason == f"{HOST}: sh ended with 3: the database refuses"
    assert file.read_text() == f"password={OLD}\n"
    assert site.proofs == proven


def test_a_unit_there_is_restarted_and_asked(site: MemorySite, machine: Machine, there: Sshd, file: Path) -> None:
    """No systemd runs here: a stand-in under its name writes down what it is asked, and what the file held then."""
    stand_in = there.programs / "systemctl"
    stand_in.write_text('#!/bin/sh\necho "$* $(cat "/etc/kt-web/data base.conf")" >> /etc/kt-web/asked\n')
    stand_in.chmod(0o755)
    consumers(machine, there, a_file('unit = "web.service"', "{password}"))
    machine.contact()
    stand_in.unlink()
    asked = (file.parent / "asked").read_text().splitlines()
    assert asked == [f"restart web.service {OLD}", f"is-active --quiet web.service {OLD}"]


def test_a_hook_there_is_given_the_password_on_standard_input_alone(
    site: MemorySite, machine: Machine, there: Sshd, file: Path
) -> None:
    hook = file.parent / "hook"
    hook.write_text(
        dedent("""\
        #!/bin/sh
        echo "$*" >> /etc/kt-web/arguments
        tr '\\0' ' ' < /proc/$PPID/cmdline >> /etc/kt-web/arguments
        env >> /etc/kt-web/arguments
        cat >> "/etc/kt-web/got-$1"
        [ "$1" != holds ]
        """)
    )
    hook.chmod(0o755)
    consumers(
        machine, there, f"[[consumer]]\naccount = 'PHX/SMSClient_PHX'\nhost = '{HOST}'\ncommand = ['/etc/kt-web/hook']"
    )
    machine.contact()
    assert f'"password": "{OLD}"' in (file.parent / "got-adopt").read_text()
    assert (file.parent / "got-verify").exists()
    assert OLD not in (file.parent / "arguments").read_text()
    assert site.proofs


def test_a_connection_cut_in_the_middle_of_a_write_leaves_the_old_file_whole_and_the_next_try_goes_on(
    site: MemorySite, machine: Machine, there: Sshd, file: Path
) -> None:
    """Half of a file has arrived when the connection ends. It is longer than what ssh sends at a time."""
    long = "password={password}\\n" + "#" * 100_000
    old = file.read_text()
    with cut_after(there, 60_000) as port:
        consumers(machine, there, a_file(content=long), port)
        report, _ = machine.contact()
    [trouble] = report.of(NotHanded)
    assert trouble.reason.startswith(f"{HOST}:/etc/kt-web/data base.conf: {HOST} is not reached")
    _until(there.idle)
    assert alone(file)
    assert file.read_text() == old
    assert site.proofs == []
    consumers(machine, there, a_file(content=long))
    machine.contact()
    assert file.read_text() == f"password={OLD}\n" + "#" * 100_000
    assert site.proofs


def test_what_a_killed_shell_left_beside_the_file_is_taken_away(
    site: MemorySite, machine: Machine, there: Sshd, file: Path
) -> None:
    (file.parent / f".{file.name}.keyturn.Ab3dEf9h").write_text("half a pass")
    consumers(machine, there, a_file(content="{password}"))
    machine.contact()
    assert alone(file)


def test_a_restart_that_a_lost_connection_left_out_is_made_up_for(
    site: MemorySite, machine: Machine, there: Sshd, file: Path
) -> None:
    """The file is new already; nobody knows whether its service was told."""
    file.write_text(f"password={OLD}\n")
    consumers(machine, there, a_file('restart = ["touch", "/etc/kt-web/restarted"]'))
    machine.contact()
    assert (file.parent / "restarted").exists()


def test_another_host_key_is_refused_and_nothing_is_sent(
    site: MemorySite, machine: Machine, there: Sshd, file: Path
) -> None:
    known = there.folder / "known_hosts"
    consumers(machine, there, a_file(content="{password}"))
    there.new_host_key()
    try:
        report, _ = machine.contact()
    finally:
        known.write_text("")
        there.known_at(there.port)
    assert "shows another host key than" in report.of(NotHanded)[0].reason
    assert file.read_text() == f"password={OLD}\n"
    assert site.proofs == []


def test_a_machine_that_is_away_holds_the_proof_back_until_it_is_there(
    site: MemorySite, machine: Machine, there: Sshd, file: Path
) -> None:
    consumers(machine, there, a_file(content="{password}"))
    there.stop()
    report, _ = machine.contact()
    there.start()
    assert f"{HOST} is not reached" in report.of(NotHanded)[0].reason
    assert site.proofs == []
    machine.contact()
    assert site.proofs


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[ssh]\nuser = 'root'\n" + a_file(), r"consumer 1, \[ssh\]: identity_file must be"),
        ("[ssh]\nmood = 'good'\n" + a_file(), r"\[ssh\]: mood is no key"),
        (a_file(), r"consumer 1, \[ssh\]: user must be"),
    ],
)
def test_settings_without_a_way_are_refused_by_name(text: str, words: str) -> None:
    with pytest.raises(Refused, match=words):
        read_consumers(dedent(text))


# The whole way.

ESTATE = """
product = "generic"

[[realm]]
name = "WEB1"
kind = "local"
replicas = ["web1"]

[[site]]
code = "PHX"
realm = "WEB1"
server = "SRV-PHX"

[[account]]
name = "kt-service"
realm = "WEB1"
role = "service"
sites = ["PHX"]

[[consumer]]
name = "JUMP"
accounts = ["kt-service"]
interval = "10 s"
"""


@dataclass
class Jump:
    """The holder of the account: a machine that hands it on by its own `consumers.toml`, before it proves it."""

    site: InnerSite
    handing: Handing
    held: dict[str, int] = field(default_factory=dict)
    troubles: list[NotHanded] = field(default_factory=list)

    def contact(self) -> None:
        for direction in check_in(self.site.parts, "JUMP", dict(self.held)):
            match direction:
                case Handed(credential, secret, succeeds=succeeds):
                    self._prove(credential, secret, tuple(str(account) for account in succeeds))
                case Drop(account):
                    self.held.pop(str(account), None)
                case _:
                    pass

    def _prove(self, credential: Credential, secret: Secret, succeeds: tuple[str, ...]) -> None:
        account = str(credential.account)
        trouble = self.handing.hand_over(Copy(account, credential.generation, b"", succeeds=succeeds), secret)
        if trouble:
            self.troubles.append(trouble)
            return
        parts, name = self.site.parts, "JUMP"
        realm = parts.access_realm(credential.account.realm)
        machine = Holder(name, HolderKind.CONSUMER)
        now = self.site.clock.now
        answer = log_on(self.site.store, realm, account, secret, machine=machine, source=name, now=now)
        if answer is Answer.ACCEPTED:
            self.held[account] = credential.generation
        clients.report(parts, name, account, credential.generation, answer)


def test_a_local_account_there_is_rotated_and_its_service_there_goes_on(
    there: Sshd, file: Path, machine: Machine, tmp_path: Path
) -> None:
    """At first the service cannot work with it: the hand-over is put back and the plan waits."""
    realm = Realm(WEB1, RealmKind.LOCAL, ("web1",))
    authority = LocalAccounts(realm, time.time, Accounts(there.sudo))
    authority.create(AccountToBe(WEB1, "kt-service"), Secret(OLD))
    site = site_in(
        tmp_path,
        ESTATE,
        clock=Clock(time.time()),
        real={WEB1: authority},
        wrap=lambda parts: replace(parts, access_realm=lambda name: PassThrough(authority)),
    )
    accounts.adopt(site.parts, "kt-service", Secret(OLD), by="olga")
    site.enrol("JUMP")
    blocked = file.parent / "blocked"
    text = a_file('check = ["sh", "-c", "! [ -e /etc/kt-web/blocked ]"]', "{name} {password}")
    consumers(machine, there, text.replace("PHX\\SMSClient_PHX", "WEB1\\kt-service"))
    jump = Jump(site, Handing(read_consumers(machine.home.consumers()), lambda path, content: None))
    try:
        jump.contact()
        assert file.read_text() == f"kt-service {OLD}"
        plan_id = site.rotate("kt-service").plan_id
        blocked.touch()
        for turn in range(200):
            plans.advance_plan(site.parts, plan_id, "worker")
            jump.contact()
            if turn == 5:
                assert jump.troubles
                assert file.read_text() == f"kt-service {OLD}"
                blocked.unlink()
            if site.store.plan(plan_id).state not in ("running", "waiting"):
                break
            site.clock.turn(5)
        record = site.store.plan(plan_id)
        assert record.state == "done", record.note
        name, _, password = file.read_text().partition(" ")
        now = authority.find(name)
        assert now is not None
        assert password != OLD
        assert authority.try_logon(now, Secret(password), protocol=LogonProtocol.LDAP) is Answer.ACCEPTED
    finally:
        site.close()
        for left in ("kt-service", "kt-service2"):
            if found := authority.find(left):
                authority.delete(found)


def _until(done: Callable[[], bool], patience_s: float = 60) -> None:
    deadline = time.monotonic() + patience_s
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.05)
