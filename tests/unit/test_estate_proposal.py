"""The file that is drawn up from what a realm shows: whole, readable, and nothing uncertain in it but comments."""

import pytest

from keyturn.lifecycle.catalogue.products import role_names
from keyturn.model.estate import Estate
from keyturn.wire.discovery import DiscoveryShape, FoundAccountShape, LeftOutShape, PolicyShape, PublishedSiteShape
from keyturn.wire.estate_file.reading import read_estate
from keyturn.wire.estate_proposal import propose
from tests.estates import ADDITIONAL

ROLES = role_names()
LOCAL = ADDITIONAL + '\n[[realm]]\nname = "HERE"\nkind = "local"\n'


def account(
    name: str, certainty: str = "likely", *, known: bool = False, reason: str = "a reason"
) -> FoundAccountShape:
    return FoundAccountShape(name, known, certainty, "generic/service", True, "", (reason,))


def shape(*accounts: FoundAccountShape, realm: str = "CORP") -> DiscoveryShape:
    return DiscoveryShape(
        realm,
        "active-directory",
        ("dc1", "dc9"),
        (PolicyShape("of the domain", 5, 1800, 0, 24, 7, 0),),
        (PublishedSiteShape("PHX", ("SRV-PHX",), (), ("10.1.0.0",)),),
        accounts,
        (LeftOutShape("managed", 1, ("gmsa-web$",)), LeftOutShape("computers", 0, ())),
        12,
    )


def proposed(*accounts: FoundAccountShape, realm: str = "CORP", estate: str = ADDITIONAL) -> tuple[str, Estate]:
    text = propose(read_estate(estate, roles=ROLES), shape(*accounts, realm=realm), ROLES)
    return text, read_estate(text, roles=ROLES)


def names(estate: Estate) -> list[str]:
    return [managed.account.name for managed in estate.accounts]


def test_the_estate_stays_whole_and_what_is_likely_is_added() -> None:
    text, estate = proposed(account("svc-web"))
    assert names(estate) == ["KtClient", "svc-web"]
    assert [group.name for group in estate.groups] == ["PC"]
    assert "# Probably a service's:\n# - a reason\n" in text


def test_what_is_only_possible_is_a_comment_that_becomes_an_account_without_its_signs() -> None:
    text, estate = proposed(account("sql_7", "possible"))
    assert names(estate) == ["KtClient"]
    block = text[text.index("# [[account]]") :]
    uncommented = "".join(line.removeprefix("# ") + "\n" for line in block.splitlines())
    again = read_estate(text[: text.index("# [[account]]")] + uncommented, roles=ROLES)
    assert names(again) == ["KtClient", "sql_7"]


def test_an_account_of_the_estate_is_marked_and_not_written_twice() -> None:
    text, estate = proposed(account("ktclient", known=True))
    assert names(estate) == ["KtClient"]
    assert "# In the estate already: ktclient: a reason" in text


def test_what_is_seen_of_the_realm_is_told_in_comments() -> None:
    text, _ = proposed()
    for told in (
        "# A server that is not among the realm's replicas: dc9\n",
        "# Policy of the domain: locks at 5 wrong passwords within 30 min, for ever; history 24, ",
        "site PHX",
        "# Left out, managed: 1 (gmsa-web$)\n",
        "# Left out, accounts without a sign of being a service's: 12\n",
    ):
        assert told in text
    assert "replicas: dc1" not in text
    assert "computers" not in text


@pytest.mark.parametrize(
    "name",
    [
        'x"\n[[realm]]\nname = "EVIL"\n#',
        "a'b",
        'quo"te',
        "back\\slash",
        "much-too-long-for-an-account-of-a-domain",
        "[[account]]",
        "\x1b[31mred",
        "\u2028line",
    ],
)
@pytest.mark.parametrize("certainty", ["likely", "possible"])
def test_a_name_that_somebody_chose_with_care_changes_nothing_else(name: str, certainty: str) -> None:
    text, estate = proposed(account(name, certainty, reason=name), account("svc-web"))
    assert [realm.name for realm in estate.realms] == ["CORP"]
    assert set(names(estate)) <= {"KtClient", "svc-web", name}
    assert "svc-web" in names(estate)
    assert "\x1b" not in text
    assert "\u2028" not in text


def test_an_account_that_an_estate_cannot_have_is_a_comment_that_says_why() -> None:
    """A local password would be tried on the domain account of that name."""
    text, estate = proposed(account("KtClient"), account("svc-web"), realm="HERE", estate=LOCAL)
    assert names(estate) == ["KtClient", "svc-web"]
    assert "# An estate cannot have it: account KtClient is local and bears the name of" in text
