"""A site reset killed before and after every call it makes, and started again: real store, real realm.

Whatever is killed when: the live password of every account can be opened, nobody fails a logon, every password is set
exactly once, no component stays stopped, and the reset ends as if nothing had happened.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from keyturn.lifecycle.plan import PlanKind
from keyturn.operations import plans, site_reset
from keyturn.operations.parts import LEASE_S
from keyturn.operations.site_reset import Asked
from keyturn.site.components import ComponentName, Standing, State, Wanted
from tests.crash.cases import Case
from tests.crash.disk import Left, left_of, quick_folder, stops
from tests.crash.recovery import live_passwords_open, recover, versions
from tests.estates import DEFAULT, MACHINES, account
from tests.inner_site import InnerSite, site_in

OWN = account("SMSService", "service") + account("SMSServer_PHX", "server-connection")
SECOND = DEFAULT + account("KtExtra", "client-connection-additional")


@dataclass(frozen=True)
class Reset(Case):
    """`gone`: the Server Connection account was deleted before. `anew`: accounts are to be deleted and made."""

    gone: bool = False
    anew: bool = False

    def wanted(self, before: Mapping[str, int]) -> dict[str, int]:
        made_anew = dict.fromkeys(("SMSClient_PHX", "SMSServer_PHX"), 1) if self.anew else {}
        after = {name: count + (name in ("SMSClient_PHX", "SMSServer_PHX")) for name, count in before.items()}
        made = {self.makes: 1} if self.makes else {}
        return after | made | made_anew | ({"SMSServer_PHX": 1} if self.gone else {})


CASES = {
    "a second account is there": Reset(PlanKind.SITE_RESET, SECOND + OWN, "SMSClient_PHX", 1),
    "a second account is made": Reset(PlanKind.SITE_RESET, DEFAULT + OWN, "SMSClient_PHX", 1, makes="SMSClient_PHX_2"),
    "an account is gone": Reset(PlanKind.SITE_RESET, SECOND + OWN, "SMSClient_PHX", 1, gone=True),
    "accounts are deleted and made": Reset(PlanKind.SITE_RESET, SECOND + OWN, "SMSClient_PHX", 1, anew=True),
}


def about_to_begin(case: Reset) -> Left:
    with quick_folder() as folder:
        site = site_in(folder, case.estate)
        site.enrol(*MACHINES)
        for managed in site.store.estate().accounts:
            site.create(str(managed.account))
        for _ in range(6):
            site.contact(*MACHINES)
        if case.gone:
            found = site.realm().find("SMSServer_PHX")
            assert found
            site.realm().delete(found)
        stopped = Standing(ComponentName.INBOX_MANAGER, State.STOPPED, site.clock.now, process="here")
        site.store.stand("here", [stopped], forget_before=0)
        record = site_reset.propose_reset(site.parts, Asked("PHX", recreate=case.anew), by="olga")
        plans.approve(site.parts, record.plan_id, by="paul")
        site.close()
        return left_of(site, case, record.plan_id)


@pytest.mark.parametrize("name", CASES)
def test_a_reset_killed_at_any_point_goes_on_to_its_end(name: str) -> None:
    start = about_to_begin(CASES[name])
    with start.realm() as realm:
        before = versions(realm)
    left = stops(start)
    assert len(left) >= 50, f"only {len(left)} stops"
    for each in left:
        with each.opened(after_s=LEASE_S + 1) as site:
            with each.realm() as realm:
                live_passwords_open(site.store, realm)
            recover(site, each, before)
            assert site.store.orders()[ComponentName.INBOX_MANAGER].wanted is Wanted.RUN
            assert one_serial_more(site)


def one_serial_more(site: InnerSite) -> bool:
    """A replay writes the master file once more at most, never a torn one."""
    written = [record for record in site.store.control_history() if record.delta.author == "site reset"]
    return 1 <= len(written) <= 2
