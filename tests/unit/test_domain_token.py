"""How often a domain controller looks for the domain's token account."""

from keyturn.agent.software.domain_token import AGAIN_S, KNOWN_S, DomainToken


class Directory:
    def __init__(self, missing: str) -> None:
        self.missing, self.looks, self.now = missing, 0, 5_000_000.0

    def look(self) -> str:
        self.looks += 1
        return self.missing

    def asked(self) -> DomainToken:
        return DomainToken(self.look, lambda: self.now)


def test_an_account_that_is_missing_is_looked_for_again_a_minute_later() -> None:
    directory = Directory("replication has not brought it")
    token = directory.asked()
    assert [token.missing() for _ in range(3)] == ["replication has not brought it"] * 3
    assert directory.looks == 1
    directory.missing = ""
    directory.now += AGAIN_S
    assert token.missing() == ""
    assert directory.looks == 2


def test_an_account_that_is_there_is_looked_at_again_an_hour_later() -> None:
    directory = Directory("")
    token = directory.asked()
    assert token.missing() == ""
    directory.missing = "somebody deleted it"
    directory.now += KNOWN_S - 1
    assert token.missing() == ""
    directory.now += 1
    assert token.missing() == "somebody deleted it"


def test_a_clock_that_is_set_back_does_not_make_an_answer_last() -> None:
    directory = Directory("not yet")
    token = directory.asked()
    assert token.missing() == "not yet"
    directory.missing = ""
    directory.now -= AGAIN_S
    assert token.missing() == ""
