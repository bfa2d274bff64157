"""The range of addresses that a lab takes: one that is free, and no other lab's that is only being raised."""

import shutil

import pytest

from keyturn.cli.lab.machine import claimed_net
from keyturn.model.errors import Refused


@pytest.fixture(autouse=True)
def ip_is_there() -> None:
    if shutil.which("ip", path="/usr/sbin:/sbin:/usr/bin:/bin") is None:
        pytest.skip("iproute2 is not installed (scripts/system-packages)")


def test_two_labs_that_are_raised_at_the_same_moment_take_two_ranges() -> None:
    with claimed_net(None) as one, claimed_net(None) as other:
        assert one != other


def test_a_range_by_name_is_refused_while_another_lab_with_it_is_raised_and_had_afterwards() -> None:
    with claimed_net(None) as found:
        refused = pytest.raises(Refused, match="in use on this machine: by a lab that is being raised")
        with refused as refusal, claimed_net(found):
            pass
        assert "--net" in refusal.value.hint
    with claimed_net(found) as again:
        assert again == found
