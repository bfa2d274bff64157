"""A replica that lags behind, in a real realm. A subclass gives the fixture `there`, as for `RealmStory`."""

from pathlib import Path

from keyturn.model.accounts import Account
from keyturn.operations import accounts
from keyturn.operations.ports import PlanState
from tests.story.real_realm import FIRST, SERVICE, RealRealm, carried, opened
from tests.story.realm_story import WithService


class LagStory(WithService):
    def test_a_replica_that_has_not_heard_of_a_password_is_waited_for_by_name_and_never_asked_to_take_it(
        self, tmp_path: Path, there: RealRealm, service: Account
    ) -> None:
        with there.lagging() as lagging:
            site = opened(tmp_path, there.realm, lagging.authority)
            accounts.adopt(site.parts, SERVICE, FIRST, by="olga")
            record = site.run(site.rotate(SERVICE).plan_id, rounds=3)
            assert record.state is PlanState.WAITING, record.note
            assert record.missing == (lagging.replica,), record.note
            assert lagging.replica in record.note
            state = lagging.authority.describe(service)
            assert state.at(lagging.replica).bad_count == 0
            assert not state.locked
            lagging.heal()
            record = carried(site, record.plan_id)
        assert record.state is PlanState.DONE, record.note
        site.close()
