"""A site with an advanced and a legacy client of a real domain, whose programs reach shares of a real file server.

The clients are agents as they are, with this machine's runner and the helper that makes shares folders. The site is in
this process, with its routes.
"""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NoReturn

from keyturn.adapters.authorities.active_directory.authority import open_authority
from keyturn.adapters.shares.smb_content import SmbPoint
from keyturn.agent.contact import contact
from keyturn.agent.ports import AgentParts
from keyturn.agent.software.cycle import Software
from keyturn.agent.software.opening import software
from keyturn.agent.software.place import Place
from keyturn.agent.software.requests import Requests
from keyturn.agent.turns import take_turn
from keyturn.distribution.presenting import NotLetIn, Presentable
from keyturn.distribution.run_context import RealmAccount
from keyturn.lifecycle.ports import Authority, Rights
from keyturn.model.accounts import AccountToBe
from keyturn.model.policy import RealmPolicy
from keyturn.model.secret import Secret
from keyturn.model.software import AdvertisementId, ClientKind, PackageId, Program
from keyturn.operations import accounts, software_collections, software_packages, software_programs
from keyturn.operations.advertisement_status import ClientStanding, advertisement_status
from keyturn.operations.inbox_reading import read_inboxes
from keyturn.operations.software_packages import NewPackage
from keyturn.wire.agent import NoAnswer
from keyturn.wiring import _software
from tests import samba, share_fleet
from tests.inner_site import InnerSite
from tests.samba import ADMINISTRATOR, OURS, READERS, REALM, Samba
from tests.share_fleet import RoutesOf
from tests.software import advertise
from tests.story.real_realm import opened

SECRET = Secret("Turn-the-key-0001")
ADVANCED, LEGACY = ClientKind.ADVANCED, ClientKind.LEGACY
CLIENTS = {ADVANCED: "ADV-0001", LEGACY: "LEG-0001"}
LOGS = {ADVANCED: "execmgr", LEGACY: "SMSAPM32"}
ROLES = {
    "con": "client-connection-additional",
    "naa": "network-access",
    "ins": "software-installation",
    "srv": "server-connection",
}
"""What an account of a scene is for, by the beginning of its name."""
REACHES = {ADVANCED: "naa", LEGACY: "ins"}
"""Who reaches a share that is no distribution point."""

FILE, CLOSED_FILE = "setup.txt", "closed.txt"
TEXT = "from the share\n"
_SHARES = r"""
[tools]
  path = /srv/tools
  valid users = @"CORP\sms-readers"
  vfs objects = full_audit
  full_audit:prefix = opened by %u
  full_audit:success = openat
  full_audit:failure = none
  full_audit:syslog = false
[dp]
  path = /srv/dp
  read only = no
  vfs objects = acl_xattr
  acl_xattr:ignore system acls = yes
[closed]
  path = /srv/tools
  valid users = "CORP\Administrator"
"""
_TELL = "  log level = 0 full_audit:1\n"
"""One may be a distribution point. Who opens a file of the first is written down by the file server itself."""

_ESTATE = """
product = "sms2003"

[[realm]]
name = "CORP"
kind = "active-directory"
replicas = ["dc1", "dc2"]

[[site]]
code = "PHX"
realm = "CORP"
server = "SRV-PHX"
"""
_LINE = re.compile(
    r'<!\[LOG\[(.*?)\]LOG\]!><time="\d\d:\d\d:\d\d\.\d{3}[+-]\d+" date="\d\d-\d\d-\d{4}" component="(\w+)" context=""'
    r' type="([123])" thread="\d+" file="\w+\.py:\d+">\n?',
    re.DOTALL,
)


@dataclass(frozen=True)
class Line:
    """Of a client's log, which is in the form of SMS 2003 clients. Of type 3: an error."""

    text: str
    component: str
    type: int


@dataclass
class Agent(share_fleet.Machine):
    @cached_property
    def parts(self) -> AgentParts:
        """Without the site's own distribution point, which is not in reach of a socket here."""
        wired = _software()
        assert wired is not None
        return replace(super().parts, software=replace(wired, stream=lambda *_: _no_stream))

    def meet(self) -> None:
        """A contact: the policy comes, reports go."""
        with self._software() as mine:
            take_turn(self.home, self.client, contact, self.parts, gated=True, besides=mine.exchange)
        read_inboxes(self.site.parts)

    def run(self) -> None:
        """What is due by the policy that is here."""
        with self._software() as mine:
            mine.run_out(threading.Event())

    def ask_for(self, advertisement: AdvertisementId) -> None:
        """As a person at the machine does."""
        Requests(Place(self.home).path).put(advertisement, self.site.clock())

    def log(self, name: str) -> list[Line]:
        file = Place(self.home).logs / f"{name}.log"
        written = file.read_text() if file.exists() else ""
        assert _LINE.sub("", written) == "", "not all of it is in that form"
        return [Line(found[1], found[2], int(found[3])) for found in _LINE.finditer(written)]

    @contextmanager
    def _software(self) -> Iterator[Software]:
        with software(self.home, self.parts) as mine:
            assert mine is not None
            yield mine


def _no_stream(*_: object) -> NoReturn:
    raise NoAnswer("the site has no distribution point of its own here")


@dataclass
class Scene:
    """`tag` ends the names of its accounts, of which it has those that `shorts` names."""

    samba: Samba
    site: InnerSite
    tag: str
    agents: dict[ClientKind, Agent]
    package: PackageId

    def account(self, short: str) -> str:
        return f"kt-{short}-{self.tag}"

    def share(self, name: str = "tools") -> str:
        return self.samba.share.replace(r"\cap", rf"\{name}")

    def offer(
        self, kind: ClientKind, name: str, command_line: str, package: PackageId | None = None, **more: object
    ) -> AdvertisementId:
        """To the client of that kind, as soon as possible."""
        program = Program(package or self.package, name, command_line, **more)  # type: ignore[arg-type]
        software_programs.add(self.site.parts, program, by="olga")
        self.site.clock.turn(10)
        return advertise(
            self.site,
            program=program.ref,
            collection=self.site.store.collection(CLIENTS[kind]).collection_id,
        )

    def standing(self, kind: ClientKind, advertisement: AdvertisementId) -> ClientStanding:
        """As `keyturn advertisement status` has it."""
        (found,) = advertisement_status(self.site.parts, advertisement)
        assert found.client == CLIENTS[kind]
        return found


@contextmanager
def scene(domain: Samba, folder: Path, tag: str, *shorts: str, more: str = "") -> Iterator[Scene]:
    """Both clients hold what is theirs of the accounts, proven. `more` is added to the estate."""
    authority = open_authority(domain.realm(), lambda: OURS)
    create(domain, authority, tag, *shorts)
    site = opened(folder, domain.realm(), authority, estate_of(tag, *shorts) + more)
    try:
        for short in shorts:
            accounts.adopt(site.parts, f"kt-{short}-{tag}", SECRET, by="olga")
        package = software_packages.add(site.parts, NewPackage("Tools"), by="olga").package_id
        routes = RoutesOf(site)
        agents = {kind: Agent(site, routes, folder / client, gated=True) for kind, client in CLIENTS.items()}
        for kind, agent in agents.items():
            software_collections.add(site.parts, CLIENTS[kind], [CLIENTS[kind]], [], by="olga")
            agent.enrol()
            agent.contact()
        yield Scene(domain, site, tag, agents, package)
    finally:
        site.close()


def create(domain: Samba, authority: Authority, tag: str, *shorts: str) -> None:
    """In the domain, where every controller knows them."""
    for short in shorts:
        made = authority.create(AccountToBe(REALM, f"kt-{short}-{tag}"), SECRET)
        authority.grant(made, Rights(groups=frozenset({READERS})))
    domain.converge()


def estate_of(tag: str, *shorts: str) -> str:
    clients = (f'\n[[client]]\nname = "{name}"\nkind = "{kind}"\nsite = "PHX"\n' for kind, name in CLIENTS.items())
    listed = (
        f'\n[[account]]\nname = "kt-{short}-{tag}"\nrealm = "CORP"\nrole = "{ROLES[short]}"\nsites = ["PHX"]\n'
        for short in shorts
    )
    return "".join((_ESTATE, *clients, *listed))


@contextmanager
def domain_with_shares() -> Iterator[Samba]:
    """Passwords of before are not accepted any more, and are counted as wrong ones."""
    with samba.running(file_server=True, grace_min=0) as domain:
        domain.set_policy(RealmPolicy(lockout_threshold=5, history=0, grace_s=0))
        domain.converge()
        shared, point = (domain.directory / "fs1" / "share" / name for name in ("tools", "dp"))
        shared.mkdir()
        point.mkdir()
        point.chmod(0o777)
        domain.adlab("ex", "fs1", "sh", "-c", r"chgrp 'CORP\sms-readers' /srv/tools && chmod 2750 /srv/tools")
        (shared / FILE).write_text(TEXT)
        (shared / FILE).chmod(0o640)
        (shared / CLOSED_FILE).write_text(TEXT)
        (shared / CLOSED_FILE).chmod(0o600)
        settings = domain.directory / "fs1" / "etc" / "samba" / "smb.conf"
        settings.write_text(settings.read_text().replace("[global]\n", f"[global]\n{_TELL}") + _SHARES)
        domain.adlab("ex", "fs1", "smbcontrol", "smbd", "reload-config")
        _until_shared(domain)
        yield domain


def opened_on_the_share(domain: Samba) -> list[tuple[str, str]]:
    """By the file server's own record: who, and which file below the share; each once."""
    written = (domain.directory / "fs1" / "var" / "log" / "samba" / "log.smbd").read_text(errors="replace")
    found = re.findall(r"opened by (\S+)\|openat\|ok\|r\|(?:/srv/tools/)?(.+)", written)
    return list(dict.fromkeys(found))


def _until_shared(domain: Samba) -> None:
    """The last of the shares, which lets in nobody else."""
    point = SmbPoint(domain.share.replace(r"\cap", r"\closed"))
    administrator = Presentable(RealmAccount(rf"{REALM}\{ADMINISTRATOR.name}"), ADMINISTRATOR.secret)
    until = time.monotonic() + 60
    while True:
        with suppress(NotLetIn, NoAnswer), point.reach(administrator, 1, lambda _: None):
            return
        assert time.monotonic() < until, "the file server does not follow its settings"
        time.sleep(0.05)  # it tells nobody when it does
