"""The programs of a fleet begin at one moment, and somebody has changed their account's password in the realm by hand.

Two hundred machines, and a realm that locks at the third bad attempt. Nobody may be lent the wrong password, nobody may
wait for the right one, and what a machine does not know after a crash it learns from the site.
"""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyturn.adapters.authorities.builtin.realm import BuiltinRealm
from keyturn.lifecycle.ports import AccountState
from keyturn.model.accounts import Account, Credential
from keyturn.model.errors import AuthorityError
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.secret import Secret
from keyturn.operations import accounts, clients, plans
from keyturn.operations.assurance import Assurance, Word
from keyturn.operations.clients import Contact
from keyturn.operations.doubts import CHANGED
from keyturn.operations.gate import LATER_S, SOON_S, Adopt, Use, Wait
from tests.estates import INSTALLATION
from tests.inner_site import InnerSite, site_in

NAME = "CORP\\KtInstall"
THEIRS = Secret("Somebody-else-9")


@dataclass
class Watched:
    """A realm that counts how often it is looked at, and falls silent when told to."""

    realm: BuiltinRealm
    looks: int = 0
    silent: bool = False

    def describe(self, account: Account) -> AccountState:
        self.looks += 1
        if self.silent:
            raise AuthorityError("dc1 does not answer", permanent=False)
        return self.realm.describe(account)


class Fleet:
    """Machines that hold the account's first password and have proven it."""

    def __init__(self, folder: Path, size: int) -> None:
        estate = INSTALLATION.replace("lockout_threshold = 5", "lockout_threshold = 3\nhistory = 0")
        self.site: InnerSite = site_in(folder, estate.replace("count = 3", f"count = {size}"))
        self.names = tuple(f"PC-{number:04d}" for number in range(1, size + 1))
        self.site.enrol(*self.names)
        self.site.create("KtInstall")
        for _ in range(20):
            if all(self.site.held.values()):
                break
            self.site.contact(*self.names)
        assert all(self.site.held.values())
        self.realm = Watched(self.site.realm())
        self.assurance = self.process()

    def process(self) -> Assurance:
        """Of the server: one more, or one that was started anew."""
        parts = replace(self.site.parts, authorities=lambda _: self.realm)  # type: ignore[arg-type,return-value]
        return Assurance(parts, self.site.clock)

    def ask(self, names: Sequence[str], of: Assurance | None = None) -> dict[str, Word]:
        """At one moment."""
        found = (of or self.assurance).give([Contact(name, self.site.held[name]) for name in names])
        assert [len(words) for words in found] == [1] * len(names)
        return {name: words[0] for name, words in zip(names, found, strict=True)}

    def begin(self, names: Sequence[str]) -> list[Answer]:
        """The programs of these machines, all at one moment: each presents what it is lent before any of them tells
        what came of it."""
        words = self.ask(names)
        lent = {name: word.credential for name, word in words.items() if isinstance(word, Use)}
        answers = {name: self._present(name, credential) for name, credential in lent.items()}
        for name, answer in answers.items():
            clients.report(self.site.parts, name, NAME, lent[name].generation, answer)
        return list(answers.values())

    def _present(self, name: str, credential: Credential) -> Answer:
        realm, secret = self.site.parts.access_realm("CORP"), self.site.store.secret(credential)
        return realm.logon("KtInstall", secret, protocol=LogonProtocol.NTLM, source=name).answer

    @property
    def account(self) -> Account:
        found = self.site.realm().find("KtInstall")
        assert found
        return found

    def change_by_hand(self, secret: Secret = THEIRS) -> None:
        self.site.realm().set_password(self.account, secret)

    @property
    def wrong(self) -> int:
        return self.site.realm().failed_logons(0)


@pytest.fixture(scope="module")
def two_hundred(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    fleet = Fleet(tmp_path_factory.mktemp("fleet"), 200)
    yield fleet
    fleet.site.close()


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    fleet = Fleet(tmp_path, 4)
    yield fleet
    fleet.site.close()


def test_two_hundred_are_lent_the_right_password_at_once_and_then_none_the_wrong_one(two_hundred):
    fleet = two_hundred
    assert fleet.begin(fleet.names) == [Answer.ACCEPTED] * 200
    assert fleet.realm.looks == 1, "one look serves everybody who asks at one moment"
    fleet.change_by_hand()
    for _ in range(5):
        assert fleet.begin(fleet.names) == []
    assert fleet.wrong == 0
    assert not fleet.site.realm().describe(fleet.account).locked


def test_without_the_look_each_of_them_presents_the_wrong_one(fleet):
    """What this is for: the gate alone knows nothing before the first of them has told."""
    fleet.change_by_hand()
    held = fleet.site.held[fleet.names[0]]
    found = clients.direct_all(fleet.site.parts, [Contact(name, held) for name in fleet.names])
    assert [[type(direction) for direction in each] for each in found] == [[Use]] * 4


def test_contacts_at_one_moment_present_it_no_more_either_but_go_on_while_the_realm_is_silent(fleet):
    held = fleet.site.held[fleet.names[0]]
    found = clients.direct_all(fleet.site.parts, [Contact(name, held) for name in fleet.names])
    assert fleet.assurance.of_contacts(found) == found
    fleet.change_by_hand()
    assert {type(word) for each in fleet.assurance.of_contacts(found) for word in each} == {Wait}
    fleet.realm.silent = True
    assert fleet.assurance.of_contacts(found) == found


def test_who_is_held_back_hears_why_and_people_hear_once(fleet):
    fleet.change_by_hand()
    for _ in range(2):
        word = fleet.ask(fleet.names)[fleet.names[0]]
    assert word == Wait(fleet.account, LATER_S, "somebody else has changed its password in the realm")
    assert [event.subject for event in fleet.site.store.since() if event.kind == CHANGED] == [NAME]


def test_a_change_that_one_replica_alone_knows_of_holds_back_too(fleet):
    fleet.site.realm().administration.cut("dc2")
    fleet.change_by_hand()
    assert fleet.begin(fleet.names) == []


def test_once_a_person_has_taken_the_new_password_in_it_is_lent(fleet):
    fleet.change_by_hand()
    accounts.adopt(fleet.site.parts, "KtInstall", THEIRS, by="olga")
    assert fleet.begin(fleet.names) == [], "what they hold is the old one"
    for _ in range(8):
        fleet.site.contact(*fleet.names)
    assert fleet.begin(fleet.names) == [Answer.ACCEPTED] * 4
    assert fleet.wrong == 0


def test_each_process_of_the_server_looks_for_itself_and_so_does_one_that_was_started_anew(fleet):
    fleet.begin(fleet.names)
    fleet.change_by_hand()
    for process in (fleet.assurance, fleet.process()):
        assert {type(word) for word in fleet.ask(fleet.names, process).values()} == {Wait}


def test_while_the_realm_is_silent_nobody_presents_anything_and_it_is_left_alone(fleet):
    fleet.realm.silent = True
    words = fleet.ask(fleet.names)
    reason = "its realm does not tell the site now whether its password is still the same"
    assert set(words.values()) == {Wait(fleet.account, SOON_S, reason)}
    fleet.site.clock.turn(SOON_S / 2)
    fleet.ask(fleet.names)
    assert fleet.realm.looks == 1
    fleet.realm.silent = False
    fleet.site.clock.turn(SOON_S / 2)
    assert fleet.begin(fleet.names) == [Answer.ACCEPTED] * 4


def test_while_it_is_being_changed_by_us_nobody_is_lent_either_password(fleet):
    record = fleet.site.rotate("KtInstall")
    fleet.site.realm().administration.cut("dc2")
    plans.advance_plan(fleet.site.parts, record.plan_id, "worker")
    assert fleet.begin(fleet.names) == []
    fleet.site.realm().administration.heal("dc2")
    fleet.site.run(record.plan_id, machines=fleet.names)
    assert fleet.begin(fleet.names) == [Answer.ACCEPTED] * 4


def test_asking_takes_no_place_and_hands_nothing_out(fleet):
    """A machine that asks for a program adopts nothing: whoever comes for the new password must find it free."""
    fleet.change_by_hand()
    accounts.adopt(fleet.site.parts, "KtInstall", THEIRS, by="olga")
    fleet.ask(fleet.names[:1])
    [handed] = clients.direct_all(fleet.site.parts, [Contact(fleet.names[1], fleet.site.held[fleet.names[1]])])[0]
    assert handed == Adopt(Credential(fleet.account, 2))


STEPS = st.lists(
    st.one_of(
        st.sets(st.integers(0, 3), min_size=1).map(lambda some: ("begin", tuple(some))),
        st.sampled_from([("change", ()), ("silence", ()), ("speak", ()), ("restart", ()), ("wait", ())]),
    ),
    max_size=12,
)


@settings(max_examples=25, deadline=None)
@given(STEPS)
def test_whatever_happens_in_whatever_order_no_program_presents_a_wrong_password(steps):
    with tempfile.TemporaryDirectory() as folder:
        fleet, changed = Fleet(Path(folder), 4), 0
        try:
            for what, some in steps:
                match what:
                    case "begin":
                        answers = fleet.begin([fleet.names[one] for one in some])
                        quiet = changed or fleet.realm.silent
                        assert answers == [] if quiet else set(answers) <= {Answer.ACCEPTED}
                    case "change":
                        changed += 1
                        fleet.change_by_hand(Secret(f"Somebody-else-{changed}"))
                    case "restart":
                        fleet.assurance = fleet.process()
                    case "wait":
                        fleet.site.clock.turn(SOON_S)
                    case _:
                        fleet.realm.silent = what == "silence"
            assert fleet.wrong == 0
        finally:
            fleet.site.close()
