"""What an agent makes of its directions, one row a rule."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyturn.agent.deciding import AdoptThenPresent, Forget, Pause, Present, decide
from keyturn.agent.records import Copy, Standing
from keyturn.wire.agent import Adopt, Drop, Use, Wait

A, B = "PHX\\SMSClient_PHX", "PHX\\SMSClient_PHX2"


def held(generation, standing=Standing.PROVEN, account=A):
    return Copy(account, generation, b"sealed", standing)


FRESH, PRESENTING, PROVEN, REFUSED = Standing.FRESH, Standing.PRESENTING, Standing.PROVEN, Standing.REFUSED
NEW = AdoptThenPresent(A, 2, b"new")


@pytest.mark.parametrize(
    ("rule", "direction", "copy", "actions"),
    [
        ("a new account is adopted", Adopt(A, 2, b"new"), None, (NEW,)),
        ("a newer generation is adopted", Adopt(A, 2, b"new"), held(1), (NEW,)),
        ("a newer one replaces a refused one", Adopt(A, 2, b"new"), held(1, REFUSED), (NEW,)),
        ("an older one replaces nothing", Adopt(A, 2, b"new"), held(3), ()),
        ("the site does not know what we have proven", Adopt(A, 2, b"new"), held(2), (Present(A, 2, True),)),
        ("a refused generation offered again is left", Adopt(A, 2, b"new"), held(2, REFUSED), ()),
        ("a refused generation handed out anew is taken", Adopt(A, 2, b"new", anew=True), held(2, REFUSED), (NEW,)),
        ("anew is no way back to an older one", Adopt(A, 2, b"new", anew=True), held(3, REFUSED), ()),
        ("a proven one is used for access", Use(A, 2), held(2), (Present(A, 2, False),)),
        ("an unproven one is proven", Use(A, 2), held(2, FRESH), (Present(A, 2, True),)),
        ("one of unknown end is tried, now that we asked", Use(A, 2), held(2, PRESENTING), (Present(A, 2, True),)),
        ("a refused one is not used", Use(A, 2), held(2, REFUSED), ()),
        ("what is not held cannot be used", Use(A, 2), None, ()),
        ("another generation than ours is not used", Use(A, 2), held(1), ()),
        ("to wait is not to present", Wait(A, 9, "busy"), held(2), (Pause(A, 9, "busy"),)),
        ("a client that holds nothing waits too", Wait(A, 9, "busy"), None, (Pause(A, 9, "busy"),)),
        ("a withdrawn account is forgotten", Drop(A), held(2), (Forget(A),)),
        ("what is not held need not be forgotten", Drop(A), None, ()),
    ],
    ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else "",
)
def test_directions(rule, direction, copy, actions):
    assert decide([direction], [copy] if copy else []) == actions


def test_silence_is_no_permission():
    assert decide([], [held(1)]) == ()


def test_an_account_with_two_directions_is_left_alone():
    assert decide([Use(A, 1), Wait(A, 9, "busy"), Use(B, 1)], [held(1), held(1, account=B)]) == (Present(B, 1, False),)


def test_new_credentials_come_before_proven_ones_and_forgetting_comes_last():
    third, fourth = "PHX\\3", "PHX\\4"
    directions = [Drop(A), Use(B, 1), Adopt(third, 1, b"new"), Wait(fourth, 9, "busy")]
    assert [type(action) for action in decide(directions, [held(1), held(1, account=B)])] == [
        Pause,
        AdoptThenPresent,
        Present,
        Forget,
    ]


def test_the_account_adopted_last_is_tried_first():
    actions = decide([Use(A, 1), Use(B, 1)], [held(1), held(1, account=B)])
    assert [action.account for action in actions] == [B, A]


ACCOUNTS = st.sampled_from([A, B])
GENERATIONS = st.integers(1, 4)
DIRECTIONS = st.lists(
    st.builds(Use, ACCOUNTS, GENERATIONS)
    | st.builds(Adopt, ACCOUNTS, GENERATIONS, st.just(b"new"))
    | st.builds(Wait, ACCOUNTS, st.floats(0, 99), st.just(""))
    | st.builds(Drop, ACCOUNTS),
    max_size=5,
)
HELD = st.lists(
    st.builds(Copy, ACCOUNTS, GENERATIONS, st.just(b"old"), st.sampled_from(Standing)),
    max_size=2,
    unique_by=lambda copy: copy.account,
)


@given(DIRECTIONS, HELD)
def test_whatever_is_said_nothing_refused_is_presented_and_nothing_goes_back(directions, held):
    copies = {copy.account: copy for copy in held}
    paused = {d.account for d in directions if isinstance(d, Wait)}
    presented = [a for a in decide(directions, held) if isinstance(a, Present | AdoptThenPresent)]
    assert len({action.account for action in presented}) == len(presented)
    for action in presented:
        assert action.account not in paused
        copy = copies.get(action.account)
        if isinstance(action, Present):
            assert copy.generation == action.generation
            assert copy.standing is not REFUSED
        elif copy:
            assert action.generation > copy.generation
