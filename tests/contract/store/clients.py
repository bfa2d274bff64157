"""What the contract asks of enrolled machines, of people, of the event log and of the ledger of attempts."""

import hashlib
from collections.abc import Callable
from dataclasses import replace

import pytest

from keyturn.adapters.store.store import SqlStore
from keyturn.lockout.budget import Attempt
from keyturn.model.errors import NotFound, Refused
from keyturn.model.logon import Answer
from keyturn.operations.client_ports import EnrolledClient, Heard
from keyturn.operations.ports import Event, Person, PersonRole
from tests.contract.store.setting import Setting
from tests.contract.store.threads import at_once
from tests.contract.store.world import CONN, LAB, SVC, Clock

TOKEN = hashlib.sha256(b"token 1").digest()
OTHER = hashlib.sha256(b"token 2").digest()
PC = EnrolledClient("PC-1", b"\x01" * 32, "age1one", enrolled_at=10.0)
ANN = Person("Ann", frozenset({PersonRole.VIEWER, PersonRole.APPROVER}))


def counted(store: SqlStore, name: str, number: int, now: float) -> bool:
    """Whether a request of the machine, as it is enrolled now, counts."""
    client = store.clients_of([name]).get(name, replace(PC, name=name))
    return store.advance_counters([Heard(client, number)], now) == [True]


class ClientsContract(Setting):
    @pytest.fixture
    def invited(self, empty: SqlStore, clock: Clock) -> SqlStore:
        empty.invite("PC-1", TOKEN, clock() + 600, by="ann")
        return empty

    def enrol(self, store: SqlStore, client: EnrolledClient = PC) -> None:
        store.invite(client.name, TOKEN, 9e9, by="ann")
        store.enrol(TOKEN, client)

    def test_an_invited_machine_is_enrolled(self, invited: SqlStore) -> None:
        invited.enrol(TOKEN, PC)
        assert invited.client("pc-1") == PC
        assert invited.enrolled() == (PC,)

    def test_an_invitation_serves_a_name_in_any_letters(self, invited: SqlStore) -> None:
        invited.enrol(TOKEN, replace(PC, name="pc-1"))
        assert invited.client("PC-1").name == "pc-1"

    def test_a_wrong_used_late_or_foreign_token_is_refused_with_the_same_words(
        self, invited: SqlStore, clock: Clock
    ) -> None:
        said = []
        invited.enrol(TOKEN, PC)
        said.append(self.refusal(invited, TOKEN, PC))
        invited.invite("PC-1", TOKEN, clock() + 600, by="ann")
        said.append(self.refusal(invited, OTHER, PC))
        said.append(self.refusal(invited, b"", PC))
        said.append(self.refusal(invited, TOKEN, replace(PC, name="PC-2")))
        clock.pass_s(600)
        said.append(self.refusal(invited, TOKEN, PC))
        assert len(set(said)) == 1

    def refusal(self, store: SqlStore, token: bytes, client: EnrolledClient) -> tuple[str, str]:
        with pytest.raises(Refused) as refusal:
            store.enrol(token, client)
        return refusal.value.message, refusal.value.hint

    def test_a_new_invitation_replaces_the_one_before(self, invited: SqlStore, clock: Clock) -> None:
        invited.invite("pc-1", OTHER, clock() + 600, by="ann")
        self.refusal(invited, TOKEN, PC)
        invited.enrol(OTHER, PC)

    def test_of_machines_that_use_a_token_at_the_same_moment_one_is_enrolled(self, invited: SqlStore) -> None:
        twins = [replace(PC, verify_key=bytes([n]) * 32) for n in range(6)]
        answers = at_once(*(lambda twin=twin: invited.enrol(TOKEN, twin) for twin in twins))
        assert answers.count(None) == 1
        assert sum(isinstance(answer, Refused) for answer in answers) == 5

    def test_enrolling_again_replaces_the_keys_and_starts_the_numbers_anew(self, empty: SqlStore) -> None:
        self.enrol(empty)
        counted(empty, "PC-1", 50, 11.0)
        renewed = replace(PC, verify_key=b"\x02" * 32, recipient="age1two", enrolled_at=20.0)
        self.enrol(empty, renewed)
        assert empty.client("PC-1") == renewed
        assert empty.enrolled() == (renewed,)
        assert counted(empty, "PC-1", 1, 21.0)

    def test_an_old_key_enrolled_again_does_not_bring_its_old_messages_back(self, empty: SqlStore) -> None:
        self.enrol(empty)
        counted(empty, "PC-1", 50, 11.0)
        self.enrol(empty, replace(PC, verify_key=b"\x02" * 32))
        self.enrol(empty)
        assert not counted(empty, "PC-1", 50, 12.0)
        assert counted(empty, "PC-1", 51, 12.0)

    def test_a_clone_of_a_machine_is_refused_and_keeps_its_invitation(self, empty: SqlStore) -> None:
        self.enrol(empty)
        clone = replace(PC, name="PC-2")
        with pytest.raises(Refused, match="key of PC-2"):
            self.enrol(empty, clone)
        with pytest.raises(NotFound):
            empty.client("PC-2")
        empty.enrol(TOKEN, replace(clone, verify_key=b"\x02" * 32))

    def test_a_forgotten_machine_is_not_enrolled_and_may_be_enrolled_again(self, empty: SqlStore) -> None:
        self.enrol(empty)
        empty.forget_client("pc-1")
        assert empty.enrolled() == ()
        assert empty.advance_counters([Heard(PC, 8)], 1.0) == [False]
        renewed = replace(PC, verify_key=b"\x02" * 32)
        self.enrol(empty, renewed)
        assert empty.client("PC-1") == renewed

    def test_the_numbers_of_a_forgotten_key_stay_used_up(self, empty: SqlStore) -> None:
        self.enrol(empty)
        counted(empty, "PC-1", 50, 11.0)
        empty.forget_client("PC-1")
        self.enrol(empty)
        assert not counted(empty, "PC-1", 50, 12.0)

    def test_an_invitation_is_good_until_it_is_used_late_or_its_machine_forgotten(
        self, invited: SqlStore, clock: Clock
    ) -> None:
        assert invited.invited(["pc-1", "PC-1", "PC-2"]) == {"pc-1", "PC-1"}
        invited.forget_client("pc-1")
        assert invited.invited(["PC-1"]) == frozenset()
        self.refusal(invited, TOKEN, PC)
        self.enrol(invited)
        assert invited.invited(["PC-1"]) == frozenset()
        invited.invite("PC-1", OTHER, clock() + 600, by="ann")
        clock.pass_s(600)
        assert invited.invited(["PC-1"]) == frozenset()

    def test_a_machine_that_is_not_enrolled_is_not_found(self, invited: SqlStore) -> None:
        with pytest.raises(NotFound, match="PC-1"):
            invited.client("PC-1")

    def test_of_several_names_the_enrolled_ones_are_found_in_any_letters(self, empty: SqlStore) -> None:
        self.enrol(empty)
        assert empty.clients_of(["pc-1", "PC-1", "PC-2"]) == {"pc-1": PC, "PC-1": PC}
        assert empty.clients_of([]) == {}

    # Numbers of requests.

    def test_each_number_is_taken_once_and_in_order(self, empty: SqlStore) -> None:
        self.enrol(empty)
        taken = [counted(empty, "PC-1", number, 1.0) for number in (1, 1, 5, 3, 5, 6)]
        assert taken == [True, False, True, False, False, True]

    @pytest.mark.parametrize("number", [0, -1, 2**63, 2**200])
    def test_a_number_out_of_range_is_not_taken(self, empty: SqlStore, number: int) -> None:
        self.enrol(empty)
        assert not counted(empty, "PC-1", number, 1.0)

    def test_a_number_of_an_unknown_machine_is_not_taken(self, empty: SqlStore) -> None:
        assert not counted(empty, "PC-1", 1, 1.0)

    def test_machines_count_apart(self, empty: SqlStore) -> None:
        self.enrol(empty)
        self.enrol(empty, replace(PC, name="PC-2", verify_key=b"\x02" * 32))
        assert counted(empty, "PC-1", 5, 1.0)
        assert counted(empty, "PC-2", 1, 1.0)

    def test_the_last_contact_is_the_last_number_taken(self, empty: SqlStore) -> None:
        self.enrol(empty)
        counted(empty, "PC-1", 2, 30.0)
        counted(empty, "PC-1", 1, 40.0)
        assert empty.client("PC-1").last_contact_at == 30.0

    def test_of_the_same_number_sent_at_the_same_moment_one_is_taken(
        self, empty: SqlStore, open_again: Callable[[], SqlStore]
    ) -> None:
        self.enrol(empty)
        stores = [empty, open_again()]
        answers = at_once(*(lambda n=n: counted(stores[n % 2], "PC-1", 7, 1.0) for n in range(8)))
        assert answers.count(True) == 1
        assert answers.count(False) == 7

    def test_of_numbers_that_come_together_each_is_judged_alone(self, empty: SqlStore) -> None:
        second, stranger = replace(PC, name="PC-2", verify_key=b"\x02" * 32), replace(PC, name="PC-3")
        self.enrol(empty)
        self.enrol(empty, second)
        together = [(PC, 4), (PC, 4), (stranger, 9), (second, 1), (PC, 3), (second, 0), (PC, 5)]
        taken = empty.advance_counters([Heard(*one) for one in together], 1.0)
        assert taken == [True, False, False, True, False, False, True]
        assert [counted(empty, *one, 2.0) for one in (("PC-1", 5), ("PC-1", 6), ("PC-2", 1))] == [False, True, False]

    def test_a_number_is_not_taken_under_a_key_that_was_replaced_meanwhile(self, empty: SqlStore) -> None:
        self.enrol(empty)
        self.enrol(empty, replace(PC, verify_key=b"\x02" * 32))
        assert empty.advance_counters([Heard(PC, 8)], 1.0) == [False]
        self.enrol(empty)
        assert empty.client("PC-1").last_contact_at is None
        assert counted(empty, "PC-1", 8, 2.0)

    def test_enrolment_and_numbers_outlive_the_process(
        self, empty: SqlStore, open_again: Callable[[], SqlStore]
    ) -> None:
        self.enrol(empty)
        counted(empty, "PC-1", 7, 1.0)
        empty.close()
        again = open_again()
        assert again.client("PC-1") == replace(PC, last_contact_at=1.0)
        assert not counted(again, "PC-1", 7, 2.0)


class PeopleContract(Setting):
    def test_a_person_is_known_in_any_letters(self, empty: SqlStore) -> None:
        empty.people.add(ANN, "$argon2id$hash")
        assert empty.people.person("ANN") == ANN
        assert empty.people.password_hash("ann") == "$argon2id$hash"
        assert empty.people.people() == (ANN,)

    def test_a_name_is_taken_once_in_any_letters(self, empty: SqlStore) -> None:
        empty.people.add(ANN, "one")
        with pytest.raises(Refused, match="already"):
            empty.people.add(replace(ANN, name="ANN"), "two")
        assert empty.people.password_hash("Ann") == "one"

    def test_nobody_is_found_where_nobody_is(self, empty: SqlStore) -> None:
        assert empty.people.password_hash("ann") is None
        for verb in (empty.people.person, empty.people.remove, lambda name: empty.people.issue(name, TOKEN, 9e9)):
            with pytest.raises(NotFound, match="ann"):
                verb("ann")

    def test_a_token_stands_for_its_person_until_it_expires(self, empty: SqlStore) -> None:
        empty.people.add(ANN, "hash")
        empty.people.issue("ann", TOKEN, 100.0)
        assert empty.people.bearer(TOKEN, 99.0) == ANN
        assert empty.people.bearer(TOKEN, 100.0) is None
        assert empty.people.bearer(OTHER, 99.0) is None

    def test_a_revoked_token_stands_for_nobody(self, empty: SqlStore) -> None:
        empty.people.add(ANN, "hash")
        empty.people.issue("ann", TOKEN, 100.0)
        empty.people.issue("ann", OTHER, 100.0)
        empty.people.revoke(TOKEN)
        empty.people.revoke(TOKEN)
        assert empty.people.bearer(TOKEN, 1.0) is None
        assert empty.people.bearer(OTHER, 1.0) == ANN

    def test_who_is_removed_goes_with_every_token(self, empty: SqlStore) -> None:
        empty.people.add(ANN, "hash")
        empty.people.issue("ann", TOKEN, 100.0)
        empty.people.remove("ann")
        empty.people.add(ANN, "hash")
        assert empty.people.bearer(TOKEN, 1.0) is None

    def test_people_outlive_the_process(self, empty: SqlStore, open_again: Callable[[], SqlStore]) -> None:
        empty.people.add(ANN, "hash")
        empty.people.issue("ann", TOKEN, 100.0)
        empty.close()
        assert open_again().people.bearer(TOKEN, 1.0) == ANN


class EventsContract(Setting):
    def test_events_are_numbered_in_their_order(self, empty: SqlStore, clock: Clock) -> None:
        empty.tell("ann", "estate-imported", "PHX", "2 accounts")
        empty.tell("bob", "plan-approved", "plan-1")
        assert empty.since() == (
            Event(1, clock(), "ann", "estate-imported", "PHX", "2 accounts"),
            Event(2, clock(), "bob", "plan-approved", "plan-1"),
        )

    def test_reading_goes_on_after_a_number_and_ends_at_a_limit(self, empty: SqlStore) -> None:
        for n in range(5):
            empty.tell("ann", "kind", f"{n}")
        assert [event.subject for event in empty.since(2, limit=2)] == ["2", "3"]
        assert empty.since(5) == ()

    def test_the_same_told_twice_is_two_events(self, empty: SqlStore) -> None:
        for _ in range(2):
            empty.tell("ann", "kind", "subject")
        assert len(empty.since()) == 2

    def test_no_event_is_lost_when_many_tell_at_once(self, empty: SqlStore, open_again: Callable[[], SqlStore]) -> None:
        stores = [empty, open_again()]
        at_once(*(lambda n=n: stores[n % 2].tell("ann", "kind", f"{n}") for n in range(8)))
        assert sorted(event.subject for event in empty.since()) == [f"{n}" for n in range(8)]
        assert [event.number for event in empty.since()] == list(range(1, 9))


class AttemptsContract(Setting):
    def test_an_attempt_is_known_from_its_beginning(self, empty: SqlStore) -> None:
        number = empty.begin(SVC, "dc1", 5.0, last_bad_before=1.5)
        assert empty.recent(SVC, 0.0) == (Attempt(number, "dc1", 5.0, 1.5, None),)
        empty.end(number, Answer.WRONG_PASSWORD)
        assert empty.recent(SVC, 0.0) == (Attempt(number, "dc1", 5.0, 1.5, Answer.WRONG_PASSWORD),)

    def test_attempts_are_those_on_the_account_since_the_moment_asked_for(self, empty: SqlStore) -> None:
        for at in (1.0, 2.0, 3.0):
            empty.begin(SVC, "dc1", at, None)
        empty.begin(CONN, "dc1", 3.0, None)
        empty.begin(replace(SVC, realm=LAB), "dc1", 3.0, None)
        assert [attempt.at for attempt in empty.recent(SVC, 2.0)] == [2.0, 3.0]

    def test_an_account_is_counted_by_its_identity(self, empty: SqlStore) -> None:
        empty.begin(SVC, "dc1", 1.0, None)
        assert empty.recent(replace(SVC, name="renamed since"), 0.0)

    def test_only_a_begun_attempt_is_ended(self, empty: SqlStore) -> None:
        with pytest.raises(NotFound):
            empty.end(1, Answer.ACCEPTED)

    def test_an_attempt_that_a_crash_cut_off_is_still_known(
        self, empty: SqlStore, open_again: Callable[[], SqlStore]
    ) -> None:
        empty.begin(SVC, "dc1", 5.0, None)
        empty.close()
        assert [attempt.answer for attempt in open_again().recent(SVC, 0.0)] == [None]
