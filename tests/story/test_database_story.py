"""The rotation of accounts at real database servers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from keyturn.model.accounts import Account
from keyturn.model.logon import Answer
from keyturn.operations import accounts
from keyturn.operations.ports import PlanState
from tests.database_realms import BOTH, postgresql_realm
from tests.story.database_there import BEFORE_THE_SET, DatabaseServer
from tests.story.kill_story import KillStory
from tests.story.lag_story import LagStory
from tests.story.parity_story import ParityStory
from tests.story.real_realm import FIRST, SERVICE, logs_on, opened
from tests.story.realm_story import RealmStory
from tests.story.roles_story import DATABASE_ROWS, RolesStory, Row


@pytest.fixture(scope="module", params=BOTH)
def there(request: pytest.FixtureRequest) -> Iterator[DatabaseServer]:
    with BOTH[request.param]() as database:
        yield DatabaseServer(database)


class TestRotation(RealmStory):
    def test_a_set_that_never_landed_is_made_again_with_the_same_password(
        self, tmp_path: Path, there: DatabaseServer, service: Account
    ) -> None:
        with there.losing(BEFORE_THE_SET) as way:
            site = opened(tmp_path, there.realm, way.authority)
            accounts.adopt(site.parts, SERVICE, FIRST, by="olga")
            record = site.rotate(SERVICE)
            way.arm()
            record = site.run(record.plan_id, rounds=10)
        assert record.state is PlanState.DONE, record.note
        assert way.cuts() == 1
        assert logs_on(there.opened(), site, service, 2) is Answer.ACCEPTED
        site.close()


class TestParity(ParityStory): ...


class TestKills(KillStory):
    @pytest.fixture(params=[6, pytest.param(54, marks=pytest.mark.long)])
    def kills(self, request: pytest.FixtureRequest) -> int:
        return int(request.param)


class TestRoles(RolesStory):
    @pytest.fixture(params=DATABASE_ROWS, ids=str)
    def row(self, request: pytest.FixtureRequest) -> Row:
        row: Row = request.param
        return row


class TestStandby(LagStory):
    @pytest.fixture
    def there(self) -> Iterator[DatabaseServer]:
        with postgresql_realm() as database:
            yield DatabaseServer(database)
