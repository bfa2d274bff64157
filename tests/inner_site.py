"""A whole site without sockets: real store, real built-in realm, real use cases, on a clock that the test turns."""

import hashlib
import random
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType

import pyrage

from keyturn.adapters.authorities.builtin.realm import BuiltinRealm
from keyturn.adapters.authorities.builtin.site_realms import Access, SiteRealms, Toolbox
from keyturn.adapters.store.seal_key import SealKey
from keyturn.adapters.store.store import SqlStore, open_store
from keyturn.escrow.custody import Custodian, Custody
from keyturn.escrow.envelope import seal
from keyturn.lifecycle.budgeted import Budgeted
from keyturn.lifecycle.catalogue.products import role_names
from keyturn.lifecycle.ports import Authority
from keyturn.lifecycle.sequences import Patience
from keyturn.model.estate import Estate, Holder
from keyturn.model.logon import Answer
from keyturn.operations import clients, plans
from keyturn.operations.access import log_on
from keyturn.operations.clients import Contact, Handed
from keyturn.operations.estates import import_estate
from keyturn.operations.gate import Direction, Drop, Use
from keyturn.operations.parts import Parts, Settings
from keyturn.operations.ports import PlanRecord
from keyturn.wire.estate_file.reading import read_estate
from tests.builtin import Clock

CUSTODIAN = pyrage.x25519.Identity.from_str(
    "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33"
)
CUSTODY = Custody((Custodian("alice", str(CUSTODIAN.to_public())),))
PATIENCE = Patience(uptake_s=3600, quiet_s=60)
SEAL_KEY = SealKey(bytes(range(32)))
RECIPIENT = str(pyrage.x25519.Identity.generate().to_public())


@dataclass
class InnerSite:
    folder: Path
    clock: Clock
    parts: Parts
    realms: SiteRealms
    store: SqlStore
    held: dict[str, dict[str, int]] = field(default_factory=dict)
    """What each machine keeps, by account: its own memory, not the store's."""

    def realm(self, name: str = "CORP") -> BuiltinRealm:
        return self.realms(name)

    def enrol(self, *names: str) -> None:
        for name in names:
            token = clients.invite(self.parts, name, by="test")
            clients.enrol(self.parts, token, name, hashlib.sha256(name.encode()).digest(), RECIPIENT)
            self.held[name] = {}

    def contact(self, *names: str) -> None:
        """One contact of each machine: asks, adopts, proves, forgets."""
        for name in names:
            self._contact(name)

    def _contact(self, name: str) -> None:
        held = self.held[name]
        for direction in check_in(self.parts, name, dict(held)):
            match direction:
                case Handed(credential, secret):
                    account = str(credential.account)
                    machine = self.parts.machine(name)
                    realm = self.parts.access_realm(credential.account.realm)
                    answer = log_on(
                        self.store, realm, account, secret, machine=machine, source=name, now=self.clock.now
                    )
                    if answer is Answer.ACCEPTED:
                        held[account] = credential.generation
                    clients.report(self.parts, name, account, credential.generation, answer)
                case Drop(account):
                    held.pop(str(account), None)
                case Use():
                    pass

    def use(self, name: str) -> None:
        """One contact of a machine that goes on with what it has, where it is told to."""
        for direction in check_in(self.parts, name, dict(self.held[name])):
            if isinstance(direction, Use):
                credential = direction.credential
                realm = self.parts.access_realm(credential.account.realm)
                secret = self.store.secret(credential)
                machine, account = self.parts.machine(name), str(credential.account)
                answer = log_on(self.store, realm, account, secret, machine=machine, source=name, now=self.clock.now)
                clients.report(self.parts, name, account, credential.generation, answer)

    def run(self, plan_id: str, *, machines: Iterable[str] = (), rounds: int = 200, step_s: float = 5) -> PlanRecord:
        """Let worker and machines take turns until the plan has ended or asks a person."""
        machines = list(machines)
        for _ in range(rounds):
            plans.advance_plan(self.parts, plan_id, "worker")
            record = self.store.plan(plan_id)
            if record.state not in ("running", "waiting"):
                return record
            self.contact(*machines)
            self.clock.turn(step_s)
        return self.store.plan(plan_id)

    def rotate(self, account: str, **options: object) -> PlanRecord:
        record = plans.propose_rotation(self.parts, account, by="olga", **options)  # type: ignore[arg-type]
        return plans.approve(self.parts, record.plan_id, by="paul")

    def create(self, account: str) -> None:
        record = plans.propose_creation(self.parts, account, by="olga")
        plans.approve(self.parts, record.plan_id, by="paul")
        assert self.run(record.plan_id).state == "done"

    def close(self) -> None:
        self.store.close()
        self.realms.close()


def check_in(parts: Parts, name: str, held: Mapping[str, int]) -> list[Direction | Handed]:
    """What one machine is to do, as the agents' route asks for many."""
    [directions] = clients.direct_all(parts, [Contact(name, held)])
    return clients.hand_out(parts, directions)


def site_in(
    folder: Path,
    estate: str,
    *,
    clock: Clock | None = None,
    patience: Patience = PATIENCE,
    two_person_approval: bool = False,
    custody: Custody = CUSTODY,
    wrap: Callable[[Parts], Parts] = lambda parts: parts,
    real: Mapping[str, Authority] = MappingProxyType({}),
) -> InnerSite:
    """A site whose estate is taken in. Opening the same folder again is a restart. `real` realms are servers of the
    test's own, by the realm's name."""
    clock = clock or Clock()
    chance = random.SystemRandom()

    def new_id() -> str:
        return "".join(chance.choice("abcdefghjkmnpqrstuvwxyz") for _ in range(8))

    file = folder / "store.db"
    if not file.exists():
        file.write_bytes(_empty_store())
    store = open_store(
        f"sqlite:///{file}",
        seal_key=SEAL_KEY,
        envelope=lambda account, generation, secret: seal(account, generation, secret, custody, site="PHX"),
        now=clock,
        new_id=new_id,
    )
    realms = SiteRealms(store.estate, lambda name: folder / f"{name}.db", clock)

    def authority(name: str) -> Budgeted:
        return Budgeted(real[name] if name in real else realms(name), store, clock)

    parts = wrap(
        Parts(
            settings=Settings("PHX", two_person_approval=two_person_approval, patience=patience),
            store=store,
            authorities=authority,
            reached_by=lambda realm, name, secret: authority(realm),
            access_realm=lambda realm: Access(realms(realm)),
            realm_tools=lambda realm: Toolbox(realms(realm)),
            machine=lambda name: _machine(store.estate(), name),
            check_realms=lambda estate: None,
            prepare_realms=realms.prepare,
            now=clock,
            choose=chance.choice,
            token=lambda: f"{chance.getrandbits(256):064x}",
            new_id=new_id,
            wake=lambda: None,
            custody=lambda: custody,
        )
    )
    if estate and estate != store.text():
        import_estate(parts, estate, read_estate(estate, roles=role_names()), by="olga")
    return InnerSite(folder, clock, parts, realms, store)


@cache
def _empty_store() -> bytes:
    """Made once a process: to bring a new database through all releases takes longer than most tests."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "store.db"
        nothing = open_store(
            f"sqlite:///{file}", seal_key=SEAL_KEY, envelope=lambda *_: b"", now=lambda: 0.0, new_id=lambda: ""
        )
        nothing.close()
        return file.read_bytes()


def _machine(estate: Estate, name: str) -> Holder | None:
    return next((holder for holder in estate.all_clients() if holder.name == name), None)
