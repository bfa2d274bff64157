"""What every authority promises, as a suite to inherit: an adapter's whole test is a subclass and its fixtures.

A subclass gives

- `authority`   the adapter, on a realm in which accounts may be made, locked and deleted
- `realm_name`  the realm's name

and, where its realm differs from a domain,

- `converge`     makes every replica show what was written so far (a domain: waits; the default: nothing to do)
- `unreachable`  the adapter on a realm that does not answer for now; without it, that promise is skipped
- `refused`      a password that the realm's policy does not take; None if it takes all
- `protocol`, `folds_names`, `counts`, `keeps_rights`  what the realm can do at all
- `tells_namesakes_apart`, `versions_count`, `versions_rise`, `counts_travel`, `tells_disabled`  how exactly it tells

Names are new for every test and accounts are deleted afterwards, so that the suite may run against a live realm. Where
it keeps rights, it has a group `Keyturn Contract`.
"""

from collections.abc import Callable

import pytest

from keyturn.contracts.promises import not_promised
from keyturn.contracts.realm_on_trial import ALL_VERBS, FIRST, GROUPS, SECOND, VERBS, WRONG, RealmOnTrial
from keyturn.lifecycle.ports import Authority, Rights
from keyturn.model.accounts import Account, AccountToBe, RealmName
from keyturn.model.errors import AuthorityError, NotFound
from keyturn.model.logon import Answer

__all__ = ["FIRST", "GROUPS", "SECOND", "WRONG", "AuthorityContract"]


class AuthorityContract(RealmOnTrial):
    # find

    def test_an_account_is_found_by_its_name(self, authority: Authority, account: Account) -> None:
        found = authority.find(account.name)
        assert found == account
        assert found is not None
        assert found.name == account.name

    def test_an_account_is_found_however_its_name_is_written(self, authority: Authority, account: Account) -> None:
        if not self.folds_names:
            not_promised("this realm tells names apart by their case")
        assert authority.find(f" {account.name.upper()} ") == account

    def test_a_name_that_nobody_bears_finds_nobody(self, authority: Authority, second: AccountToBe) -> None:
        assert authority.find(second.name) is None

    # create

    def test_a_new_account_is_enabled_and_logs_on(self, authority: Authority, account: Account) -> None:
        state = authority.describe(account)
        assert state.enabled
        assert not state.locked
        assert authority.try_logon(account, FIRST, protocol=self.protocol) is Answer.ACCEPTED

    def test_an_existing_name_is_refused_for_good_and_the_account_stays_as_it_was(
        self, authority: Authority, account: Account
    ) -> None:
        before = authority.describe(account)
        written = account.name.upper() if self.folds_names else account.name
        with pytest.raises(AuthorityError) as raised:
            authority.create(AccountToBe(account.realm, written), SECOND)
        assert raised.value.permanent
        assert authority.describe(account) == before

    def test_an_account_made_like_another_is_in_its_groups(
        self, authority: Authority, account: Account, second: AccountToBe
    ) -> None:
        if not self.keeps_rights:
            not_promised("this realm has no groups")
        authority.grant(account, GROUPS)
        twin = authority.create(second, SECOND, like=account)
        assert twin.sid != account.sid
        assert authority.rights(twin).groups == authority.rights(account).groups

    def test_an_account_like_one_that_is_gone_is_not_made(
        self, authority: Authority, gone: Account, planned: AccountToBe
    ) -> None:
        with pytest.raises(NotFound):
            authority.create(planned, FIRST, like=gone)
        assert authority.find(planned.name) is None

    def test_a_name_used_again_is_another_identity(self, authority: Authority, gone: Account) -> None:
        if not self.tells_namesakes_apart:
            not_promised("in this realm the name is the identity")
        again = authority.create(AccountToBe(gone.realm, gone.name), SECOND)
        assert again != gone

    # describe

    def test_the_replicas_are_described_one_by_one(self, authority: Authority, account: Account) -> None:
        state = authority.describe(account)
        names = [replica.replica for replica in state.replicas]
        assert state.account == account
        assert state.account.name == account.name
        assert names
        assert len(names) == len(set(names))
        assert {replica.version for replica in state.replicas} == {state.pinned.version}
        assert all(replica.bad_count == 0 and not replica.locked for replica in state.replicas)

    def test_describing_changes_nothing(self, authority: Authority, account: Account) -> None:
        assert authority.describe(account) == authority.describe(account)

    # set_password

    def test_every_set_moves_the_version(
        self, authority: Authority, account: Account, converge: Callable[[], None]
    ) -> None:
        version = authority.describe(account).pinned.version
        earlier: set[int] = set()
        for _ in range(3):
            before = version
            earlier.add(before)
            authority.set_password(account, SECOND)  # the same one again is a set like any other
            version = authority.describe(account).pinned.version
            assert version not in earlier
            assert version > before or not self.versions_rise
            assert version == before + 1 or not self.versions_count
        converge()
        assert {replica.version for replica in authority.describe(account).replicas} == {version}

    def test_nothing_but_a_set_moves_the_version(self, authority: Authority, account: Account) -> None:
        before = authority.describe(account).pinned.version
        authority.try_logon(account, WRONG, protocol=self.protocol)
        authority.try_logon(account, FIRST, protocol=self.protocol)
        authority.unlock(account)
        authority.disable(account)
        authority.enable(account)
        assert authority.describe(account).pinned.version == before

    def test_a_set_moves_its_moment_and_the_new_password_logs_on(self, authority: Authority, account: Account) -> None:
        before = authority.describe(account).pinned.password_set_at
        authority.set_password(account, SECOND)
        assert authority.describe(account).pinned.password_set_at >= before
        assert authority.try_logon(account, SECOND, protocol=self.protocol) is Answer.ACCEPTED

    def test_a_password_against_the_policy_is_refused_for_good_and_not_told(
        self, authority: Authority, account: Account
    ) -> None:
        if self.refused is None:
            not_promised("this realm takes every password")
        before = authority.describe(account)
        with pytest.raises(AuthorityError) as raised:
            authority.set_password(account, self.refused)
        assert raised.value.permanent
        assert authority.describe(account) == before
        assert self.refused.reveal() not in str(raised.value)

    # try_logon

    def test_a_right_password_counts_nothing(self, authority: Authority, account: Account) -> None:
        assert authority.try_logon(account, FIRST, protocol=self.protocol) is Answer.ACCEPTED
        assert authority.describe(account).pinned.bad_count == 0

    def test_a_wrong_password_counts_exactly_one_on_the_replica_that_was_asked(
        self, authority: Authority, account: Account, converge: Callable[[], None]
    ) -> None:
        self._needs_counts()
        for replica in authority.describe(account).replicas:
            converge()
            before = {state.replica: state.bad_count for state in authority.describe(account).replicas}
            answer = authority.try_logon(account, WRONG, protocol=self.protocol, replica=replica.replica)
            assert answer is Answer.WRONG_PASSWORD
            after = {state.replica: state.bad_count for state in authority.describe(account).replicas}
            assert after[replica.replica] == before[replica.replica] + 1
            if not self.counts_travel:
                assert after == before | {replica.replica: 1}

    def test_a_logon_goes_to_the_pinned_replica_unless_said(self, authority: Authority, account: Account) -> None:
        self._needs_counts()
        authority.try_logon(account, WRONG, protocol=self.protocol)
        state = authority.describe(account)
        assert state.pinned.bad_count == 1
        assert state.pinned.last_bad_at is not None
        if not self.counts_travel:
            assert all(replica.bad_count == 0 for replica in state.replicas[1:])

    # unlock

    def test_a_locked_account_refuses_the_right_password(self, authority: Authority, account: Account) -> None:
        self._lock(authority, account)
        assert authority.describe(account).locked
        assert authority.try_logon(account, FIRST, protocol=self.protocol) is Answer.LOCKED

    def test_unlocking_unlocks_everywhere_with_the_counts(
        self, authority: Authority, account: Account, converge: Callable[[], None]
    ) -> None:
        for replica in authority.describe(account).replicas:
            self._lock(authority, account, replica.replica)
        converge()
        authority.unlock(account)
        converge()
        state = authority.describe(account)
        assert not state.locked
        assert [replica.bad_count for replica in state.replicas] == [0] * len(state.replicas)
        for replica in state.replicas:
            answer = authority.try_logon(account, FIRST, protocol=self.protocol, replica=replica.replica)
            assert answer is Answer.ACCEPTED

    def test_unlocking_what_is_not_locked_is_no_error(self, authority: Authority, account: Account) -> None:
        authority.unlock(account)
        authority.unlock(account)
        assert not authority.describe(account).locked

    # disable, enable, delete

    def test_disabling_and_enabling_may_be_repeated(
        self, authority: Authority, account: Account, converge: Callable[[], None]
    ) -> None:
        for _ in range(2):
            authority.disable(account)
            assert not authority.describe(account).enabled
        converge()
        barred = Answer.DISABLED if self.tells_disabled else Answer.LOCKED
        assert authority.try_logon(account, FIRST, protocol=self.protocol) is barred
        for _ in range(2):
            authority.enable(account)
            assert authority.describe(account).enabled
        converge()
        assert authority.try_logon(account, FIRST, protocol=self.protocol) is Answer.ACCEPTED

    def test_deleting_may_be_repeated(self, authority: Authority, account: Account) -> None:
        authority.delete(account)
        authority.delete(account)
        assert authority.find(account.name) is None

    @pytest.mark.parametrize("verb", VERBS)
    def test_an_account_that_is_gone_is_not_found(self, authority: Authority, gone: Account, verb: str) -> None:
        if verb in ("rights", "grant") and not self.keeps_rights:
            not_promised("this realm has no groups")
        with pytest.raises(NotFound):
            VERBS[verb](authority, gone)

    # rights, grant

    def test_granting_adds_and_takes_nothing_away(self, authority: Authority, account: Account) -> None:
        if not self.keeps_rights:
            not_promised("this realm has no groups")
        before = authority.rights(account)
        for _ in range(2):
            authority.grant(account, GROUPS)
            authority.grant(account, Rights())
        after = authority.rights(account)
        assert after.groups == before.groups | GROUPS.groups
        assert after.grants == before.grants

    # errors

    @pytest.mark.parametrize("verb", ALL_VERBS)
    def test_a_realm_that_does_not_answer_is_an_error_that_may_pass(
        self, unreachable: Authority, realm_name: RealmName, verb: str
    ) -> None:
        account = Account(realm_name, "S-1-5-21-0-0-0-1", "kt-anyone")
        with pytest.raises(AuthorityError) as raised:
            ALL_VERBS[verb](unreachable, account)
        assert not raised.value.permanent
