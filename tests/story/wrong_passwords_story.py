"""Many accounts due at once in a domain whose accounts, Keyturn's own among them, somebody has changed meanwhile.

A subclass gives the fixtures `there`, a domain, and `many`: how many accounts.
"""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import ldap
import pytest

from keyturn.adapters.authorities.active_directory.authority import open_authority
from keyturn.adapters.authorities.reaching import Login
from keyturn.adapters.engine.embedded import AT_ONCE, EmbeddedEngine
from keyturn.lifecycle.ports import Sealed
from keyturn.model.accounts import Account, Credential
from keyturn.model.logon import Answer
from keyturn.model.policy import RealmPolicy
from keyturn.model.secret import Secret
from keyturn.operations.plan_questions import questions, resume_alike
from keyturn.operations.ports import PlanState
from tests.crash.disk import quick_folder
from tests.inner_site import InnerSite
from tests.samba import OUR_UNIT, OURS, Samba
from tests.story.active_directory_there import Domain
from tests.story.real_realm import FIRST, LONGEST_S, logs_on, opened

THEIRS = Secret("Changed-by-somebody-1")
STRICT = RealmPolicy(lockout_threshold=3, lockout_window_s=3600, lockout_duration_s=3600, history=24)
USUAL = RealmPolicy(lockout_threshold=5, lockout_window_s=60, lockout_duration_s=60, history=24)


class WrongPasswordsStory:
    @pytest.mark.timeout(1800)
    def test_many_accounts_with_wrong_passwords_and_a_wrong_one_of_our_own_lock_nothing(
        self, there: Domain, many: int
    ) -> None:
        samba, names = there.samba, [f"kt-many-{number}" for number in range(many)]
        samba.set_policy(STRICT)
        logins = [Login(OURS.name, THEIRS)]
        authority = open_authority(there.realm, lambda: logins[-1])
        with quick_folder() as folder:
            make(samba, names)
            site = opened(folder, there.realm, there.opened(), estate(there, names))
            for name in names:
                known_with(site, name, FIRST)
            site.close()
            site = opened(folder, there.realm, authority, "")
            samba.converge()
            somebody_changes(samba, [f"CN={name},{OUR_UNIT}" for name in names])
            ids = [site.rotate(name).plan_id for name in names]
            carry(site)
            told = [site.store.plan(plan_id) for plan_id in ids]
            shut_out = f"{there.realm.name} does not let Keyturn in as {OURS.name}: "
            assert {(record.state, record.note.startswith(shut_out)) for record in told} == {(PlanState.STOPPED, True)}
            adopt = f"keyturn account adopt '{there.realm.name}\\{OURS.name}', with the password that works"
            assert {record.hint for record in told} == {adopt}
            assert samba.bad_counts(OURS.name) == 1
            assert samba.locked_at(OURS.name) == 0
            logins.append(OURS)
            [question] = questions(site.parts)
            assert {record.plan_id for record in question.plans} == set(ids)
            assert len(resume_alike(site.parts, ids[0], by="paul").plans) == many
            deadline = time.monotonic() + LONGEST_S + many
            while {site.store.plan(plan_id).state for plan_id in ids} & {PlanState.RUNNING, PlanState.WAITING}:
                assert time.monotonic() < deadline
                carry(site)
            states = Counter(site.store.plan(plan_id).state for plan_id in ids)
            assert states == {PlanState.DONE: many}
            nobody_is_locked(there, names)
            for name in names[:: max(1, many // 20)]:
                account = site.store.estate().managed(name).account
                assert logs_on(authority, site, account, 2) is Answer.ACCEPTED
            site.close()
        samba.set_policy(USUAL)
        unmake(samba, names)


def estate(there: Domain, names: list[str]) -> str:
    hosts = ", ".join(f'"{host}"' for host in there.realm.replicas)
    text = f'product = "generic"\n\n[[realm]]\nname = "{there.realm.name}"\nkind = "{there.realm.kind}"\n'
    text += f"replicas = [{hosts}]\n"
    return text + "".join(
        f'\n[[account]]\nname = "{name}"\nrealm = "{there.realm.name}"\nrole = "service"\n' for name in names
    )


def make(samba: Samba, names: list[str]) -> None:
    """By the administrator, over one connection."""
    administrator = samba.administer()
    for name in names:
        values = {
            "objectClass": b"user",
            "sAMAccountName": name.encode(),
            "userAccountControl": b"512",
            "unicodePwd": f'"{FIRST.reveal()}"'.encode("utf-16-le"),
        }
        administrator.add_s(f"CN={name},{OUR_UNIT}", [(key, [value]) for key, value in values.items()])
    administrator.unbind_s()


def unmake(samba: Samba, names: list[str]) -> None:
    administrator = samba.administer()
    for name in names:
        administrator.delete_s(f"CN={name},{OUR_UNIT}")
    administrator.unbind_s()


def somebody_changes(samba: Samba, entries: list[str]) -> None:
    administrator = samba.administer()
    new = f'"{THEIRS.reveal()}"'.encode("utf-16-le")
    for dn in entries:
        administrator.modify_s(dn, [(ldap.MOD_REPLACE, "unicodePwd", [new])])
    administrator.unbind_s()


def known_with(site: InnerSite, name: str, secret: Secret) -> None:
    """As if it had been taken in: a thousand logons are not what is told here."""
    account = site.store.estate().managed(name).account
    assert isinstance(account, Account)
    site.store.adopt(Sealed(Credential(account, 1), "", 1), account, secret)


def carry(site: InnerSite) -> None:
    site.clock.turn(6)
    with ThreadPoolExecutor(AT_ONCE) as hands:
        list(EmbeddedEngine().look(site.parts, hands))


def nobody_is_locked(there: Domain, names: list[str]) -> None:
    """As every controller shows it."""
    for host in there.samba.hosts:
        administrator = there.samba.administer(host)
        found = administrator.search_s(
            OUR_UNIT, ldap.SCOPE_ONELEVEL, "(sAMAccountName=kt-many-*)", ["badPwdCount", "lockoutTime"]
        )
        administrator.unbind_s()
        assert len(found) == len(names)
        assert [dn for dn, values in found if int(values.get("badPwdCount", [b"0"])[0]) > 1] == []
        assert [dn for dn, values in found if int(values.get("lockoutTime", [b"0"])[0])] == []
