"""The rotation of accounts in a real realm, through the use cases of a site: one story, told of every realm.

A subclass gives one fixture, `there`: the realm, as `tests.story.real_realm` describes it.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from keyturn.model.accounts import Account, AccountToBe
from keyturn.model.logon import Answer
from keyturn.operations import accounts
from keyturn.operations.ports import PlanState
from tests.story.real_realm import FIRST, SERVICE, SHARED, RealRealm, carried, logs_on, made, opened


class WithService:
    @pytest.fixture
    def service(self, there: RealRealm) -> Iterator[Account]:
        authority = there.opened()
        account = authority.create(AccountToBe(there.realm.name, SERVICE), FIRST)
        there.converge()
        yield account
        authority.delete(account)
        there.converge()


class RealmStory(WithService):
    def test_a_set_whose_answer_is_lost_is_resolved_and_not_made_again(
        self, tmp_path: Path, there: RealRealm, service: Account
    ) -> None:
        with there.losing() as way:
            site = opened(tmp_path, there.realm, way.authority)
            accounts.adopt(site.parts, SERVICE, FIRST, by="olga")
            record = site.rotate(SERVICE)
            before = there.sets(SERVICE) or 0
            way.arm()
            record = carried(site, record.plan_id)
        assert record.state is PlanState.DONE, record.note
        assert (way.cuts(), there.sets(SERVICE)) == (1, before + 1)
        authority = there.opened()
        assert logs_on(authority, site, service, 2) is Answer.ACCEPTED
        assert authority.describe(service).pinned.bad_count == 0
        site.close()

    def test_a_second_account_is_made_with_the_same_rights_and_takes_over(
        self, tmp_path: Path, there: RealRealm
    ) -> None:
        authority = there.opened()
        site = opened(tmp_path, there.realm, authority)
        made(site, SHARED)
        first = authority.find(SHARED)
        assert first
        there.join(first)
        there.converge()
        record = carried(site, site.rotate(SHARED).plan_id, step_s=30)
        assert record.state is PlanState.DONE, record.note
        second = authority.find(f"{SHARED}_2")
        assert second
        assert logs_on(authority, site, second, 1) is Answer.ACCEPTED
        assert authority.rights(second) == authority.rights(first)
        assert not authority.describe(first).enabled
        for account in (first, second):
            authority.delete(account)
        site.close()
