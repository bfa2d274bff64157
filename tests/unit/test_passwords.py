import random
import secrets

import pytest

from keyturn.lifecycle.passwords import CLASSES, Limit, faults, generate, refuse_unfit, rules_of
from keyturn.model.errors import Refused
from keyturn.model.policy import RealmPolicy
from keyturn.model.secret import Secret

POLICY = RealmPolicy(min_length=12)


def test_a_generated_password_has_every_class_and_fits_the_tightest_holder() -> None:
    rules = rules_of("CORP\\svc", POLICY, [Limit("scanner", 16), Limit("printer", 20)])
    for _ in range(200):
        text = generate(rules, secrets.choice).reveal()
        assert len(text) == 16
        assert all(set(text) & set(chars) for chars in CLASSES)


def test_without_limits_it_is_as_long_as_the_longest_demand() -> None:
    rules = rules_of("CORP\\svc", RealmPolicy(min_length=40), [])
    assert len(generate(rules, random.Random(1).choice).reveal()) == 40


def test_a_realm_that_demands_more_than_a_holder_takes_is_refused_by_name() -> None:
    with pytest.raises(Refused, match=r"demands 15 characters for CORP\\svc, and scanner takes at most 14"):
        rules_of("CORP\\svc", RealmPolicy(min_length=15), [Limit("scanner", 14)])


def test_nothing_short_is_generated_but_a_short_one_may_be_given() -> None:
    rules = rules_of("CORP\\svc", RealmPolicy(min_length=6), [Limit("scanner", 8)])
    with pytest.raises(Refused, match="none is generated under 14"):
        generate(rules, secrets.choice)
    refuse_unfit(Secret("Rain7-ab"), rules)


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ("Short7-a", "shorter than the 12 characters"),
        ("alllowercaseonly", "fewer than three kinds"),
        ("Contains-svcweb-7", "the account's name"),
        ("Maple7Rain-42x-and-more", "longer than the 20 characters that printer takes"),
        ("Maple7Rain\n42x", "character that cannot be written"),
    ],
)
def test_a_given_password_that_cannot_work_is_refused_with_its_reason(given: str, fault: str) -> None:
    rules = rules_of("CORP\\svcweb", POLICY, [Limit("printer", 20)])
    with pytest.raises(Refused, match=fault) as refused:
        refuse_unfit(Secret(given), rules)
    assert given not in str(refused.value)


def test_a_character_the_console_misreads_is_refused() -> None:
    with pytest.raises(Refused, match="contains one of %"):
        refuse_unfit(Secret("Maple7%Rain-42"), rules_of("CORP\\svc", POLICY, [], forbidden="%"))


def test_a_good_one_has_no_fault() -> None:
    assert faults(Secret("Maple7Rain-42x"), rules_of("CORP\\svcweb", POLICY, [])) == []
