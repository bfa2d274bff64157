"""What the contract asks of requests to install clients, of what machines said, and of logon keys."""

from dataclasses import replace

import pytest

from keyturn.adapters.store.store import SqlStore
from keyturn.model.accounts import Credential
from keyturn.model.errors import NotFound, Refused
from keyturn.model.logon import Answer
from keyturn.operations.push_records import PushLogon, PushRequest, PushState, Work
from keyturn.operations.recovery_records import LogonKey
from tests.contract.store.setting import Setting
from tests.contract.store.world import SVC, THE_ESTATE

REQUEST = PushRequest(
    "PC-0001", Work.INSTALL, "pc1.example", 2222, ("CORP\\A", "CORP\\B"), "olga", asked_at=1000, next_at=1000
)
KEY = LogonKey("all", "olga", 1000.0, 2000.0)


class PushRequestsContract(Setting):
    def test_a_request_is_kept_as_it_was_made_and_one_made_anew_replaces_it(self, empty: SqlStore) -> None:
        empty.request_push(REQUEST)
        assert empty.push_request("pc-0001") == REQUEST
        anew = replace(REQUEST, work=Work.REMOVE, port=None, accounts=(), asked_at=1001)
        empty.request_push(anew)
        assert empty.push_requests() == (anew,)
        with pytest.raises(NotFound, match="PC-0009"):
            empty.push_request("PC-0009")

    def test_a_request_is_claimed_once(self, empty: SqlStore) -> None:
        empty.request_push(REQUEST)
        assert empty.claim_push(REQUEST, 1900)
        assert not empty.claim_push(REQUEST, 1900)
        assert empty.claim_push(empty.push_request("PC-0001"), 2800)

    def test_what_came_of_a_try_is_not_written_over_a_later_word_of_a_person(self, empty: SqlStore) -> None:
        empty.request_push(REQUEST)
        done = replace(REQUEST, state=PushState.DONE, tries=1, installed_at=1100, note="runs", hint="none")
        for word in (replace(REQUEST, asked_at=1050), replace(REQUEST, state=PushState.WITHDRAWN)):
            empty.request_push(word)
            assert not empty.settle_push(done)
            assert empty.push_request("PC-0001") == word
        empty.request_push(REQUEST)
        assert empty.settle_push(done)
        assert empty.push_request("PC-0001") == done

    def test_a_machines_last_word_on_a_password_counts_until_its_refusals_are_forgotten(self, empty: SqlStore) -> None:
        empty.replace("", THE_ESTATE, by="ann")
        empty.identify(SVC)
        refused = PushLogon("PC-0001", Credential(SVC, 1), Answer.WRONG_PASSWORD, 1000)
        accepted = PushLogon("PC-0002", Credential(SVC, 1), Answer.ACCEPTED, 1001)
        for logon in (replace(refused, answer=Answer.ACCEPTED), refused, accepted):
            empty.note_push_logon(logon)
        assert set(empty.push_logons(SVC)) == {refused, accepted}
        for machine in ("pc-0001", "pc-0002"):
            empty.forget_push_refusals(machine)
        assert empty.push_logons(SVC) == (accepted,)


class LogonKeysContract(Setting):
    def test_a_logon_key_is_found_by_its_hash_and_counted(self, empty: SqlStore) -> None:
        empty.issue_logon_key(KEY, b"hash")
        empty.count_logon_key("ALL")
        assert empty.logon_key(b"hash") == replace(KEY, used=1)
        assert empty.logon_key(b"another") is None
        assert empty.logon_keys() == (replace(KEY, used=1),)

    def test_the_name_of_a_logon_key_is_given_once_even_after_its_end(self, empty: SqlStore) -> None:
        empty.issue_logon_key(KEY, b"hash")
        assert empty.revoke_logon_key("all", 1500)
        with pytest.raises(Refused, match="ALL already"):
            empty.issue_logon_key(replace(KEY, name="ALL"), b"other")

    def test_only_a_good_logon_key_is_revoked(self, empty: SqlStore) -> None:
        empty.issue_logon_key(KEY, b"hash")
        assert not empty.revoke_logon_key("all", 2000), "it had ended"
        assert empty.revoke_logon_key("all", 1999)
        assert not empty.revoke_logon_key("all", 1999)
        assert not empty.revoke_logon_key("no such", 1999)
