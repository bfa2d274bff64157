"""A real realm as the stories need it, and a site that stands before it."""

import time
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from keyturn.adapters.authorities.pass_through import PassThrough
from keyturn.adapters.authorities.reaching import Login
from keyturn.lifecycle.execution import PROOF
from keyturn.lifecycle.ports import Authority
from keyturn.model.accounts import Account, AnyAccount, Credential
from keyturn.model.estate import Realm
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret
from keyturn.operations import plans
from keyturn.operations.parts import Parts
from keyturn.operations.ports import PlanRecord, PlanState
from tests.builtin import Clock
from tests.inner_site import InnerSite, site_in

FIRST = Secret("Turn-the-key-0001")
SERVICE, SHARED = "kt-service", "kt-shared"
"""Changed in place, and by a second account."""

LONGEST_S = 60.0
"""For a realm to come to an agreement, however busy the machine is."""


@dataclass(frozen=True)
class Losing:
    """A way to a realm on which, once `armed`, the answer to the next password set is withheld."""

    authority: Authority
    arm: Callable[[], None]
    cuts: Callable[[], int]


@dataclass(frozen=True)
class Lagging:
    """A realm of which `replica` hears of no change until `heal`."""

    authority: Authority
    replica: str
    heal: Callable[[], None]


class RealRealm(Protocol):
    """`realm` and `login` are what any process makes an authority from."""

    @property
    def realm(self) -> Realm: ...

    @property
    def login(self) -> Login: ...

    def opened(self) -> Authority: ...

    def converge(self) -> None:
        """Until every replica shows what was written so far."""

    def sets(self, name: str) -> int | None:
        """How many passwords the realm's own record says were set for an account that stays; None if it keeps none."""

    def losing(self) -> AbstractContextManager[Losing]: ...

    def lagging(self) -> AbstractContextManager[Lagging]: ...

    def join(self, account: Account) -> None:
        """Give the account one right, as an administrator."""

    def leave(self, name: str) -> str:
        """Take that right away again; how it is called."""


def estate(realm: Realm) -> str:
    hosts = ", ".join(f'"{host}"' for host in realm.replicas)
    head = f'product = "generic"\n\n[[realm]]\nname = "{realm.name}"\nkind = "{realm.kind}"\nreplicas = [{hosts}]\n'
    head += f'\n[[site]]\ncode = "PHX"\nrealm = "{realm.name}"\nserver = "SRV-PHX"\n'
    roles = ((SERVICE, "service"), (SHARED, "shared-service"))
    return head + "".join(
        f'\n[[account]]\nname = "{name}"\nrealm = "{realm.name}"\nrole = "{role}"\nsites = ["PHX"]\n'
        for name, role in roles
    )


def opened(folder: Path, realm: Realm, authority: Authority, text: str | None = None, *, now: float = 0) -> InnerSite:
    """Its clock is not behind the realm's: what that says of logons is compared with ours. Machines log on there."""

    def reached(parts: Parts) -> Parts:
        return replace(parts, access_realm=lambda _: PassThrough(authority))

    text = estate(realm) if text is None else text
    return site_in(folder, text, clock=Clock(max(now, time.time())), real={realm.name: authority}, wrap=reached)


def logs_on(authority: Authority, site: InnerSite, account: AnyAccount, generation: int) -> Answer:
    """With the password that the site has sealed, as if anybody had it."""
    found = authority.find(account.name)
    assert found, f"there is no {account}"
    return authority.try_logon(found, site.store.secret(Credential(account, generation)), protocol=PROOF)


def made(site: InnerSite, name: str) -> None:
    plan_id = plans.propose_creation(site.parts, name, by="olga").plan_id
    plans.approve(site.parts, plan_id, by="paul")
    record = carried(site, plan_id)
    assert record.state is PlanState.DONE, record.note


def carried(
    site: InnerSite,
    plan_id: str,
    *,
    machines: Collection[str] = (),
    step_s: float = 5,
    waiting_for: tuple[str, ...] | None = None,
) -> PlanRecord:
    """Worker and machines take turns until the plan has ended, asks a person, or waits for just those. A replica is
    given real time to hear of a change, and the site's clock stands still meanwhile."""
    deadline, turn_s = time.monotonic() + LONGEST_S, step_s
    while True:
        record = site.run(plan_id, machines=machines, rounds=1, step_s=turn_s)
        if record.state not in (PlanState.RUNNING, PlanState.WAITING) or record.missing == waiting_for:
            return record
        assert time.monotonic() < deadline, record.note
        lags = "has not replicated" in record.note
        turn_s = 0 if lags else step_s
        time.sleep(0.15 if lags else 0)  # a replica tells nobody when it has heard
