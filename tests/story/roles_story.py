"""Each row of Table 12.2 that an administrator may change, rotated in a real realm by its method, while the machines
that hold it log on there.

A subclass gives the fixture `there`, the realm as `tests.story.real_realm` describes it, and `ROWS`.
"""

from dataclasses import dataclass
from pathlib import Path

from keyturn.lifecycle.catalogue.rules import MethodPart
from keyturn.lifecycle.plan import PlanKind
from keyturn.model.accounts import AccountToBe, Credential
from keyturn.model.estate import Realm
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret
from keyturn.operations import accounts, plans
from keyturn.operations.ports import PlanState
from tests.crash.disk import quick_folder
from tests.inner_site import InnerSite
from tests.story.real_realm import RealRealm, carried, logs_on, opened

GIVEN = Secret("Turn-key-0001")
"""The product takes no more than 14 characters."""
NAME = "kt-role"
OS, SQL, RESET, CONSOLE, SMS = (
    MethodPart.OPERATING_SYSTEM,
    MethodPart.SQL_SERVER,
    MethodPart.SITE_RESET,
    MethodPart.CONSOLE,
    MethodPart.SMS,
)
ONE, TWO, ALL = ("PHX",), ("PHX", "TUC"), ("PHX", "TUC", "ABQ", "SEC")
SERVERS = {code: f"SRV-{code}" for code in ALL}
HEAD = """
product = "sms2003"

[[realm]]
name = "{realm.name}"
kind = "{realm.kind}"
replicas = [{replicas}]
"""


@dataclass(frozen=True)
class Row:
    """`asked`: the method, where the table has two. `holders`, in the order in which they come."""

    role: str
    via: tuple[MethodPart, ...]
    holders: tuple[str, ...] = ("SRV-PHX",)
    sites: tuple[str, ...] = ONE
    asked: MethodPart | None = None

    @property
    def shared(self) -> bool:
        return len(self.sites) > 1

    def __str__(self) -> str:
        return f"{self.role} of {' '.join(self.sites)}, {' then '.join(self.via)}"


DATABASE_ROWS = (
    Row("database", (SQL, RESET), asked=RESET),
    Row("database", (SQL, CONSOLE), asked=CONSOLE),
    Row("database", (SQL, CONSOLE), ("SRV-PHX", "SRV-TUC"), TWO),
)
DIRECTORY_ROWS = (
    Row("service", (OS, RESET), asked=RESET),
    Row("service", (OS, CONSOLE), asked=CONSOLE),
    Row("service", (OS, CONSOLE), tuple(SERVERS.values()), ALL),
    Row("site-address", (OS, SMS)),
    Row("site-system-connection", (OS, CONSOLE)),
    Row("network-access", (OS, CONSOLE), ("AC-0001", "AC-0002")),
    Row("client-push-installation", (OS, CONSOLE)),
    Row("remote-service", (RESET,), ("CAP-PHX", "CAP-TUC"), TWO),
)


def estate(realm: Realm, row: Row) -> str:
    text = HEAD.format(realm=realm, replicas=", ".join(f'"{replica}"' for replica in realm.replicas))
    for code, server in SERVERS.items():
        kind = 'kind = "secondary"\nparent = "PHX"\n' if code == "SEC" else ""
        text += f'\n[[site]]\ncode = "{code}"\nrealm = "{realm.name}"\nserver = "{server}"\n{kind}'
        text += f'\n[[site_system]]\nname = "CAP-{code}"\nsite = "{code}"\nroles = ["client-access-point"]\n'
    text += '\n[[client_group]]\nname = "AC"\nsite = "PHX"\nkind = "advanced"\ncount = 2\ninterval = "10 s"\n'
    sites = ", ".join(f'"{code}"' for code in row.sites)
    return text + f'\n[[account]]\nname = "{NAME}"\nrealm = "{realm.name}"\nrole = "{row.role}"\nsites = [{sites}]\n'


class RolesStory:
    def test_a_row_of_the_table_is_changed_by_its_method(self, there: RealRealm, row: Row) -> None:
        with quick_folder() as folder:
            site = held_by_everybody(folder, there, row)
            record = plans.propose_rotation(site.parts, NAME, by="olga", method=row.asked)
            assert record.plan.kind is (PlanKind.CYCLE if row.shared else PlanKind.IN_PLACE)
            assert record.plan.via == row.via
            plans.approve(site.parts, record.plan_id, by="paul")
            if row.shared:
                moved_one_by_one(site, there, row, record.plan_id)
            else:
                done = carried(site, record.plan_id, machines=row.holders)
                assert done.state is PlanState.DONE, done.note
            managed = site.store.estate().managed(f"{NAME}_2" if row.shared else NAME)
            assert managed.generation
            everybody_logs_on_with(site, there, row, Credential(managed.account, managed.generation))
            for name in {NAME, managed.account.name}:
                found = there.opened().find(name)
                assert found
                there.opened().delete(found)
            site.close()


def held_by_everybody(folder: Path, there: RealRealm, row: Row) -> InnerSite:
    authority = there.opened()
    authority.create(AccountToBe(there.realm.name, NAME), GIVEN)
    there.converge()
    site = opened(folder, there.realm, authority, estate(there.realm, row))
    site.enrol(*row.holders)
    accounts.adopt(site.parts, NAME, GIVEN, by="olga")
    site.contact(*row.holders)
    return site


def moved_one_by_one(site: InnerSite, there: RealRealm, row: Row, plan_id: str) -> None:
    """Both accounts are active until the last has moved; then the first is retired."""
    authority = there.opened()
    first = authority.find(NAME)
    assert first
    for moving, waiting in ((row.holders[:n], row.holders[n:]) for n in range(1, len(row.holders))):
        record = carried(site, plan_id, machines=moving, waiting_for=waiting)
        assert record.state is PlanState.WAITING, record.note
        second = authority.find(f"{NAME}_2")
        assert second
        assert [authority.describe(each).enabled for each in (first, second)] == [True, True]
        assert [list(site.held[name]) for name in waiting] == [[str(first)]] * len(waiting)
    record = carried(site, plan_id, machines=row.holders, step_s=30)
    assert record.state is PlanState.DONE, record.note
    assert not authority.describe(first).enabled


def everybody_logs_on_with(site: InnerSite, there: RealRealm, row: Row, credential: Credential) -> None:
    """And nobody was refused on the way."""
    site.contact(*row.holders)
    kept = {str(credential.account): credential.generation}
    assert {name: site.held[name] for name in row.holders} == dict.fromkeys(row.holders, kept)
    authority = there.opened()
    assert logs_on(authority, site, credential.account, credential.generation) is Answer.ACCEPTED
    for name in {NAME, credential.account.name}:
        account = authority.find(name)
        assert account
        assert [replica.bad_count for replica in authority.describe(account).replicas if replica.bad_count] == []
