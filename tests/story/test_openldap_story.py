"""The rotation of accounts in a real OpenLDAP directory, one provider and one consumer."""

from collections.abc import Iterator

import pytest

from tests.openldap import running
from tests.story.kill_story import KillStory
from tests.story.lag_story import LagStory
from tests.story.openldap_there import OpenLdap
from tests.story.parity_story import ParityStory
from tests.story.realm_story import RealmStory


@pytest.fixture(scope="module")
def there() -> Iterator[OpenLdap]:
    with running() as directory:
        yield OpenLdap(directory)


class TestRotation(RealmStory, LagStory): ...


class TestParity(ParityStory): ...


class TestKills(KillStory):
    @pytest.fixture(params=[6, pytest.param(54, marks=pytest.mark.long)])
    def kills(self, request: pytest.FixtureRequest) -> int:
        return int(request.param)
