"""A site reset in a real realm: what the site made is regenerated under its old identity, and nobody is refused.

A subclass gives the fixture `there`, a realm of accounts that clients log on with.
"""

from collections.abc import Iterator

import pytest

from keyturn.model.accounts import AccountToBe
from keyturn.model.logon import Answer
from keyturn.operations import accounts, site_reset
from keyturn.operations.ports import PlanState
from tests.crash.disk import quick_folder
from tests.inner_site import InnerSite
from tests.resets import CONNECTION, DEFAULT, EXTRA, POINT, REMOTE, SERVER, SERVICE, begun
from tests.story.real_realm import FIRST, RealRealm, carried, logs_on, made, opened

CLIENTS = ("PC-0001", "PC-0002", "PC-0003")
REGENERATED, KEPT = (CONNECTION, REMOTE, DEFAULT), (SERVICE, EXTRA)
ROLES = {
    SERVICE: "service",
    DEFAULT: "client-connection-default",
    EXTRA: "client-connection-additional",
    CONNECTION: "server-connection",
    REMOTE: "remote-service",
}


def estate(there: RealRealm) -> str:
    name, replicas = there.realm.name, ", ".join(f'"{replica}"' for replica in there.realm.replicas)
    text = f'product = "sms2003"\n\n[[realm]]\nname = "{name}"\nkind = "{there.realm.kind}"\nreplicas = [{replicas}]\n'
    text += f'\n[[site]]\ncode = "PHX"\nrealm = "{name}"\nserver = "{SERVER}"\n'
    text += f'\n[[site_system]]\nname = "{POINT}"\nsite = "PHX"\nroles = ["client-access-point"]\n'
    text += '\n[[client_group]]\nname = "PC"\nsite = "PHX"\nkind = "legacy"\ncount = 3\ninterval = "10 s"\n'
    return text + "".join(
        f'\n[[account]]\nname = "{account}"\nrealm = "{name}"\nrole = "{role}"\nsites = ["PHX"]\n'
        for account, role in ROLES.items()
    )


class ResetStory:
    @pytest.fixture
    def site(self, there: RealRealm) -> Iterator[InnerSite]:
        """The service account is the administrator's; all others the site makes."""
        authority = there.opened()
        authority.create(AccountToBe(there.realm.name, SERVICE), FIRST)
        there.converge()
        with quick_folder() as folder:
            site = opened(folder, there.realm, authority, estate(there))
            site.enrol(*CLIENTS, POINT, SERVER)
            accounts.adopt(site.parts, SERVICE, FIRST, by="olga")
            for name in (*REGENERATED, EXTRA):
                made(site, name)
            for _ in range(4):
                site.contact(*CLIENTS, POINT, SERVER)
            yield site
            site.close()
        for name in ROLES:
            found = authority.find(name)
            assert found
            authority.delete(found)

    def test_what_the_site_made_has_a_new_password_under_its_old_identity(
        self, there: RealRealm, site: InnerSite
    ) -> None:
        authority = there.opened()
        identities = {name: authority.find(name) for name in ROLES}
        record = carried(site, begun(site).plan_id, machines=(*CLIENTS, POINT, SERVER))
        assert record.state is PlanState.DONE, record.note
        assert {name: authority.find(name) for name in ROLES} == identities
        for names, generation in ((REGENERATED, 2), (KEPT, 1)):
            for name in names:
                account = identities[name]
                assert account
                assert logs_on(authority, site, account, generation) is Answer.ACCEPTED, name
                assert [
                    replica.bad_count for replica in authority.describe(account).replicas if replica.bad_count
                ] == []
        report = site_reset.report(site.parts, record.plan_id)
        assert report.regenerated == tuple(f"{there.realm.name}\\{name}" for name in REGENERATED)
        assert (report.remade, report.made, report.left_out) == ((), (), ())

    def test_a_connection_account_that_was_deleted_is_made_anew_with_another_identity(
        self, there: RealRealm, site: InnerSite
    ) -> None:
        authority = there.opened()
        former = authority.find(CONNECTION)
        assert former
        authority.delete(former)
        there.converge()
        record = carried(site, begun(site).plan_id, machines=(*CLIENTS, POINT, SERVER))
        assert record.state is PlanState.DONE, record.note
        now = authority.find(CONNECTION)
        assert now
        assert now.sid != former.sid
        [remade] = site_reset.report(site.parts, record.plan_id).remade
        assert (remade.was, remade.now) == (former.sid, now.sid)
