"""Who is alike is kept once, and the order in which holders are told means nothing."""

from dataclasses import replace

import pytest

from keyturn.lifecycle.catalogue.products import role_names
from keyturn.lifecycle.holders import crowds_of, names_of_holders
from keyturn.lockout.changes import Contact
from keyturn.lockout.roster import gathered, roster_of
from keyturn.model.estate import Consumer, Habit, Holder, HolderKind
from keyturn.model.logon import LogonProtocol
from keyturn.wire.estate_file.reading import read_estate
from tests.estates import ADDITIONAL

HOURLY = Contact("any", Habit(3600), LogonProtocol.NTLM, gated=False)
DAILY = replace(HOURLY, habit=Habit(86400))


def test_a_crowd_is_one_kind_however_it_is_told() -> None:
    crowd = gathered([(["b", "d"], HOURLY), (["a"], DAILY), (["c"], replace(HOURLY, name="c"))])
    singly = roster_of([replace(HOURLY, name=name) for name in "dcb"] + [replace(DAILY, name="a")])
    for roster in (crowd, singly):
        assert list(roster.names) == ["a", "b", "c", "d"]
        assert [kind.habit.interval_s for kind in roster.kinds] == [3600, 86400]
        assert roster.kind.tolist() == [1, 0, 0, 0]


def test_those_who_are_left_keep_only_the_kinds_they_are_of() -> None:
    roster = gathered([(["b", "d"], HOURLY), (["a"], DAILY)]).only({"b", "unknown"})
    assert list(roster.names) == ["b"]
    assert [kind.habit.interval_s for kind in roster.kinds] == [3600]
    assert len(gathered([(["a"], DAILY)]).only(())) == 0


@pytest.mark.parametrize("crowds", [[(["a", "b", "a"], HOURLY)], [(["a"], HOURLY), (["b", "a"], DAILY)]])
def test_two_holders_of_one_name_are_refused(crowds: list[tuple[list[str], Contact]]) -> None:
    with pytest.raises(ValueError, match="two holders of one name"):
        gathered(crowds)


def test_the_crowds_of_an_account_are_its_holders_each_once() -> None:
    """A consumer may bear the name of a client: then it is what the estate says of it last."""
    estate = read_estate(ADDITIONAL, roles=role_names())
    account = estate.managed("KtClient")
    twice = Consumer(Holder("PC-0002", HolderKind.CONSUMER, habit=Habit(7)), ("KtClient",))
    estate = replace(estate, consumers=(twice,))
    told = {name: like.habit for crowd, like in crowds_of(estate, account) for name in crowd}
    assert told == {"PC-0001": Habit(10), "PC-0002": Habit(7), "PC-0003": Habit(10)}
    assert told.keys() == set(names_of_holders(estate, account))
    assert sum(len(crowd) for crowd, _ in crowds_of(estate, account)) == len(told) == 3
