"""Client push on the real store and the built-in realm: whom it tries, with what, and when again. The machines are
written by hand here; over a real connection they are in `tests/contract/test_push_over_ssh.py`."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from keyturn.model.accounts import Account, Credential
from keyturn.model.errors import NotFound, Refused
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.secret import Secret
from keyturn.operations import accounts, clients
from keyturn.operations.client_ports import EnrolledClient, Heard
from keyturn.operations.client_push import (
    CLAIM_S,
    FIRST_PAUSE_S,
    GIVE_UP_S,
    HEARD_WITHIN_S,
    LONGEST_PAUSE_S,
    LOOK_S,
    push_due,
)
from keyturn.operations.push_asking import Asked, ask, withdraw
from keyturn.operations.push_records import (
    Done,
    Hindered,
    Ledger,
    NotLetIn,
    Pushed,
    PushRequest,
    PushState,
    Target,
    Work,
)
from keyturn.operations.status_messages import Asked as AskedMessages
from keyturn.site.status_messages import MessageId
from tests.builtin import Clock, password
from tests.estates import HEAD, MACHINES, account
from tests.inner_site import RECIPIENT, InnerSite, site_in

PC = "PC-0001"
TWO = HEAD + account("KtPush1", "client-push-installation") + account("KtPush2", "client-push-installation")
WINDOW_S = 30 * 60


class Killed(BaseException):
    """The server died."""


@dataclass
class Machines:
    """`passwords` are what the machines take. Every logon is noted before anything else happens."""

    passwords: dict[str, str] = field(default_factory=dict)
    refusing: set[tuple[str, str]] = field(default_factory=set)
    """Machine and account: that account may not log on there, whatever its password."""
    hindrance: dict[str, Hindered] = field(default_factory=dict)
    killed_in: str = ""
    logons: list[tuple[str, str]] = field(default_factory=list)
    tokens: dict[str, Secret] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)

    def install(
        self, target: Target, user: str, password: Secret, ledger: Ledger, invitation: Callable[[], Secret]
    ) -> Pushed:
        def work() -> None:
            self.tokens[target.name] = invitation()

        return self._logged_on(target, user, password, ledger, work)

    def remove(self, target: Target, user: str, password: Secret, ledger: Ledger) -> Pushed:
        return self._logged_on(target, user, password, ledger, lambda: self.removed.append(target.name))

    def _logged_on(
        self, target: Target, user: str, password: Secret, ledger: Ledger, work: Callable[[], None]
    ) -> Pushed:
        if target.name in self.hindrance:
            return self.hindrance[target.name]
        ledger.begin()
        self.logons.append((target.name, user))
        if self.killed_in == "logon":
            raise Killed
        if password != Secret(self.passwords.get(user, "")) or (target.name, user) in self.refusing:
            ledger.end(Answer.WRONG_PASSWORD)
            return NotLetIn()
        ledger.end(Answer.ACCEPTED)
        work()
        if self.killed_in == "work":
            raise Killed
        return Done("it runs")


@dataclass
class Pushing:
    site: InnerSite
    machines: Machines

    @property
    def clock(self) -> Clock:
        return self.site.clock

    def ask(self, *names: str, **more: object) -> list[PushRequest]:
        return ask(self.site.parts, Asked(names=names, **more), by="olga")  # type: ignore[arg-type]

    def round(self) -> PushRequest:
        """Everything that is due, and what became of the first machine's request."""
        while push_due(self.site.parts) == 0:
            pass
        return self.site.store.push_request(PC)

    def turn(self, seconds: float) -> PushRequest:
        self.clock.turn(seconds)
        return self.round()

    def agent_enrols(self) -> EnrolledClient:
        """With the invitation that it was brought."""
        key = hashlib.sha256(str(self.clock.now).encode()).digest()
        return clients.enrol(self.site.parts, self.machines.tokens[PC], PC, key, RECIPIENT)

    def is_heard(self, agent: EnrolledClient) -> None:
        self.site.store.advance_counters([Heard(agent, 1)], self.clock.now)

    def messages(self) -> list[int]:
        return [message.message_id for message in self.site.store.messages(AskedMessages(), 100)]


@pytest.fixture
def pushing(tmp_path: Path) -> Pushing:
    return pushing_in(tmp_path, Machines())


def pushing_in(folder: Path, machines: Machines, estate: str = TWO) -> Pushing:
    site = site_in(folder, estate, wrap=lambda parts: replace(parts, pusher=machines))
    for name in ("KtPush1", "KtPush2"):
        site.create(name)
        machines.passwords[name] = secret_of(site, name).reveal()
    site.clock.turn(WINDOW_S + 1)
    return Pushing(site, machines)


def secret_of(site: InnerSite, name: str) -> Secret:
    account = site.store.named(f"CORP\\{name}")
    assert account.generation
    return site.store.secret(Credential(account.account, account.generation))


def spent(pushing: Pushing, name: str) -> list[Answer | None]:
    """What stands in the ledger, oldest first."""
    account = pushing.site.store.named(f"CORP\\{name}").account
    assert isinstance(account, Account)
    return [attempt.answer for attempt in pushing.site.store.recent(account, pushing.clock.now - WINDOW_S)]


# The way it goes.


def test_a_machine_is_done_when_its_agent_was_heard_and_not_before(pushing: Pushing) -> None:
    pushing.ask(PC)
    request = pushing.round()
    assert (request.state, request.tries, request.note) == (PushState.INSTALLED, 1, "it runs")
    agent = pushing.agent_enrols()
    assert pushing.turn(LOOK_S).state is PushState.INSTALLED
    pushing.is_heard(agent)
    assert pushing.turn(LOOK_S).state is PushState.DONE
    assert pushing.messages()[-1] == MessageId.CLIENT_INSTALLED
    assert spent(pushing, "KtPush1") == [Answer.ACCEPTED]


def test_a_group_is_every_machine_of_it_once(pushing: Pushing) -> None:
    assert [request.name for request in pushing.ask(PC, groups=["PC"])] == list(MACHINES)
    pushing.round()
    assert sorted(name for name, _ in pushing.machines.logons) == list(MACHINES)


def test_an_agent_that_is_not_heard_is_installed_again(pushing: Pushing) -> None:
    pushing.ask(PC)
    pushing.round()
    request = pushing.turn(HEARD_WITHIN_S + LOOK_S)
    assert (request.state, request.tries) == (PushState.WAITING, 2)
    assert "it was installed, and is not enrolled" in request.note
    assert pushing.turn(LONGEST_PAUSE_S).state is PushState.INSTALLED


def test_an_agent_that_enrolled_and_is_not_heard_is_installed_again(pushing: Pushing) -> None:
    pushing.ask(PC)
    pushing.round()
    pushing.agent_enrols()
    assert pushing.turn(LOOK_S).state is PushState.INSTALLED
    request = pushing.turn(HEARD_WITHIN_S)
    assert request.state is PushState.WAITING
    assert "not heard within 5 min" in request.note


def test_a_removed_client_is_worth_nothing_here_any_more(pushing: Pushing) -> None:
    pushing.ask(PC, address=("pc1.example", 2222))
    pushing.round()
    pushing.is_heard(pushing.agent_enrols())
    pushing.turn(LOOK_S)
    [request] = pushing.ask(PC, work=Work.REMOVE)
    assert (request.host, request.port) == ("pc1.example", 2222), "where it was reached last"
    assert pushing.round().state is PushState.DONE
    assert pushing.machines.removed == [PC]
    with pytest.raises(NotFound):
        pushing.site.store.client(PC)
    assert pushing.messages()[-1] == MessageId.CLIENT_REMOVED


# Accounts, and the lockout budget.


def test_a_wrong_password_costs_one_attempt_and_the_next_account_is_used(pushing: Pushing) -> None:
    pushing.machines.passwords["KtPush1"] = "another"
    pushing.ask(PC)
    assert pushing.round().state is PushState.INSTALLED
    assert pushing.machines.logons == [(PC, "KtPush1"), (PC, "KtPush2")]
    assert (spent(pushing, "KtPush1"), spent(pushing, "KtPush2")) == ([Answer.WRONG_PASSWORD], [Answer.ACCEPTED])


def test_a_password_that_one_machine_refused_is_presented_to_no_other(pushing: Pushing) -> None:
    pushing.machines.passwords["KtPush1"] = "another"
    pushing.ask(*MACHINES)
    pushing.round()
    pushing.clock.turn(WINDOW_S)
    pushing.ask(*MACHINES)
    pushing.round()
    assert pushing.machines.logons.count((PC, "KtPush1")) == 1
    assert {name for name, user in pushing.machines.logons if user == "KtPush1"} == {PC}


def test_an_account_that_may_not_log_on_to_one_machine_is_used_on_those_that_let_it_in(pushing: Pushing) -> None:
    pushing.machines.refusing = {("PC-0002", "KtPush1")}
    pushing.ask(PC)
    pushing.round()
    for _ in range(2):
        pushing.ask("PC-0002", "PC-0003")
        pushing.round()
        pushing.clock.turn(WINDOW_S)
    assert pushing.machines.logons.count(("PC-0002", "KtPush1")) == 1
    pushing.ask("PC-0003")
    pushing.round()
    assert pushing.machines.logons[-1] == ("PC-0003", "KtPush1")


def test_a_new_password_is_tried_where_the_old_one_was_refused(pushing: Pushing) -> None:
    pushing.machines.passwords = {}
    pushing.ask(PC)
    request = pushing.round()
    assert request.state is PushState.FAILED
    assert request.note == "CORP\\KtPush1 was not let in; CORP\\KtPush2 was not let in"
    assert "--try-refused" in request.hint
    pushing.clock.turn(WINDOW_S)
    pushing.site.realm().set_password(found(pushing, "KtPush1"), password(7))
    accounts.adopt(pushing.site.parts, "CORP\\KtPush1", password(7), by="olga")
    pushing.machines.passwords["KtPush1"] = password(7).reveal()
    pushing.ask(PC)
    assert pushing.round().state is PushState.INSTALLED


def test_a_person_who_has_looked_may_have_a_refused_password_tried_again(pushing: Pushing) -> None:
    right, pushing.machines.passwords = pushing.machines.passwords, {}
    pushing.ask(PC)
    pushing.round()
    pushing.clock.turn(WINDOW_S)
    pushing.machines.passwords = right
    pushing.ask(PC)
    assert (
        pushing.round().note
        == "CORP\\KtPush1 generation 1 was refused before; CORP\\KtPush2 generation 1 was refused before"
    )
    pushing.ask(PC, try_refused=True)
    assert pushing.round().state is PushState.INSTALLED


def test_an_account_without_room_in_its_budget_is_waited_for_and_not_tried(pushing: Pushing) -> None:
    store, account = pushing.site.store, found(pushing, "KtPush1")
    store.end(store.begin(account, "dc1", pushing.clock.now, None), Answer.WRONG_PASSWORD)
    pushing.ask(PC, accounts=["CORP\\KtPush1"])
    request = pushing.round()
    assert (request.state, pushing.machines.logons) == (PushState.WAITING, [])
    assert request.next_at == pushing.clock.now + WINDOW_S
    assert pushing.turn(WINDOW_S).state is PushState.INSTALLED


def test_accounts_are_tried_in_the_order_in_which_they_are_named(pushing: Pushing) -> None:
    pushing.ask(PC, accounts=["CORP\\KtPush2", "CORP\\KtPush1"])
    pushing.round()
    assert pushing.machines.logons == [(PC, "KtPush2")]


def test_the_account_that_the_site_names_for_repairs_comes_first(tmp_path: Path) -> None:
    named = TWO.replace("logon_installation = true", 'logon_installation = true\nrecovery_account = "KtPush2"')
    pushing = pushing_in(tmp_path, Machines(), named)
    pushing.ask(PC)
    pushing.round()
    assert pushing.machines.logons == [(PC, "KtPush2")]


# What goes wrong.


def test_a_machine_that_is_not_reached_is_tried_again_after_a_pause_that_doubles_to_an_hour(pushing: Pushing) -> None:
    pushing.machines.hindrance[PC] = Hindered("pc1 is not reached", permanent=False)
    pushing.ask(PC)
    pauses = []
    for _ in range(8):
        request = pushing.round()
        assert request.state is PushState.WAITING
        pauses.append(request.next_at - pushing.clock.now)
        pushing.clock.turn(pauses[-1])
    assert pauses == [FIRST_PAUSE_S * 2**n for n in range(6)] + [LONGEST_PAUSE_S] * 2
    assert set(pushing.messages()) >= {MessageId.PUSH_LATER}
    assert spent(pushing, "KtPush1") == [], "no logon was made"
    pushing.machines.hindrance.clear()
    assert pushing.round().state is PushState.INSTALLED


@pytest.mark.parametrize(
    ("work", "way_out"), [(Work.INSTALL, "keyturn client push"), (Work.REMOVE, "keyturn client forget")]
)
def test_after_a_week_it_is_given_up_with_a_way_out(pushing: Pushing, work: Work, way_out: str) -> None:
    pushing.machines.hindrance[PC] = Hindered("pc1 is not reached", permanent=False)
    pushing.ask(PC, work=work)
    pushing.round()
    request = pushing.turn(GIVE_UP_S + 1)
    assert request.state is PushState.FAILED
    assert request.note == "given up after 7 days: pc1 is not reached"
    assert way_out in request.hint


def test_what_would_come_to_the_same_again_is_told_and_not_tried_again(pushing: Pushing) -> None:
    pushing.machines.hindrance[PC] = Hindered("pc1 has Python 3.9", permanent=True, hint="install it")
    pushing.ask(PC)
    request = pushing.round()
    assert (request.state, request.note, request.hint) == (PushState.FAILED, "pc1 has Python 3.9", "install it")
    assert pushing.turn(LONGEST_PAUSE_S) == request
    assert pushing.messages()[-1] == MessageId.PUSH_FAILED


@pytest.mark.parametrize("where", ["logon", "work"])
def test_a_server_killed_in_the_middle_does_not_lose_the_machine_or_its_account(pushing: Pushing, where: str) -> None:
    pushing.machines.killed_in = where
    pushing.ask(PC, accounts=["CORP\\KtPush1"])
    with pytest.raises(Killed):
        pushing.round()
    pushing.machines.killed_in = ""
    assert pushing.turn(CLAIM_S - 1).tries == 0, "it may still be at work"
    assert pushing.turn(1).state is PushState.INSTALLED
    assert len(pushing.machines.logons) == 2, "the realm's own record shows that the first was no bad one"


def test_an_attempt_of_unknown_end_counts_as_a_bad_one_where_the_realm_has_seen_one(pushing: Pushing) -> None:
    pushing.machines.killed_in = "logon"
    pushing.ask(PC, accounts=["CORP\\KtPush1"])
    with pytest.raises(Killed):
        pushing.round()
    pushing.site.realm().try_logon(found(pushing, "KtPush1"), password(1), protocol=LogonProtocol.NTLM)
    pushing.machines.killed_in = ""
    assert pushing.turn(CLAIM_S).state is PushState.WAITING
    assert len(pushing.machines.logons) == 1
    assert pushing.turn(WINDOW_S).state is PushState.INSTALLED


def test_a_withdrawn_request_is_tried_no_more(pushing: Pushing) -> None:
    pushing.machines.hindrance[PC] = Hindered("pc1 is not reached", permanent=False)
    pushing.ask(PC)
    pushing.round()
    withdraw(pushing.site.parts, PC, by="paul")
    assert pushing.turn(LONGEST_PAUSE_S).state is PushState.WITHDRAWN
    with pytest.raises(Refused, match="nothing is under way"):
        withdraw(pushing.site.parts, PC, by="paul")


# What is not even begun.


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (Asked(names=["PC-0009"]), "no client PC-0009"),
        (Asked(groups=["Servers"]), "no client group Servers"),
        (Asked(), "no machine is named"),
        (Asked(names=MACHINES, address=("pc1", None)), "that of one machine"),
        (Asked(names=[PC], accounts=["CORP\\Nobody"]), "Nobody"),
    ],
)
def test_a_request_nothing_can_come_of_is_refused(pushing: Pushing, asked: Asked, words: str) -> None:
    with pytest.raises((NotFound, Refused), match=words):
        ask(pushing.site.parts, asked, by="olga")
    assert pushing.site.store.push_requests() == ()


def test_without_an_account_whose_password_is_here_nothing_is_asked(tmp_path: Path) -> None:
    site = site_in(tmp_path, TWO, wrap=lambda parts: replace(parts, pusher=Machines()))
    with pytest.raises(Refused, match="no Client Push Installation account has a password"):
        ask(site.parts, Asked(names=[PC]), by="olga")


def found(pushing: Pushing, name: str) -> Account:
    account = pushing.site.realm().find(name)
    assert account
    return account
